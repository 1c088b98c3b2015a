using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What a dialect makes a request from.</summary>
/// <param name="Now">The time that the vendor's clock is taken to show.</param>
internal sealed record UnsignedRequest(
    HttpMethod Method,
    VendorAddress Address,
    Resource Resource,
    AccessKey Key,
    string? Body,
    DateTimeOffset Now
)
{
    /// <summary>A text that no other request has, for signatures with one.</summary>
    public string Nonce { get; init; } = "";
}

/// <summary>Makes requests. Pure: the same arguments give the same request.</summary>
internal interface IRequestSigner
{
    /// <summary>Returns the complete, signed request.</summary>
    HttpRequestMessage Sign(UnsignedRequest request);
}

/// <summary>
/// What differs between vendors that all have the same operations. Pure: the same arguments give the same
/// request.
/// </summary>
internal interface IVendorDialect : IRequestSigner
{
    EncryptionDocument Document { get; }

    ErrorTable Errors { get; }

    AccountShape Account { get; }

    /// <summary>
    /// Whether the store that gave this answer is known to have no KMS key of its own, so that KMS without a named key
    /// does not work.
    /// </summary>
    bool NeedsNamedKey(VendorResponse answer) => false;

    /// <summary>
    /// Whether the store that gave this answer is known to refuse uploads where a bucket key is switched on beside
    /// AES256.
    /// </summary>
    bool RefusesIdleBucketKey(VendorResponse answer) => false;
}
