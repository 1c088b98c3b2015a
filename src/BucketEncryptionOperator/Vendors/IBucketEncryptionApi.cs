using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>
/// The three operations on one bucket's default encryption. Reading changes nothing, and all three may be repeated.
/// Every failure is a <see cref="VendorException"/>; "not configured" is a value.
/// </summary>
internal interface IBucketEncryptionApi
{
    Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken);

    /// <param name="basis">What was read: the request keeps of it what <paramref name="target"/> does not cover.</param>
    Task PutAsync(BucketAddress address, AccessKey key, BucketEncryption target, Observation basis, CancellationToken cancellationToken);

    Task DeleteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken);
}

/// <summary>A vendor call that did not succeed, already named.</summary>
internal sealed class VendorException(Failure failure) : Exception($"{failure.Operation}: {failure.Code} ({failure.Kind})")
{
    public Failure Failure => failure;
}
