using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Signing;

/// <summary>What protects a body where the platform does not offer MD5.</summary>
internal enum WithoutMd5
{
    /// <summary>The vendor's header with a SHA-256.</summary>
    Sha256Header,

    /// <summary>The signature, which covers a hash of the body.</summary>
    Signature,

    /// <summary>TLS, and nothing besides: plain http is refused.</summary>
    Tls,
}

/// <summary>
/// The header by which a vendor checks that a body has arrived complete: Content-MD5, which all vendors and old servers
/// know. A host in FIPS mode may refuse MD5; another protection is used then.
/// </summary>
/// <param name="md5">
/// Throws <see cref="CryptographicException"/> or <see cref="PlatformNotSupportedException"/> where the platform does
/// not compute it.
/// </param>
internal sealed class BodyChecksum(Func<byte[], byte[]> md5, WithoutMd5 otherwise)
{
    private const string Operation = "PutBucketEncryption";

    [SuppressMessage(
        "Security",
        "CA5351:Do not use broken cryptographic algorithms",
        Justification = "Content-MD5 is the vendors' integrity check, not a defence."
    )]
    public BodyChecksum(WithoutMd5 otherwise)
        : this(MD5.HashData, otherwise) { }

    /// <returns>At most one header.</returns>
    /// <exception cref="VendorException">Refused: nothing would protect the body.</exception>
    public IEnumerable<KeyValuePair<string, string>> Headers(byte[] body, Uri target)
    {
        if (Md5Of(body) is { } hash)
            return [new("content-md5", Convert.ToBase64String(hash))];
        return otherwise switch
        {
            WithoutMd5.Sha256Header => [new("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData(body)))],
            WithoutMd5.Tls when target.Scheme != Uri.UriSchemeHttps => throw new VendorException(NotProtected),
            _ => [],
        };
    }

    private static Failure NotProtected =>
        new(Reasons.Md5NotAvailable, Operation)
        {
            Message =
                "This host does not compute MD5 (FIPS mode), and without it nothing protects the body on plain http.",
            Hint = "Use an https endpoint, or run the operator on a host that is not in FIPS mode.",
        };

    private byte[]? Md5Of(byte[] body)
    {
        try
        {
            return md5(body);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            return null;
        }
    }
}
