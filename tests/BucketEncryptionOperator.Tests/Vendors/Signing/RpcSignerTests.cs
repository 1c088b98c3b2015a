using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Tests.Vendors.Signing;

/// <summary>
/// The example of Alibaba Cloud's page on signatures of RPC style APIs, and one of AssumeRole that was computed by code
/// that gives the published one.
/// </summary>
public sealed class RpcSignerTests
{
    private static readonly KeyValuePair<string, string>[] Common =
    [
        new("AccessKeyId", "testid"),
        new("SignatureMethod", "HMAC-SHA1"),
        new("SignatureVersion", "1.0"),
        new("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
        new("Timestamp", "2016-02-23T12:46:24Z"),
    ];

    [Fact]
    public void The_published_example() =>
        Assert.Equal(
            "OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
            RpcSigner.Sign(
                "GET",
                [.. Common, new("Action", "DescribeRegions"), new("Format", "XML"), new("Version", "2014-05-26")],
                "testsecret"
            )
        );

    [Fact]
    public void A_role_with_an_external_id() =>
        Assert.Equal(
            "mKcJfd/jd4mdSOYEWFS3fqY0nBY=",
            RpcSigner.Sign(
                "POST",
                [
                    .. Common,
                    new("Action", "AssumeRole"),
                    new("Format", "JSON"),
                    new("Version", "2015-04-01"),
                    new("RoleArn", "acs:ram::1:role/r"),
                    new("ExternalId", "x/1"),
                    new("RoleSessionName", "s-1"),
                    new("DurationSeconds", "3600"),
                ],
                "testsecret"
            )
        );

    [Fact]
    public void A_query_has_the_parameters_of_the_form_in_its_signature_only()
    {
        var query = RpcSigner
            .Query(
                [new("Action", "AssumeRole"), new("Format", "JSON"), new("Version", "2015-04-01")],
                [
                    new("RoleArn", "acs:ram::1:role/r"),
                    new("ExternalId", "x/1"),
                    new("RoleSessionName", "s-1"),
                    new("DurationSeconds", "3600"),
                ],
                new("testid", "testsecret", SecurityToken: null),
                new DateTimeOffset(2016, 2, 23, 12, 46, 24, TimeSpan.Zero),
                "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"
            )
            .ToDictionary(StringComparer.Ordinal);

        Assert.Equal("mKcJfd/jd4mdSOYEWFS3fqY0nBY=", query["Signature"]);
        Assert.DoesNotContain("RoleArn", query.Keys);
        Assert.DoesNotContain("SecurityToken", query.Keys);
    }
}
