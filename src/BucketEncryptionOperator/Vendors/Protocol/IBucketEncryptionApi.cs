using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// The three operations on one bucket's default encryption. Reading changes nothing, and all three may be repeated.
/// Every failure is a <see cref="VendorException"/>; "not configured" is a value.
/// </summary>
internal interface IBucketEncryptionApi
{
    Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Begins one write: waits for the permits of a read and of the write that follows, taken together. So the write
    /// follows the read that it is based on without another wait.
    /// </summary>
    Task<IBucketWrite> BeginWriteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken);

    /// <summary>Returns the document that gives a bucket <paramref name="target"/>, which is not <c>None</c>.</summary>
    /// <param name="basis">
    /// What was read: the document keeps what <paramref name="target"/> does not cover.
    /// </param>
    string Write(BucketEncryption target, Observation basis);

    /// <summary>Returns the document that gives a bucket the same again; null where nothing is configured.</summary>
    string? Repeat(Observation observed);
}

/// <summary>
/// One write of a bucket: one read at most, then one write at most. It occupies one of the store's slots until the
/// write has its answer or the object is disposed. Disposing returns the permits that were not used.
/// </summary>
internal interface IBucketWrite : IDisposable
{
    Task<Observation> GetAsync(CancellationToken cancellationToken);

    /// <param name="document">From <see cref="IBucketEncryptionApi.Write"/> or
    /// <see cref="IBucketEncryptionApi.Repeat"/>.</param>
    /// <param name="lastCheck">
    /// Called when the request is complete and signed, with nothing awaited between its answer and the send. If it
    /// returns a failure, nothing is sent, and the failure is thrown with <see cref="Failure.NotSent"/>. Null: send.
    /// </param>
    /// <exception cref="VendorException">Its <see cref="Failure.NotSent"/> says whether the vendor may have got the
    /// write.</exception>
    Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken);

    /// <inheritdoc cref="PutAsync"/>
    Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken);
}
