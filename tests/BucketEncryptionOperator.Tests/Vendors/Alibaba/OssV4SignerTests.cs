using System.Globalization;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Alibaba;

namespace BucketEncryptionOperator.Tests.Vendors.Alibaba;

/// <summary>
/// Vectors that the vendor's own SDKs are tested with (V4-1 to V4-5: alibabacloud-oss-go-sdk-v2, the C# SDKs), and
/// requests recorded from ali-oss 6.23 (E1 to E3). Byte for byte.
/// </summary>
public sealed class OssV4SignerTests
{
    private const string RecordedDate = "20261121T014757Z";

    [Theory]
    [InlineData(
        "V4-1",
        1702743657,
        "cn-hangzhou",
        "oss",
        null,
        "",
        "",
        "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
    )]
    [InlineData(
        "V4-2 a token",
        1702784856,
        "cn-hangzhou",
        "oss",
        "token",
        "",
        "",
        "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"
    )]
    [InlineData(
        "V4-3 additional headers",
        1702747512,
        "cn-hangzhou",
        "oss",
        null,
        "ZAbc abc",
        "abc;zabc",
        "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
    )]
    [InlineData(
        "V4-4 additional ones that are not sent, or signed anyway",
        1702747512,
        "cn-hangzhou",
        "oss",
        null,
        "x-oss-no-exist ZAbc x-oss-head1 abc",
        "abc;zabc",
        "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
    )]
    [InlineData(
        "V4-5 CloudBox",
        1702743657,
        "cb-123",
        "oss-cloudbox",
        null,
        "",
        "",
        "94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43"
    )]
    public void Authorize_gives_the_published_signature(
        string vector,
        long unixTime,
        string region,
        string product,
        string? token,
        string additional,
        string signedAdditional,
        string signature
    )
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(unixTime);
        var date = OssV4Signer.FormatDate(time);

        var header = OssV4Signer.Authorize(
            Published(date, token, additional),
            new AccessKey("ak", "sk", token),
            date,
            region,
            product
        );

        var names = signedAdditional.Length == 0 ? "" : $",AdditionalHeaders={signedAdditional}";
        var day = time.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        Assert.True(
            $"OSS4-HMAC-SHA256 Credential=ak/{day}/{region}/{product}/aliyun_v4_request{names},Signature={signature}"
                == header,
            $"{vector}: {header}"
        );
    }

    [Theory]
    [InlineData("E1 PUT", "PUT", null, true, "3aea7745812907ba8215a3e301a9c92123e7bc04b0a8ddacbd968bf6a17ba1d4")]
    [InlineData("E2 GET", "GET", null, false, "a7ceb0f0e0ae25b0e354486f1d7642f38a76e4b88d539f393bf0cd899b699d73")]
    [InlineData(
        "E3 DELETE with a token",
        "DELETE",
        "tok",
        false,
        "111eed6d78f17d89648acb60ddbed82ae052f0bf216a7768c955955ce52be832"
    )]
    public void Authorize_gives_the_recorded_signature(
        string vector,
        string method,
        string? token,
        bool body,
        string signature
    )
    {
        List<KeyValuePair<string, string>> headers =
        [
            new("x-oss-date", RecordedDate),
            new("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        if (token is not null)
            headers.Add(new("x-oss-security-token", token));
        if (body)
            headers.AddRange([new("content-type", "application/xml"), new("content-md5", "DicE9DIiaL0g0jp0/ih4+w==")]);
        var input = new OssCanonicalInput(method, "b-one", "", [new("encryption", "")], headers, []);

        var header = OssV4Signer.Authorize(input, new AccessKey("ak", "sk", token), RecordedDate, "cn-hangzhou", "oss");

        Assert.True(
            $"OSS4-HMAC-SHA256 Credential=ak/20261121/cn-hangzhou/oss/aliyun_v4_request,Signature={signature}"
                == header,
            $"{vector}: {header}"
        );
    }

    [Fact]
    public void CanonicalRequest_is_the_published_text()
    {
        var text = OssV4Signer.CanonicalRequest(Published("20231216T162057Z", token: null, additional: ""));

        Assert.Equal(
            "PUT\n/bucket/1234%2B-/123/1.txt\n%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2"
                + "&param1=value1&param2\ncontent-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n"
                + "x-oss-date:20231216T162057Z\nx-oss-head1:value\n\n\nUNSIGNED-PAYLOAD",
            text
        );
    }

    [Theory]
    [InlineData("a bare name and an empty value are the same", null)]
    [InlineData("a bare name and an empty value are the same", "")]
    public void CanonicalRequest_of_a_bucket_ends_in_a_slash_and_drops_the_equals_sign(string sentence, string? value)
    {
        var text = OssV4Signer.CanonicalRequest(
            new OssCanonicalInput("GET", "b-one", "", [new("encryption", value)], [], [])
        );

        Assert.True(text == "GET\n/b-one/\nencryption\n\n\nUNSIGNED-PAYLOAD", sentence);
    }

    [Fact]
    public void FormatDate_is_in_UTC() =>
        Assert.Equal(
            "20261121T014757Z",
            OssV4Signer.FormatDate(new DateTimeOffset(2026, 11, 21, 9, 47, 57, 999, TimeSpan.FromHours(8)))
        );

    private static OssCanonicalInput Published(string date, string? token, string additional)
    {
        List<KeyValuePair<string, string>> headers =
        [
            new("x-oss-head1", "value"),
            new("abc", "value"),
            new("ZAbc", "value"),
            new("XYZ", "value"),
            new("content-type", "text/plain"),
            new("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
            new("x-oss-date", date),
        ];
        if (token is not null)
            headers.Add(new("x-oss-security-token", token));
        return new OssCanonicalInput(
            "PUT",
            "bucket",
            "1234+-/123/1.txt",
            [
                new("param1", "value1"),
                new("+param1", "value3"),
                new("|param1", "value4"),
                new("+param2", null),
                new("|param2", null),
                new("param2", null),
            ],
            headers,
            additional.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );
    }
}
