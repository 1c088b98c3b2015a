using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Alibaba;

namespace BucketEncryptionOperator.Tests.Vendors.Alibaba;

/// <summary>The example of Alibaba Cloud's page on the RPC signature, byte for byte.</summary>
public sealed class RpcSignerTests
{
    private static readonly AccessKey Example = new("testid", "testsecret", SecurityToken: null);

    private static readonly KeyValuePair<string, string>[] Common =
    [
        new("AccessKeyId", "testid"),
        new("SignatureMethod", "HMAC-SHA1"),
        new("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
        new("SignatureVersion", "1.0"),
        new("Timestamp", "2016-02-23T12:46:24Z"),
    ];

    [Fact]
    public void Sign_gives_the_published_signature() =>
        Assert.Equal(
            "OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
            RpcSigner.Sign(
                HttpMethod.Get,
                [.. Common, new("Version", "2014-05-26"), new("Format", "XML"), new("Action", "DescribeRegions")],
                Example
            )
        );

    /// <summary>Calculated, not published: by code that gives the published signature, too.</summary>
    [Fact]
    public void Sign_gives_the_calculated_signature_of_a_form_with_letters_that_are_encoded() =>
        Assert.Equal(
            "mKcJfd/jd4mdSOYEWFS3fqY0nBY=",
            RpcSigner.Sign(
                HttpMethod.Post,
                [
                    .. Common,
                    new("Version", "2015-04-01"),
                    new("Format", "JSON"),
                    new("Action", "AssumeRole"),
                    new("RoleArn", "acs:ram::1:role/r"),
                    new("ExternalId", "x/1"),
                    new("RoleSessionName", "s-1"),
                    new("DurationSeconds", "3600"),
                ],
                Example
            )
        );

    [Fact]
    public void The_text_that_is_signed_is_encoded_twice() =>
        Assert.Equal(
            "POST&%2F&A%3D%252A%2520~%252F%26KeyId%3Dalias%252Fa",
            RpcSigner.StringToSign(HttpMethod.Post, [new("KeyId", "alias/a"), new("A", "* ~/")])
        );
}
