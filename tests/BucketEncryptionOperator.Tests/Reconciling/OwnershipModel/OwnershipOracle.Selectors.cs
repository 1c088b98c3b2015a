using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>Policies that select their buckets.
/// <list type="bullet">
/// <item>
/// A write needs a complete list of this process and this very key that has the bucket, its region, and its tags:
/// <see cref="WriteOfSelected"/>.
/// </item>
/// <item>A bucket leaves on the vendor's word alone: <see cref="MayDrop"/>.</item>
/// <item>A bucket that is not listed is claimed no more than it was: <see cref="ClaimsByList"/>.</item>
/// <item>Nobody asks about a bucket that the policy does not mean: <see cref="Asks"/>.</item>
/// </list></content>
internal sealed partial class OwnershipOracle
{
    private const int FewMissing = 3;
    private const int DefaultMaxWrites = 50;

    /// <summary>By uid: the buckets of the rows of the stored status.</summary>
    private readonly Dictionary<string, ImmutableDictionary<string, string?>> _rows = new(StringComparer.Ordinal);

    public ModelLists Lists { get; } = new();

    /// <summary>Buckets that the spec means, through the store as it is now.</summary>
    public bool Means(BucketEncryptionPolicy policy, string bucket) =>
        ModelSelector.Means(policy, StoreOf(policy), bucket);

    /// <summary>A reconcile asks the vendor about its account.</summary>
    public Asker Asks(ModelRun run, VendorCall call, AccessKey key)
    {
        if (run.Store is not { } store)
            throw new InvalidOperationException($"{run} called a vendor without a store");
        if (run.Policy.Spec.BucketSelector is null)
            Violate($"{run} selects nothing, and sends {call.Operation}");
        if (call.Bucket.Length > 0)
            MustMean(run, call);
        run.Askers.Add(new Asker(store.Place, key.Id!));
        return new Asker(store.Place, key.Id!);
    }

    public static void AskedInVain(ModelRun run, VendorCall call, Asker asker)
    {
        if (call.Operation == InMemoryAccount.List)
            run.ListFailed.Add(asker);
        else
            run.FactsFailed.Add(call.Bucket);
    }

    private void MustMean(ModelRun run, VendorCall call)
    {
        if (!run.Stores.Any(s => ModelSelector.Means(run.Policy, s, call.Bucket)))
            Violate($"{run} sends {call.Operation} for {call.Bucket}, which it does not mean");
    }

    /// <summary>What a read says about the claim of a selector that has read the bucket.</summary>
    /// <returns>Whether the read opens the claim; null where both may be.</returns>
    private bool? ClaimsByList(ModelRun run, ModelStore store, VendorReceipt receipt) =>
        run.Policy.Spec.BucketSelector is null
            ? true
            : Lists.Has(run, new Asker(store.Place, receipt.Key.Id!), receipt.Call.Bucket);

    private IEnumerable<string> WriteOfSelected(ModelRun run, BucketEncryptionPolicy now, VendorReceipt receipt)
    {
        if (now.Spec.BucketSelector is not { } selector)
            yield break;
        var (bucket, asker) = (receipt.Call.Bucket, new Asker(run.Store!.Place, receipt.Key.Id!));
        var had = run.Policy.Status?.RowOf(bucket) is not null;
        var lists = Lists.ListsOf(run, asker);
        if (lists.Count == 0)
            yield return "before a complete list of its own keys";
        else if (!lists.Any(l => l.ContainsKey(bucket)))
            yield return "what the account's list does not have";
        var places = Lists.PlacesOf(run, asker, bucket);
        if (places.Count == 0 ? !had : places.All(p => p == BucketPlace.Elsewhere))
            yield return "a bucket of another region";
        var tags = Lists.TagsOf(run, asker, bucket);
        if (
            !tags.Append(Untagged).Any(t => ModelSelector.MeansTags(now, t))
            && !(had && (tags.Count == 0 || run.FactsFailed.Contains(bucket)))
        )
            yield return "a bucket without the tags";
        run.Wrote.Add((asker, bucket));
        var most = selector.MaxWrites ?? DefaultMaxWrites;
        if (
            run.Wrote.Count(w => w.Asker == asker) > most
            && now.Metadata.Annotations[RequestAnnotations.ConfirmedWrites] != $"{now.Metadata.Generation}"
        )
            yield return $"more buckets than {most}, which nobody has confirmed";
    }

