using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>
/// The account whose buckets an <see cref="InMemoryVendor"/> has: lists them, with places and tags, and faults at
/// chosen calls. A key that the vendor does not accept lists nothing.
/// </summary>
internal sealed class InMemoryAccount(InMemoryVendor vendor) : IAccountApi
{
    public const string List = "ListBuckets";
    public const string Location = "GetBucketLocation";
    public const string Tagging = "GetBucketTagging";

    private readonly Lock _gate = new();
    private readonly List<VendorCall> _calls = [];

    /// <summary>Buckets of the account that are in another region; the vendor in memory does not have them.</summary>
    public HashSet<string> Elsewhere { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, ImmutableDictionary<string, string>> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>The list does not say where a bucket is, and it has to be asked.</summary>
    public bool HidesPlaces { get; set; }

    /// <summary>Leaves buckets out of the list, silently.</summary>
    public Func<string, AccessKey, bool> Hides { get; set; } = (_, _) => false;

    /// <summary>From a call, why it fails; null where it does not. The bucket of a list is empty.</summary>
    public Func<VendorCall, Failure?> Faults { get; set; } = _ => null;

    public IReadOnlyList<VendorCall> Calls
    {
        get
        {
            lock (_gate)
                return [.. _calls];
        }
    }

    public int Lists => Calls.Count(c => c.Operation == List);

    public async Task<ImmutableArray<ListedBucket>> ListBucketsAsync(
        StoreAddress store,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        await CallAsync(new VendorCall(List, ""), key, cancellationToken);
        return
        [
            .. vendor
                .Names.Select(b => (Name: b, Place: BucketPlace.Here))
                .Concat(Elsewhere.Select(b => (Name: b, Place: BucketPlace.Elsewhere)))
                .Where(b => !Hides(b.Name, key))
                .OrderBy(b => b.Name, StringComparer.Ordinal)
                .Select(b => new ListedBucket(b.Name, HidesPlaces ? BucketPlace.Unknown : b.Place)),
        ];
    }

    public async Task<BucketPlace> LocateAsync(BucketAddress bucket, AccessKey key, CancellationToken cancellationToken)
    {
        await CallAsync(new VendorCall(Location, bucket.Bucket), key, cancellationToken);
        return Elsewhere.Contains(bucket.Bucket) ? BucketPlace.Elsewhere : BucketPlace.Here;
    }

    public async Task<ImmutableDictionary<string, string>> GetTagsAsync(
        BucketAddress bucket,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        await CallAsync(new VendorCall(Tagging, bucket.Bucket), key, cancellationToken);
        return Tags.GetValueOrDefault(bucket.Bucket, ImmutableDictionary<string, string>.Empty);
    }

    private async Task CallAsync(VendorCall call, AccessKey key, CancellationToken cancellationToken)
    {
        await Task.Yield(); // callers must not rely on an answer in the same breath
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
            _calls.Add(call);
        if (Faults(call) is { } failure)
            throw new VendorException(failure with { Operation = call.Operation });
        if (vendor.GoodSecret is { } good && key.Secret != good)
            throw new VendorException(
                new Failure(FailureKind.Denied, call.Operation, "SignatureDoesNotMatch")
                {
                    HttpStatus = 403,
                    ConcernsCredentials = true,
                    IsVendorAnswer = true,
                }
            );
    }
}
