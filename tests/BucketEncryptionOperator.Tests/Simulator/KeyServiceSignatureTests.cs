using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using ObjectStoreSimulator;
using ObjectStoreSimulator.KeyServices;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// The signatures of the simulated key services against the vendors' published examples, byte for byte. AWS KMS has
/// Signature V4, whose examples are in <see cref="SigV4SignatureTests"/>.
/// </summary>
public sealed class KeyServiceSignatureTests
{
    private static readonly HostRules Anywhere = new(
        [],
        new Regex("^$", RegexOptions.None, TimeSpan.FromSeconds(1)),
        true
    );

    /// <summary>Alibaba Cloud help, "RPC signature": DescribeRegions.</summary>
    [Theory]
    [InlineData("as published", "Timestamp", "OLeaidS1JvxuMvnyHOwuJ+uX5qY=")]
    [InlineData("the name spelled in an older way", "TimeStamp", "CT9X0VtwR86fNWSnsc6v8YGOjuE=")]
    public void An_RPC_request_is_signed_as_published(string sentence, string timestamp, string signature)
    {
        ILookup<string, string> parameters = (
            "Action=DescribeRegions&Format=XML&Version=2014-05-26&AccessKeyId=testid&SignatureMethod=HMAC-SHA1&"
            + $"SignatureVersion=1.0&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&{timestamp}="
            + "2016-02-23T12:46:24Z&Signature=is+left+out"
        )
            .Split('&')
            .Select(pair => pair.Split('=', 2))
            .ToLookup(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

        string right = RpcSignature.Sign("testsecret", RpcSignature.StringToSign("GET", parameters));

        Assert.True(signature == right, $"{sentence}: {right}");
    }

    /// <summary>Alibaba Cloud help, "V3 request signature" and its twin for ROA: RunInstances.</summary>
    [Theory]
    [InlineData(
        "2023-10-26T10:22:32Z",
        "3156853299f313e23d1673dc12e1703d",
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )]
    [InlineData(
        "2023-10-26T09:01:01Z",
        "d410180a5abf7fe235dd9b74aca91fc0",
        "e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804"
    )]
    public void An_ACS3_request_is_signed_as_published(string date, string nonce, string signature)
    {
        const string Target = "/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai";
        (StoreRequest request, StoreAddress address) = Make(
            "POST",
            "ecs.cn-shanghai.aliyuncs.com",
            Target,
            "",
            "x-acs-action=RunInstances",
            "x-acs-version=2014-05-26",
            "x-acs-content-sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            $"x-acs-date={date}",
            $"x-acs-signature-nonce={nonce}"
        );

        string canonical = Acs3Signature.CanonicalRequest(request, address, [.. request.Headers.Keys]);

        Assert.Equal(signature, Acs3Signature.Sign("YourAccessKeySecret", canonical));
    }

    /// <summary>
    /// Huawei Cloud, "Signing API requests"; and the test of its SDK, whose body ends in a line feed.
    /// </summary>
    [Theory]
    [InlineData(
        "GET",
        "service.region.example.com",
        "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        "",
        "20191115T033655Z",
        "content-type;host;x-sdk-date",
        "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    )]
    [InlineData(
        "POST",
        "example.com",
        "/path?key=value",
        "{\"Name\":\"test\",\"Id\":1}\n",
        "20060102T150405Z",
        "x-sdk-date",
        "SecretKey",
        "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59"
    )]
    public void A_request_to_Huawei_Cloud_is_signed_as_published(
        string method,
        string host,
        string target,
        string body,
        string date,
        string signedHeaders,
        string secret,
        string signature
    )
    {
        (StoreRequest request, StoreAddress address) = Make(
            method,
            host,
            target,
            body,
            "content-type=application/json",
            $"x-sdk-date={date}"
        );

        string canonical = HuaweiAuthorization.CanonicalRequest(request, address, [.. signedHeaders.Split(';')]);

        Assert.Equal(signature, HuaweiAuthorization.Sign(secret, date, canonical));
    }

    /// <summary>The test of JD Cloud's signer for C++.</summary>
    [Fact]
    public void A_request_to_JD_Cloud_is_signed_as_published()
    {
        (StoreRequest request, StoreAddress address) = Make(
            "GET",
            "vm.cn-north-1.jdcloud.net",
            "/",
            "",
            "x-jdcloud-date=20090213T233130Z",
            "x-jdcloud-nonce=uuid"
        );

        string canonical = JDCloudAuthorization.CanonicalRequest(request, address, [.. request.Headers.Keys]);

        Assert.Equal(
            "43a76892222031f847c00c56cac8d4d2dc179a4e75a37868d09a5300435f4054",
            JDCloudAuthorization.Sign(
                "sk",
                "20090213T233130Z",
                new SigV4Scope("20090213", "cn-north-1", "vm"),
                canonical
            )
        );
    }

    [Theory]
    [InlineData("another scheme", "HMAC Credential=ak,SignedHeaders=host,Signature=00")]
    [InlineData("no id", "ACS3-HMAC-SHA256 SignedHeaders=host,Signature=00")]
    [InlineData("an empty id", "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=00")]
    [InlineData("a part twice", "ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=host,Signature=00")]
    [InlineData("a part without a name", "ACS3-HMAC-SHA256 Credential=a,=b,SignedHeaders=host,Signature=00")]
    [InlineData("nothing", null)]
    public void What_claims_nothing(string sentence, string? header) =>
        Assert.True(HmacClaim.Parse(header, Acs3Signature.Algorithm, "Credential") is null, sentence);

    private static (StoreRequest Request, StoreAddress Address) Make(
        string method,
        string host,
        string target,
        string body,
        params string[] headers
    ) =>
        (
            new StoreRequest(
                method,
                host,
                target,
                headers
                    .Append($"host={host}")
                    .Select(pair => pair.Split('=', 2))
                    .ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal),
                Encoding.UTF8.GetBytes(body),
                BodyTooLarge: false
            ),
            StoreAddress.Parse(Anywhere, host, target)
        );
}
