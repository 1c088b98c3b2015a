using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.JDCloud;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Tests.Vendors.Signing;

/// <summary>
/// A host in FIPS mode may refuse to compute MD5. A put then goes another way, or says what is wrong; it is never a bug
/// of ours.
/// </summary>
public sealed class BodyChecksumTests
{
    private const string Body = "<Rule/>";

    private static readonly BucketAddress Https = new(
        "b-one",
        new Uri("https://store.example"),
        "cn-x",
        Addressing.Path,
        VendorOptions.None
    );

    public static TheoryData<Exception> Refusals =>
        [new CryptographicException("unsupported"), new PlatformNotSupportedException()];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Without_MD5_S3_gets_a_signed_SHA_256(Exception refusal)
    {
        var text = await PutAsync(new S3Dialect(Without(refusal, WithoutMd5.Sha256Header)), Https);

        Assert.Contains(
            $"x-amz-checksum-sha256: {Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Body)))}\n",
            text,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "SignedHeaders=content-type;host;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date,",
            text,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("content-md5", text, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Without_MD5_JD_Cloud_has_the_hash_that_its_signature_covers(Exception refusal)
    {
        var text = await PutAsync(new JDCloudDialect(Without(refusal, WithoutMd5.Signature)), Https);

        Assert.Contains(
            "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date,",
            text,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("content-md5", text, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Without_MD5_OSS_relies_on_TLS(Exception refusal)
    {
        var text = await PutAsync(new OssDialect(Without(refusal, WithoutMd5.Tls)), Https);

        Assert.Contains("Authorization: OSS4-HMAC-SHA256 ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("content-md5", text, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Without_MD5_and_TLS_a_put_to_OSS_is_refused_in_words_that_name_FIPS(Exception refusal)
    {
        var dialect = new OssDialect(Without(refusal, WithoutMd5.Tls));
        var plain = Https with { Endpoint = new Uri("http://store.example") };

        var thrown = Assert.Throws<VendorException>(() =>
            dialect.Sign(
                new UnsignedRequest(HttpMethod.Put, plain, Resource.Encryption, Dialects.Key, Body, Dialects.Now)
            )
        );

        Assert.Equal(
            (FailureKind.Refused, "PutBucketEncryption", "Md5NotAvailable"),
            (thrown.Failure.Kind, thrown.Failure.Operation, thrown.Failure.Code)
        );
        Assert.Contains("FIPS", thrown.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("https", thrown.Failure.Hint, StringComparison.Ordinal);
        using var read = dialect.Sign(
            new UnsignedRequest(HttpMethod.Get, plain, Resource.Encryption, Dialects.Key, Body: null, Dialects.Now)
        );
        Assert.Null(read.Content);
    }

    [Fact]
    public void Another_exception_is_not_taken_for_FIPS_mode() =>
        Assert.Throws<InvalidOperationException>(() =>
            Without(new InvalidOperationException(), WithoutMd5.Tls).Headers([], Https.Endpoint).Count()
        );

    private static BodyChecksum Without(Exception refusal, WithoutMd5 otherwise) => new(_ => throw refusal, otherwise);

    private static Task<string> PutAsync(IVendorDialect dialect, BucketAddress address) =>
        Dialects.TextAsync(
            dialect.Sign(
                new UnsignedRequest(HttpMethod.Put, address, Resource.Encryption, Dialects.Key, Body, Dialects.Now)
            )
        );
}
