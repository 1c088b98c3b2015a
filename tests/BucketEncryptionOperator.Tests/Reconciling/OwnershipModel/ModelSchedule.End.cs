using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>How a schedule ends: nobody changes anything any more, faults stop (denials stay), and everything is looked
/// at until nothing moves.</content>
internal sealed partial class ModelSchedule
{
    private const int MostRounds = 15;

    private void CalmDown()
    {
        Tell($"calm");
        (_isCalm, _bench.MayWrite) = (true, true);
        if (Chance(2))
            _denied.Clear();
        if (_selects && !Chance(3))
            _listDenied.Clear();
        Watch();
        while (_steps.Gates.Count > 0)
            Open(_steps.Gates[_random.Next(_steps.Gates.Count)]);
        // What others have listed is good for one interval
        for (var (round, quiet) = (0, 0); quiet < (_selects ? 3 : 2); round++)
        {
            Assert.True(round < MostRounds, $"{Where}: it never comes to rest");
            var before = State();
            Round();
            quiet = before == State() && !IsPaused() ? quiet + 1 : 0;
            // Longer than a probe of a rejected key; later, than a fuse
            Advance(round < 4 ? TimeSpan.FromMinutes(6) : TimeSpan.FromHours(3));
        }
        Judge();
        if (_selects)
            Arrive();
    }

    /// <summary>
    /// Describes all that must stay once nothing happens any more. Each look tries a denied write again, and the status
    /// notes that.
    /// </summary>
    private string State() =>
        string.Join(
            '\n',
            [
                .. _installations.SelectMany(i => _buckets.Select(b => $"{i.Key} {b} {i.Value[b]}")),
                .. _bench.Kubernetes.Keys.Select(k => $"{k} {Summary(k)}"),
            ]
        );

    /// <summary>A policy has written a bucket several times, and waits before it does so again.</summary>
    private bool IsPaused() =>
        _bench
            .Kubernetes.Policies.SelectMany(p => p.Status?.Buckets ?? [])
            .Any(r =>
                r.State == BucketStatus.Drifted && r.Writes is { Refused: not true } writes && writes.NotBefore > Now
            );

    private void Round()
    {
        var keys = new Queue<NamespacedName>(_bench.Kubernetes.Keys.OrderBy(_ => _random.Next()));
        while (keys.Count > 0 || _running.Count > 0)
        {
            if (keys.Count > 0 && _running.Count < _workers)
                Begin(keys.Dequeue());
            else
                Open(_steps.Gates[_random.Next(_steps.Gates.Count)]);
            Check();
        }
        Watch();
        Check();
    }

    private void Judge()
    {
        var policies = _bench.Kubernetes.Policies;
        foreach (var policy in policies)
        {
            var broken = StatusRules.BrokenByItself(policy, policy.Status ?? new PolicyStatus()).ToList();
            Assert.True(
                broken.Count == 0,
                $"{Where}: {policy.Metadata.Key}: {string.Join("; ", broken)}\n{Summary(policy.Metadata.Key)}"
            );
        }
        foreach (var (partition, installation) in Places.Select(p => (p.Partition, p.Installation)).Distinct())
        {
            foreach (var bucket in _buckets)
                Judge(new BucketId(partition, bucket), installation);
        }
    }

    /// <param name="isAtRest">Every policy has reconciled since the bucket was last written.</param>
    private void Judge(BucketId bucket, string installation, bool isAtRest = true)
    {
        if (
            !_oracle.IsCertain(bucket)
            || _oracle.OwnerOf(bucket) is not { } owner
            || owner.Spec.Suspend == true
            || !CanWrite(owner, bucket, installation)
            || IsHeldBack(owner, bucket)
        )
            return;
        if (_installations[installation][bucket.Name] is not { } now)
            return;
        var wanted = PolicyReader.ReadTerms(owner.Spec).Value!.Goal;
        var isMet = wanted.IsMetBy(new Observation(now, Document: null), wasWritten: true);
        var mayNot = wanted.TargetFrom(now).Weakens(now) && owner.Spec.AllowDowngrade != true;
        Assert.True(
            isMet || mayNot,
            $"{Where}: {bucket} has {now}, and {owner.Metadata.Key} owns it and declares "
                + $"{owner.Spec.Encryption}\n{Summary(owner.Metadata.Key)}"
        );
        foreach (
            var other in _bench.Kubernetes.Policies.Where(p =>
                isMet
                && isAtRest
                && p.Metadata.Uid != owner.Metadata.Uid
                && p.Spec.Suspend != true
                && _oracle.MayClaim(p, bucket)
                && CanWrite(p, bucket, installation)
                && (p.Spec.BucketSelector is null || (IsSelected(p, bucket.Name) && CanList(p)))
            )
        )
        {
            var error = other.Status?.Buckets.FirstOrDefault(r => r.Name == bucket.Name)?.Error?.Code;
            var expected = other.Spec.BucketSelector is not null
                ? PolicyReader.ReadTerms(other.Spec).Value!.Goal.IsMetBy(new Observation(now, null), wasWritten: true)
                    ? null
                    : "OwnedByOthers"
                : OwnershipOracle.Agree(owner, other)
                    ? null
                    : "BucketConflict";
            Assert.True(
                error == expected,
                $"{Where}: {other.Metadata.Key} says {error ?? "nothing"} of {bucket}, which "
                    + $"{owner.Metadata.Key} owns and keeps as it declares\n{Summary(other.Metadata.Key)}"
            );
        }
    }

    /// <summary>Whether nothing keeps the policy from reading and writing the bucket.</summary>
    private bool CanWrite(BucketEncryptionPolicy policy, BucketId bucket, string installation) =>
        StoreOf(policy) is { } store
        && _secrets.GetValueOrDefault(store.Secret) is { } key
        && !_revoked.Contains(key)
        && !_denied.Contains((key, installation, bucket.Name, true))
        && !_denied.Contains((key, installation, bucket.Name, false));
}
