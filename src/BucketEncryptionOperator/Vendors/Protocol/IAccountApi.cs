using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// What a vendor says about the buckets of an access key's account, beyond their encryption. Nothing is changed, and
/// all calls may be repeated. Every failure is a <see cref="VendorException"/>.
/// </summary>
internal interface IAccountApi
{
    /// <summary>
    /// Lists the account's buckets, page by page until the vendor says that there are no more. A list that is not
    /// complete, or that has anything that is not understood, is a failure: nothing may be concluded from it.
    /// </summary>
    /// <returns>Each bucket once, in ascending order of names (ordinal).</returns>
    Task<ImmutableArray<ListedBucket>> ListBucketsAsync(
        StoreAddress store,
        AccessKey key,
        CancellationToken cancellationToken
    );

    /// <summary>Asks where a bucket is whose place the list did not say.</summary>
    /// <returns><see cref="BucketPlace.Here"/> or <see cref="BucketPlace.Elsewhere"/>.</returns>
    Task<BucketPlace> LocateAsync(BucketAddress bucket, AccessKey key, CancellationToken cancellationToken);

    /// <summary>Reads a bucket's tags. "No tags" is an empty result.</summary>
    Task<ImmutableDictionary<string, string>> GetTagsAsync(
        BucketAddress bucket,
        AccessKey key,
        CancellationToken cancellationToken
    );
}

/// <summary>Where a listed bucket is, seen from the store that was asked.</summary>
internal enum BucketPlace
{
    /// <summary>The list does not say it, and it has to be asked for each bucket.</summary>
    Unknown,

    /// <summary>In the store's own region, or at a site that has only one.</summary>
    Here,

    /// <summary>In another region of the account.</summary>
    Elsewhere,
}

/// <summary>A bucket in an account's list.</summary>
/// <param name="Name">As the vendor spells it: possibly not a name that a policy may declare.</param>
internal sealed record ListedBucket(string Name, BucketPlace Place);
