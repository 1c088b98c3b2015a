using System.Collections.Concurrent;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Reads what a selector needs to know of listed buckets: the region where the list does not say it, and the tags where
/// the selector asks for tags. A bucket whose name does not match is not asked about. For one reconcile.
/// </summary>
internal sealed class FactReader(AccountInventory inventory, BucketSelector selector, StoreTraits traits)
{
    private const int AtLeast = 16;

    private readonly ConcurrentBag<ListedFacts> _facts = [];
    private readonly ConcurrentBag<Failure> _failures = [];
    private readonly ConcurrentBag<string> _unfinished = [];

    /// <summary>Buckets that are asked about even if others wait for the worker.</summary>
    private int _least = AtLeast;

    /// <summary>What was found, one per bucket whose name the selector matches, excluded or not.</summary>
    public IReadOnlyCollection<ListedFacts> Read => _facts;

    /// <summary>Why something could not be read: one failure per code, with the number of buckets.</summary>
    public IEnumerable<Failure> Problems =>
        _failures
            .GroupBy(f => (f.Operation, f.Code, f.HttpStatus))
            .OrderBy(g => g.First().PassesByItself)
            .ThenBy(g => g.Key)
            .Select(g =>
                g.OrderBy(f => f.Hint, StringComparer.Ordinal).First() with
                {
                    Message = $"{g.Key.Operation} failed for {g.Count()} listed buckets, which stay as they were.",
                }
            );

    /// <summary>Buckets that were not asked about for want of time or of permits.</summary>
    public IReadOnlyCollection<string> Unfinished => _unfinished;

    public Task ReadAsync(AccountList list, Freshness freshness, ParallelOptions options, Func<bool> shouldYield) =>
        Parallel.ForEachAsync(
            list.Buckets.Where(b => selector.Match(b.Name) != NameMatch.None),
            options,
            async (bucket, token) => _facts.Add(await ReadAsync(bucket, freshness, shouldYield, token))
        );

    private async ValueTask<ListedFacts> ReadAsync(
        ListedBucket bucket,
        Freshness freshness,
        Func<bool> shouldYield,
        CancellationToken cancellationToken
    )
    {
        var facts = new ListedFacts(bucket.Name, bucket.Place, selector.Tags.IsEmpty ? true : null);
        if (bucket.Place == BucketPlace.Elsewhere)
            return facts;
        // A name that no policy may have: it is counted as not covered.
        if (
            !BucketName.IsValid(bucket.Name, edgeHyphens: false)
            || StoreRules.ProblemOf(bucket.Name, traits) is not null
        )
            return facts with { HasTags = null };
        if (selector.Match(bucket.Name) == NameMatch.Excluded || facts is { Place: BucketPlace.Here, HasTags: true })
            return facts;
        var isKnown = inventory.Knows(bucket, facts.HasTags is null ? freshness : null);
        if (!isKnown && Interlocked.Decrement(ref _least) < 0 && shouldYield())
        {
            _failures.Add(PassProgress.NotReachedFailure);
            _unfinished.Add(bucket.Name);
            return facts;
        }
        try
        {
            if (bucket.Place == BucketPlace.Unknown)
                facts = facts with { Place = await inventory.LocateAsync(bucket.Name, cancellationToken) };
            if (facts is { Place: BucketPlace.Elsewhere } or { HasTags: true })
                return facts;
            var tags = await inventory.TagsAsync(bucket.Name, freshness, cancellationToken);
            return facts with { HasTags = selector.MatchTags(tags) };
        }
        catch (VendorException e)
        {
            _failures.Add(e.Failure);
            if (e.Failure.Has(ReasonTraits.Unfinished) && e.Failure.NotSent)
                _unfinished.Add(bucket.Name);
            return facts;
        }
    }
}