    private static ImmutableDictionary<string, string> Untagged => ImmutableDictionary<string, string>.Empty;

    /// <summary>The API server has stored a status.</summary>
    public void Stored(ModelRun? run, BucketEncryptionPolicy policy)
    {
        if (policy.Spec.BucketSelector is null)
            return;
        var rows = (policy.Status?.Buckets ?? []).ToImmutableDictionary(
            b => b.Name,
            b => b.Partition,
            StringComparer.Ordinal
        );
        var dropped = _rows
            .GetValueOrDefault(policy.Metadata.Uid, ImmutableDictionary<string, string?>.Empty)
            .Where(row => !rows.ContainsKey(row.Key));
        _rows[policy.Metadata.Uid] = rows;
        foreach (var (bucket, partition) in dropped)
        {
            _claims.Doubt(k => k.Uid == policy.Metadata.Uid && k.Bucket.Name == bucket);
            // A row of another partition is about another bucket: the store led there before.
            var isHere = run?.Store is not { } store || partition is null || partition == store.Place.Partition;
            if (run is not null && isHere && policy.Metadata.DeletionTimestamp is null && !MayDrop(run, bucket))
                Violate($"{run} drops {bucket}, and the vendor has not said that it is gone");
        }
    }

    /// <summary>Somebody has removed the status of a selector.</summary>
    public void LostStatus(string uid)
    {
        _rows.Remove(uid);
        _claims.Doubt(k => k.Uid == uid);
    }

    /// <summary>
    /// Whether the vendor, or the spec, says that the policy has the bucket no more.
    /// </summary>
    private bool MayDrop(ModelRun run, string bucket)
    {
        if (run.Stores.Append(StoreOf(run.Policy)).Any(s => !ModelSelector.Means(run.Policy, s, bucket)))
            return true;
        if (run.Store is not { } store)
            return false;
        var last = KeysGiven.GetValueOrDefault(store.Secret);
        return run
            .Askers.Concat(last is null ? [] : [new Asker(store.Place, last)])
            .Any(asker =>
                Lists.PlacesOf(run, asker, bucket).Contains(BucketPlace.Elsewhere)
                || Lists.TagsOf(run, asker, bucket).Any(t => !ModelSelector.MeansTags(run.Policy, t))
                || (
                    run.Gone.Contains((asker.Key, bucket))
                    && Lists.ListsOf(run, asker).Any(l => !l.ContainsKey(bucket) && !IsDoubtful(run, l))
                )
            );
    }

    /// <summary>
    /// More than half of what the policy had is missing at once, and nobody has asked for a reconcile.
    /// </summary>
    private static bool IsDoubtful(ModelRun run, ImmutableDictionary<string, BucketPlace> list)
    {
        var status = run.Policy.Status;
        if (run.Policy.Metadata.Annotations[RequestAnnotations.RequestedAt] != status?.LastHandledReconcileAt)
            return false;
        var had = (status?.Buckets ?? []).Where(b => ModelSelector.Means(run.Policy, run.Store, b.Name)).ToList();
        var missing = had.Count(b => !list.ContainsKey(b.Name));
        return missing >= FewMissing && missing * 2 > had.Count;
    }

    /// <summary>
    /// A reconcile has ended well, and its status is stored: the policy claims what has a row, and has no row of what
    /// it does not mean.
    /// </summary>
    public void Reported(ModelRun run, BucketEncryptionPolicy stored)
    {
        if (stored.Spec.BucketSelector is null)
            return;
        // A status that was lost meanwhile is not this reconcile's: whether what it has read still counts depends on
        // when the operator learns of it.
        if (stored.Status?.ObservedGeneration is null or < 0)
        {
            _claims.Doubt(k => k.Uid == stored.Metadata.Uid);
            return;
        }
        var rows = stored.Status.Buckets.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var key in _claims.Keys.Where(k => k.Uid == stored.Metadata.Uid && !rows.Contains(k.Bucket.Name)))
            _claims.Set(key, Claim.None);
        foreach (
            var bucket in rows.Where(b =>
                run.Stores.Append(StoreOf(stored)).All(s => s is not null && !ModelSelector.Means(stored, s, b))
            )
        )
            Violate($"{run} ends, and has a row of {bucket}, which it does not mean");
    }
}
