using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>The end of a schedule with selectors: they have what they mean, and a bucket that somebody makes is theirs
/// within one interval, although each reconciles only when it is due or woken.</content>
internal sealed partial class ModelSchedule
{
    private const string Arriving = "bucket-9";

    /// <summary>An interval, and the time of a reconcile.</summary>
    private static readonly TimeSpan OneInterval = PolicyReader.DefaultResync + TimeSpan.FromSeconds(30);

    /// <summary>
    /// Between two reconciles of a policy, on average. A key that is rejected is tried every five seconds.
    /// </summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(4);

    private IReadOnlyList<BucketEncryptionPolicy> Selectors =>
        [.. _bench.Kubernetes.Policies.Where(p => p.Spec.BucketSelector is not null)];

    private void Arrive()
    {
        JudgeSelections();
        if (Selectors.Where(CanList).ToList() is not { Count: > 0 } able)
            return;
        PlayDue(OneInterval + TimeSpan.FromMinutes(_random.Next(1, 10)));
        var installation = StoreOf(One(able))!.Place.Installation;
        if (Chance(2)) // the one that lists for the others may be it
        {
            var leaving = _bench.Kubernetes.Read(One(able).Metadata.Key);
            Edit(leaving, leaving.Spec with { Suspend = true });
            Watch();
        }
        Remake(installation, Arriving, Found(installation));
        PlayDue(OneInterval);
        JudgeSelections();
        foreach (var partition in Places.Where(p => p.Installation == installation).Select(p => p.Partition).Distinct())
            Judge(new BucketId(partition, Arriving), installation, isAtRest: false);
    }

    /// <summary>Time passes, and a policy reconciles when it is due or woken.</summary>
    private void PlayDue(TimeSpan time)
    {
        var end = Now + time;
        var reconciles = new Dictionary<NamespacedName, int>();
        while (true)
        {
            if (_due.Count == 0 || _due.Values.Min() is var next && next > end)
                break;
            if (next > Now)
                Advance(next - Now);
            var key = _due.Where(d => d.Value <= Now).Select(d => d.Key).MinBy(k => k.ToString());
            // A back-off, which the queue makes longer each time, is not played
            if (_attempts.GetValueOrDefault(key) == 0)
                reconciles[key] = reconciles.GetValueOrDefault(key) + 1;
            Assert.True(time > Shortest * reconciles.GetValueOrDefault(key), $"{Where}: {key} reconciles all the time");
            Begin(key);
            while (_running.Count > 0)
                Open(_steps.Gates[0]);
            Watch();
            Check();
        }
        if (end > Now)
            Advance(end - Now);
    }

    private void JudgeSelections()
    {
        foreach (var policy in Selectors)
        {
            var rows = policy.Status?.Buckets ?? [];
            foreach (var row in rows.Where(r => StoreOf(policy) is not null && !_oracle.Means(policy, r.Name)))
                Assert.Fail($"{Where}: {policy.Metadata.Key} has a row of {row.Name}, which it does not mean");
            if (!CanList(policy) || policy.Spec.Suspend == true)
                continue;
            foreach (var bucket in _buckets.Append(Arriving))
                JudgeSelection(policy, bucket);
        }
    }

    private void JudgeSelection(BucketEncryptionPolicy policy, string bucket)
    {
        var place = StoreOf(policy)!.Place;
        var row = policy.Status?.RowOf(bucket);
        if (IsSelected(policy, bucket) && CanWrite(policy, new BucketId(place.Partition, bucket), place.Installation))
            Assert.True(
                policy.Spec.Mode == "Audit" ? row is not null : row?.ClaimedTime is not null,
                $"{Where}: {policy.Metadata.Key} means {bucket}, and has not found it\n{Summary(policy.Metadata.Key)}"
            );
        if (
            row is not null
            && _installations[place.Installation][bucket] is null
            && !_moved.Contains((place.Installation, bucket))
            && CanWrite(policy, new BucketId(place.Partition, bucket), place.Installation)
        )
            Assert.True(
                (policy.Status?.Buckets ?? []).Count(r => !IsSelected(policy, r.Name)) >= 3,
                $"{Where}: {policy.Metadata.Key} has a row of {bucket}, which is gone\n{Summary(policy.Metadata.Key)}"
            );
    }

    /// <summary>Whether the policy's keys list the account.</summary>
    private bool CanList(BucketEncryptionPolicy policy) =>
        StoreOf(policy) is { } store
        && (!store.IsClusterStore || !store.Selectable.IsEmpty)
        && policy.Metadata.DeletionTimestamp is null
        && _secrets.GetValueOrDefault(store.Secret) is { } key
        && !_revoked.Contains(key)
        && !_listDenied.Contains((key, store.Place.Installation));

    /// <summary>Whether the account has the bucket, and its list and its tags say that the policy means it.</summary>
    private bool IsSelected(BucketEncryptionPolicy policy, string bucket) =>
        StoreOf(policy) is { } store
        && _oracle.Means(policy, bucket)
        && !_moved.Contains((store.Place.Installation, bucket))
        && _installations[store.Place.Installation][bucket] is not null
        && !_hidden.Contains((_secrets.GetValueOrDefault(store.Secret) ?? "", store.Place.Installation, bucket))
        && ModelSelector.MeansTags(policy, _accounts[store.Place.Installation].Tags.GetValueOrDefault(bucket, []));

    /// <summary>
    /// Whether the owner selects the bucket and may not write it: it is not in the list, or there is more to write than
    /// was confirmed.
    /// </summary>
    private bool IsHeldBack(BucketEncryptionPolicy owner, BucketId bucket) =>
        owner.Spec.BucketSelector is { } selector
        && (
            !IsSelected(owner, bucket.Name)
            || !CanList(owner)
            || (
                Reasons.TooManyWrites.Is(owner.Status?.RowOf(bucket.Name)?.Error?.Code)
                && Unmet(owner).Count() > (selector.MaxWrites ?? 50)
            )
        );

    /// <summary>Selected buckets that are not as declared.</summary>
    private IEnumerable<string> Unmet(BucketEncryptionPolicy policy) =>
        _buckets
            .Append(Arriving)
            .Where(b =>
                IsSelected(policy, b)
                && _installations[StoreOf(policy)!.Place.Installation][b] is { } now
                && !PolicyReader
                    .ReadTerms(policy.Spec)
                    .Value!.Goal.IsMetBy(new Observation(now, Document: null), wasWritten: true)
            );
}
