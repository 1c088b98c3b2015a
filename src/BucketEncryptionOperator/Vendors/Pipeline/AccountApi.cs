using System.Collections.Immutable;
using System.Net;
using System.Xml.Linq;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// What one vendor says about accounts, each request through the vendor's pipeline. A page of a list is a call of its
/// own, so that a long list takes turns with the store's other calls.
/// </summary>
internal sealed class AccountApi(VendorPipeline pipeline, AccountShape shape) : IAccountApi
{
    /// <summary>With 1 000 buckets each: ten times the largest quota of an account that any vendor is known to set
    /// without being asked.</summary>
    internal const int MaxPages = 100;

    public async Task<ImmutableArray<ListedBucket>> ListBucketsAsync(
        StoreAddress store,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        if (store.Addressing == Addressing.CName)
            throw new VendorException(OneBucketOnly);
        var document = new BucketListDocument(shape, store);
        var found = new SortedDictionary<string, BucketPlace>(StringComparer.Ordinal);
        var begins = new List<string>();
        for (var pages = 0; pages < MaxPages; pages++)
        {
            var request = new AccountRequest(AnswerContext.List, shape.Page(store, begins.LastOrDefault()), document);
            var root = await ReadAsync(store, key, request, cancellationToken);
            var page = root is null ? null : document.Read(root);
            foreach (var bucket in page?.Buckets ?? throw new InvalidOperationException("a list without a document"))
            {
                if (!found.TryAdd(bucket.Name, bucket.Place) && found[bucket.Name] != bucket.Place)
                    throw new VendorException(Unreadable("The list has a bucket twice, at two places."));
            }
            if (page.Next is not { } next)
                return [.. found.Select(b => new ListedBucket(b.Key, b.Value))];
            if (shape.Paging?.Advances(begins, next) != true)
                throw new VendorException(Unreadable("The list's next page begins where it has begun before."));
            begins.Add(next);
        }
        throw new VendorException(Unreadable($"The list has more than {MaxPages} pages."));
    }

    public async Task<BucketPlace> LocateAsync(BucketAddress bucket, AccessKey key, CancellationToken cancellationToken)
    {
        var document = new LocationDocument(shape, bucket);
        try
        {
            var request = new AccountRequest(AnswerContext.Locate, Resource.Location, document);
            return await ReadAsync(bucket, key, request, cancellationToken) is { } root
                ? document.Read(root)
                : throw new InvalidOperationException("a place without a document");
        }
        catch (VendorException e) when (IsElsewhere(e.Failure))
        {
            return BucketPlace.Elsewhere;
        }
    }

    public async Task<ImmutableDictionary<string, string>> GetTagsAsync(
        BucketAddress bucket,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        var request = new AccountRequest(AnswerContext.GetTags, Resource.Tagging, new TaggingDocument());
        return await ReadAsync(bucket, key, request, cancellationToken) is { } root
            ? TaggingDocument.Read(root) ?? throw new InvalidOperationException("tags that were understood")
            : ImmutableDictionary<string, string>.Empty;
    }

    /// <returns>The document, understood as a whole; null for no tags.</returns>
    private async Task<XElement?> ReadAsync(
        VendorAddress address,
        AccessKey key,
        AccountRequest request,
        CancellationToken cancellationToken
    )
    {
        using var call = await pipeline.AdmitAsync(
            new CallContext(address, key, requests: 1) { Operation = request.Operation },
            cancellationToken
        );
        var answer = await pipeline.SendAsync(
            new CallRequest(call, HttpMethod.Get, request.Operation)
            {
                Resource = request.Resource,
                Expected = request.Document,
            },
            cancellationToken
        );
        return answer.Error is { } error ? throw new VendorException(error) : answer.Document;
    }

    /// <summary>The vendor itself names another endpoint. A gateway's redirect says nothing about the bucket.</summary>
    private static bool IsElsewhere(Failure failure) =>
        failure
            is {
                IsVendorAnswer: true,
                HttpStatus: (int)HttpStatusCode.MovedPermanently or (int)HttpStatusCode.TemporaryRedirect
            };

    private static Failure Unreadable(string message) =>
        new(Reasons.UnreadableAnswer, AnswerContext.List)
        {
            HttpStatus = (int)HttpStatusCode.OK,
            Message = message,
            Hint = "Compare with the list of the vendor's own tool, and report it as a bug of the operator's.",
        };

    private static Failure OneBucketOnly =>
        new(Reasons.InvalidSpec, AnswerContext.List)
        {
            Message = "The store's endpoint is a name of one bucket, and no list of buckets is there.",
            Hint = "Name the bucket, or use a store with the region's endpoint.",
            NotSent = true,
        };

    private sealed record AccountRequest(string Operation, Resource Resource, IAccountDocument Document);
}
