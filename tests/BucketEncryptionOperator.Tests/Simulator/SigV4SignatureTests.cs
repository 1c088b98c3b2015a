using System.Collections.Immutable;
using ObjectStoreSimulator;
using ObjectStoreSimulator.S3;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// The simulator's Signature V4 against the four examples of AWS's S3 API reference, "Signature calculations for the
/// Authorization header", byte for byte.
/// </summary>
public sealed class SigV4SignatureTests
{
    private const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData(
        "GET object",
        "GET",
        "/test.txt",
        $"range=bytes=0-9|x-amz-content-sha256={Empty}|x-amz-date=20130524T000000Z",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )]
    [InlineData(
        "PUT object",
        "PUT",
        "/test%24file.text",
        "date=Fri, 24 May 2013 00:00:00 GMT|"
            + "x-amz-content-sha256=44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072|"
            + "x-amz-date=20130524T000000Z|x-amz-storage-class=REDUCED_REDUNDANCY",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )]
    [InlineData(
        "GET ?lifecycle (AWS-V4-1)",
        "GET",
        "/?lifecycle",
        $"x-amz-content-sha256={Empty}|x-amz-date=20130524T000000Z",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )]
    [InlineData(
        "GET list",
        "GET",
        "/?max-keys=2&prefix=J",
        $"x-amz-content-sha256={Empty}|x-amz-date=20130524T000000Z",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )]
    public void It_is_as_published(string vector, string method, string target, string headerPairs, string signature)
    {
        const string Host = "examplebucket.s3.amazonaws.com";
        ImmutableSortedDictionary<string, string> headers = $"host={Host}|{headerPairs}"
            .Split('|')
            .Select(pair => pair.Split('=', 2))
            .ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        SigV4Scope scope = new("20130524", "us-east-1", "s3");

        string canonical = SigV4Signature.CanonicalRequest(
            new StoreRequest(method, Host, target, headers, ReadOnlyMemory<byte>.Empty, BodyTooLarge: false),
            StoreAddress.Parse(S3Hosts.Rules, Host, target),
            [.. headers.Keys]
        );

        string built = SigV4Signature.Sign(
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            scope,
            SigV4Signature.StringToSign("20130524T000000Z", scope, canonical)
        );
        Assert.Equal((vector, signature), (vector, built));
    }

    [Theory]
    [InlineData(
        "as it is",
        "AWS4-HMAC-SHA256 Credential=ak/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, "
            + "Signature=0f",
        true
    )]
    [InlineData(
        "without spaces after the commas",
        "AWS4-HMAC-SHA256 Credential=ak/20261121/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=0f",
        true
    )]
    [InlineData("another scheme", "AWS ak:c2ln", false)]
    [InlineData(
        "no signature",
        "AWS4-HMAC-SHA256 Credential=ak/20261121/us-east-1/s3/aws4_request, SignedHeaders=host",
        false
    )]
    [InlineData("no headers", "AWS4-HMAC-SHA256 Credential=ak/20261121/us-east-1/s3/aws4_request, Signature=0f", false)]
    [InlineData(
        "a scope without region",
        "AWS4-HMAC-SHA256 Credential=ak/20261121/s3/aws4_request, SignedHeaders=host, Signature=0f",
        false
    )]
    [InlineData(
        "a part twice",
        "AWS4-HMAC-SHA256 Signature=0f, Credential=ak/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, "
            + "Signature=0f",
        false
    )]
    public void An_authorization_is_read_or_not(string what, string header, bool readable)
    {
        SigV4Claim? claim = SigV4Claim.Parse(header);

        Assert.Equal((what, readable), (what, claim is not null));
        Assert.True(
            claim is null
                || (claim.AccessKeyId, claim.Scope, claim.Signature)
                    == ("ak", new SigV4Scope("20261121", "us-east-1", "s3"), "0f")
        );
    }
}
