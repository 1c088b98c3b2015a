using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Huawei;

namespace BucketEncryptionOperator.Tests.Vendors.Huawei;

/// <summary>
/// The examples of Huawei Cloud's signing guide and of its SDK's tests, byte for byte; the last one is calculated, by
/// code that gives the other two.
/// </summary>
public sealed class SdkSignerTests
{
    private const string GuideSecret = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";

    [Theory]
    [InlineData(
        "the guide",
        GuideSecret,
        "GET",
        "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
        "limit=2|marker=13551d6b-755d-4757-b956-536f674975c0",
        "content-type=application/json|host=service.region.example.com",
        "",
        "20191115T033655Z",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    )]
    [InlineData(
        "the SDK's test",
        "SecretKey",
        "POST",
        "/path",
        "key=value",
        "",
        "{\"Name\":\"test\",\"Id\":1}\n",
        "20060102T150405Z",
        "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59"
    )]
    [InlineData(
        "calculated: a key",
        GuideSecret,
        "POST",
        "/v1.0/p1/kms/describe-key",
        "",
        "host=kms.cn-north-4.myhuaweicloud.com",
        "{\"key_id\":\"0d0466b0-e727-4d9c-b35d-f84bb474a37f\"}",
        "20191115T033655Z",
        "43911d498cb0b92a6a344108dbba35a3570d390a21a3a6e5830b121131d3f29f"
    )]
    public void Authorize_gives_the_published_signature(
        string vector,
        string secret,
        string method,
        string path,
        string query,
        string headers,
        string body,
        string date,
        string signature
    )
    {
        KeyValuePair<string, string>[] signed = [.. Pairs(headers), new(SdkSigner.DateHeader, date)];

        var authorization = SdkSigner.Authorize(
            new SdkSignerInput(method, path, Pairs(query), signed, Encoding.UTF8.GetBytes(body)),
            new AccessKey("AK", secret, SecurityToken: null),
            date
        );

        var names = string.Join(';', signed.Select(h => h.Key.ToLowerInvariant()).Order(StringComparer.Ordinal));
        Assert.True(
            $"SDK-HMAC-SHA256 Access=AK, SignedHeaders={names}, Signature={signature}" == authorization,
            $"{vector}: {authorization}"
        );
    }

    private static KeyValuePair<string, string>[] Pairs(string text) =>
        [
            .. text.Split('|', StringSplitOptions.RemoveEmptyEntries)
                .Select(p => p.Split('=', 2))
                .Select(p => KeyValuePair.Create(p[0], p[1])),
        ];
}
