using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>A vendor call that did not succeed, already named.</summary>
internal sealed class VendorException(Failure failure)
    : Exception($"{failure.Operation}: {failure.Code} ({failure.Kind})")
{
    public Failure Failure => failure;

    /// <summary>
    /// The write guard refused the request, or cut its time short: the failure says nothing about the endpoint.
    /// </summary>
    public bool IsOfWriteGuard { get; init; }
}
