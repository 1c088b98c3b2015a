using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Discovery;

/// <summary>A complete list of an account's buckets.</summary>
/// <param name="BegunAt">Timestamp at which it was asked for: a bucket that was made later may not be in it.</param>
internal sealed record AccountList(ImmutableArray<ListedBucket> Buckets, long BegunAt);

/// <summary>How fresh an answer of the vendor must be.</summary>
/// <param name="MaxAge">Maximum age.</param>
/// <param name="NotBefore">Timestamp before which it must not have been asked for; null: the age decides alone.</param>
internal sealed record Freshness(TimeSpan MaxAge, long? NotBefore);

/// <summary>
/// What one access key lists at one store: the last complete list, and what was asked about single buckets. All
/// policies with the same store address and the same key share it, and one of them at a time asks the vendor.
/// </summary>
// Its semaphore has no handle to release, and a policy may still wait for it when the last one leaves
#pragma warning disable CA1001
internal sealed class AccountInventory(IAccountApi api, StoreAddress store, AccessKey key, TimeProvider time)
#pragma warning restore CA1001
{
    /// <summary>A bucket never moves; one that was deleted and made again elsewhere is seen within this time.</summary>
    private static readonly TimeSpan PlaceAge = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _listing = new(1, 1);
    private readonly ConcurrentDictionary<string, (BucketPlace Place, long At)> _places = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (ImmutableDictionary<string, string> Tags, long At)> _tags = new(
        StringComparer.Ordinal
    );

    private volatile AccountList? _last;

    /// <summary>
    /// The last attempt gave no list. Until one does, every reconcile asks: what a failure has shown is not hidden by
    /// an older list, and a list that somebody has requested is not forgotten.
    /// </summary>
    private volatile bool _hasFailed;

    /// <summary>The last complete list; null while this process has none.</summary>
    public AccountList? Last => _last;

    /// <summary>
    /// Returns a complete list that is fresh enough. It is asked for unless there is one; nobody asks for a second one
    /// at the same time.
    /// </summary>
    /// <returns>The list, and whether this call has asked for it.</returns>
    /// <exception cref="VendorException">There is no new list; <see cref="Last"/> is what it was.</exception>
    public async Task<(AccountList List, bool IsNew)> ListAsync(
        Freshness freshness,
        CancellationToken cancellationToken
    )
    {
        if (FreshList(freshness) is { } known)
            return (known, IsNew: false);
        await _listing.WaitAsync(cancellationToken);
        try
        {
            if (FreshList(freshness) is { } made)
                return (made, IsNew: false);
            var begun = time.GetTimestamp();
            var buckets = await api.ListBucketsAsync(store, key, cancellationToken);
            var list = new AccountList(buckets, begun);
            _last = list;
            _hasFailed = false;
            Prune(buckets);
            return (list, IsNew: true);
        }
        catch (VendorException)
        {
            _hasFailed = true;
            throw;
        }
        finally
        {
            _listing.Release();
        }
    }

    /// <summary>Returns whether the vendor need not be asked about a bucket of the list.</summary>
    /// <param name="tags">How fresh its tags must be; null where they do not matter.</param>
    public bool Knows(ListedBucket bucket, Freshness? tags)
    {
        var place = bucket.Place == BucketPlace.Unknown ? PlaceOf(bucket.Name) : bucket.Place;
        return place == BucketPlace.Elsewhere
            || place is not null && (tags is null || TagsOf(bucket.Name, tags) is not null);
    }

    /// <summary>Returns where a bucket is whose place the list does not say.</summary>
    /// <exception cref="VendorException">It could not be asked.</exception>
    public async Task<BucketPlace> LocateAsync(string bucket, CancellationToken cancellationToken)
    {
        if (PlaceOf(bucket) is { } known)
            return known;
        var at = time.GetTimestamp();
        var place = await api.LocateAsync(store.Bucket(bucket), key, cancellationToken);
        _places[bucket] = (place, at);
        return place;
    }

    /// <summary>Returns a bucket's tags.</summary>
    /// <exception cref="VendorException">They could not be read.</exception>
    public async Task<ImmutableDictionary<string, string>> TagsAsync(
        string bucket,
        Freshness freshness,
        CancellationToken cancellationToken
    )
    {
        if (TagsOf(bucket, freshness) is { } known)
            return known;
        var at = time.GetTimestamp();
        var tags = await api.GetTagsAsync(store.Bucket(bucket), key, cancellationToken);
        _tags[bucket] = (tags, at);
        return tags;
    }

    private BucketPlace? PlaceOf(string bucket) =>
        _places.TryGetValue(bucket, out var known) && time.GetElapsedTime(known.At) < PlaceAge ? known.Place : null;

    private ImmutableDictionary<string, string>? TagsOf(string bucket, Freshness freshness) =>
        _tags.TryGetValue(bucket, out var known) && IsFresh(known.At, freshness) ? known.Tags : null;

    private AccountList? FreshList(Freshness freshness) =>
        Last is { } list && !_hasFailed && IsFresh(list.BegunAt, freshness) ? list : null;

    private bool IsFresh(long at, Freshness freshness) =>
        (freshness.NotBefore is not { } least || at >= least) && time.GetElapsedTime(at) < freshness.MaxAge;

    private void Prune(ImmutableArray<ListedBucket> buckets)
    {
        var names = buckets.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _places.Keys.Where(b => !names.Contains(b)))
            _places.TryRemove(gone, out _);
        foreach (var gone in _tags.Keys.Where(b => !names.Contains(b)))
            _tags.TryRemove(gone, out _);
    }
}
