using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Tests.Vendors.Signing;

/// <summary>
/// The examples of AWS's page on signature version 4 in the Authorization header of S3, with its documented example
/// keys. Byte for byte.
/// </summary>
public sealed class SigV4SignerTests
{
    private const string Date = "20130524T000000Z";
    private const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private static readonly AccessKey Example = new(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        SecurityToken: null
    );

    [Theory]
    [InlineData(
        "GET of an object",
        "GET",
        "/test.txt",
        "",
        "range=bytes=0-9",
        "",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )]
    [InlineData(
        "PUT of an object",
        "PUT",
        "/test$file.text",
        "",
        "date=Fri, 24 May 2013 00:00:00 GMT|x-amz-storage-class=REDUCED_REDUNDANCY",
        "Welcome to Amazon S3.",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )]
    [InlineData(
        "GET ?lifecycle",
        "GET",
        "/",
        "lifecycle=",
        "",
        "",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )]
    [InlineData(
        "GET of a list",
        "GET",
        "/",
        "prefix=J|max-keys=2",
        "",
        "",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )]
    public void Authorize_gives_the_published_signature(
        string vector,
        string method,
        string path,
        string query,
        string headers,
        string payload,
        string signature
    )
    {
        var hash = SigV4Signer.HashOf(System.Text.Encoding.UTF8.GetBytes(payload));
        List<KeyValuePair<string, string>> all =
        [
            new("Host", "examplebucket.s3.amazonaws.com"),
            new(SigV4Signer.DateHeader, Date),
            new(SigV4Signer.PayloadHeader, hash),
            .. Pairs(headers),
        ];

        var authorization = SigV4Signer.Authorize(
            new SigV4Input(method, path, Pairs(query), all, hash),
            Example,
            Date,
            "us-east-1",
            SigV4Scheme.S3
        );

        var names = string.Join(';', all.Select(h => h.Key.ToLowerInvariant()).Order(StringComparer.Ordinal));
        Assert.True(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + $"SignedHeaders={names}, Signature={signature}"
                == authorization,
            $"{vector}: {authorization}"
        );
    }

    /// <summary>Calculated, not published: by code that gives AWS's examples, too.</summary>
    [Fact]
    public void Authorize_gives_the_calculated_signature_of_a_request_to_KMS()
    {
        var body = System.Text.Encoding.UTF8.GetBytes("{\"KeyId\":\"alias/a\"}");

        var authorization = SigV4Signer.Authorize(
            new SigV4Input(
                "POST",
                "/",
                [],
                [
                    new("content-type", "application/x-amz-json-1.1"),
                    new("host", "kms.us-east-1.amazonaws.com"),
                    new("x-amz-date", Date),
                    new("x-amz-target", "TrentService.DescribeKey"),
                ],
                SigV4Signer.HashOf(body)
            ),
            Example,
            Date,
            "us-east-1",
            new SigV4Scheme("kms")
        );

        Assert.EndsWith(
            "/us-east-1/kms/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
                + "Signature=278dd1313d8f5364f072921006f76e7004d43bd7fdc3c9587bf816c0e3d8daac",
            authorization,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CanonicalRequest_is_the_published_text()
    {
        var text = SigV4Signer.CanonicalRequest(
            new SigV4Input(
                "GET",
                "/",
                [new("lifecycle", "")],
                [
                    new("x-amz-date", Date),
                    new("Host", " examplebucket.s3.amazonaws.com "),
                    new("x-amz-content-sha256", EmptyHash),
                ],
                EmptyHash
            )
        );

        Assert.Equal(
            $"GET\n/\nlifecycle=\nhost:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:{EmptyHash}\n"
                + $"x-amz-date:{Date}\n\nhost;x-amz-content-sha256;x-amz-date\n{EmptyHash}",
            text
        );
    }

    /// <summary>Computed by code that gives the published ones.</summary>
    [Fact]
    public void Another_service_has_another_scope_and_another_key()
    {
        var hash = SigV4Signer.HashOf("Action=AssumeRole&Version=2011-06-15"u8.ToArray());

        var authorization = SigV4Signer.Authorize(
            new SigV4Input(
                "POST",
                "/",
                [],
                [
                    new("content-type", "application/x-www-form-urlencoded"),
                    new("host", "sts.us-east-1.amazonaws.com"),
                    new("x-amz-date", Date),
                ],
                hash
            ),
            Example,
            Date,
            "us-east-1",
            new SigV4Scheme("sts")
        );

        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/sts/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date, "
                + "Signature=d3093328395a73cbb6b953e099250a44dcc01efde534e281473e08b599b0d6ce",
            authorization
        );
    }

    [Fact]
    public void HashOf_nothing_is_the_published_one() => Assert.Equal(EmptyHash, SigV4Signer.HashOf([]));

    [Fact]
    public void FormatDate_is_in_UTC() =>
        Assert.Equal(
            "20261121T014757Z",
            SigV4Signer.FormatDate(new DateTimeOffset(2026, 11, 21, 9, 47, 57, 999, TimeSpan.FromHours(8)))
        );

    private static KeyValuePair<string, string>[] Pairs(string text) =>
        [
            .. text.Split('|', StringSplitOptions.RemoveEmptyEntries)
                .Select(p => p.Split('=', 2))
                .Select(p => KeyValuePair.Create(p[0], p[1])),
        ];
}
