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

    /// <param name="document">From <see cref="Write"/> or <see cref="Repeat"/>.</param>
    Task PutAsync(BucketAddress address, AccessKey key, string document, CancellationToken cancellationToken);

    Task DeleteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken);

    /// <summary>The document that makes a bucket have <paramref name="target"/>, which is not none.</summary>
    /// <param name="basis">What was read: the document keeps of it what <paramref name="target"/> does not cover.</param>
    string Write(BucketEncryption target, Observation basis);

    /// <summary>The document that makes a bucket have the very same again; null where nothing is configured.</summary>
    string? Repeat(Observation observed);
}

/// <summary>A vendor call that did not succeed, already named.</summary>
internal sealed class VendorException(Failure failure) : Exception($"{failure.Operation}: {failure.Code} ({failure.Kind})")
{
    public Failure Failure => failure;
}
