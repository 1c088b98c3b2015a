using System.Collections.Immutable;
using System.Text;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class OssAuthorizationTests : SimulatorTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Right_signature_is_accepted(bool v4)
    {
        StoreTestAnswer put = await Oss.PutAsync(OssTestClient.Rule("AES256"), new OssTestRequest { V4 = v4 });
        StoreTestAnswer get = await Oss.GetAsync(new OssTestRequest { V4 = v4 });
        StoreTestAnswer delete = await Oss.DeleteAsync(new OssTestRequest { V4 = v4 });

        Assert.Equal((200, 200, 204), ((int)put.Status, (int)get.Status, (int)delete.Status));
        Assert.Equal(("", ""), (put.Body, delete.Body));
        Assert.Equal("AES256", get.Element("SSEAlgorithm"));
    }

    [Fact]
    public async Task Requests_recorded_from_ali_oss_are_accepted()
    {
        ImmutableDictionary<string, string> date = ImmutableDictionary<string, string>.Empty.Add(
            "x-oss-date",
            "20261121T014757Z"
        );
        await Admin.SetAccountAsync("tmp", new SimulatedAccount("sk") { SecurityToken = "tok" });

        StoreTestAnswer get = await Oss.GetAsync(
            new OssTestRequest
            {
                Target = "/?encryption=",
                ExtraHeaders = date,
                Authorization = Recorded("ak", "a7ceb0f0e0ae25b0e354486f1d7642f38a76e4b88d539f393bf0cd899b699d73"),
            }
        );
        StoreTestAnswer delete = await Oss.DeleteAsync(
            new OssTestRequest
            {
                Target = "/?encryption=",
                ExtraHeaders = date,
                Token = "tok",
                Authorization = Recorded("tmp", "111eed6d78f17d89648acb60ddbed82ae052f0bf216a7768c955955ce52be832"),
            }
        );

        get.AssertIs(404, "NoSuchServerSideEncryptionRule");
        delete.AssertIs(204, null);

        static string Recorded(string id, string signature) =>
            $"OSS4-HMAC-SHA256 Credential={id}/20261121/cn-hangzhou/oss/aliyun_v4_request,Signature={signature}";
    }

    [Fact]
    public async Task Wrong_secret_is_refused_with_SignatureDoesNotMatch_and_the_string_that_the_server_signed()
    {
        StoreTestAnswer answer = await Oss.GetAsync(new OssTestRequest { Secret = "wrong" });

        answer.AssertIs(403, "SignatureDoesNotMatch");
        Assert.Equal("0002-00000201", answer.Ec);
        string stringToSign = answer.Element("StringToSign")!;
        Assert.StartsWith(
            "OSS4-HMAC-SHA256\n20261121T014757Z\n20261121/cn-hangzhou/oss/aliyun_v4_request\n",
            stringToSign,
            StringComparison.Ordinal
        );
        Assert.Equal(
            stringToSign,
            Encoding.UTF8.GetString(
                Convert.FromHexString(answer.Element("StringToSignBytes")!.Replace(" ", "", StringComparison.Ordinal))
            )
        );
        Assert.StartsWith("GET\n/b-one/\nencryption\n", answer.Element("CanonicalRequest"), StringComparison.Ordinal);
        Assert.Equal(64, answer.Element("SignatureProvided")!.Length);
    }

    [Fact]
    public async Task Wrong_secret_is_refused_in_V1_too()
    {
        StoreTestAnswer answer = await Oss.GetAsync(new OssTestRequest { Secret = "wrong", V4 = false });

        answer.AssertIs(403, "SignatureDoesNotMatch");
        Assert.Equal(
            "GET\n\n\nSat, 21 Nov 2026 01:47:57 GMT\nx-oss-date:Sat, 21 Nov 2026 01:47:57 GMT\n/b-one/?encryption",
            answer.Element("StringToSign")
        );
    }

    [Theory]
    [InlineData("an OSS header", "x-oss-meta-more", true)]
    [InlineData("an OSS header, V1", "x-oss-meta-more", false)]
    [InlineData("the content type", "content-type", true)]
    [InlineData("the content type, V1", "content-type", false)]
    [InlineData("the digest", "content-md5", true)]
    [InlineData("the digest, V1", "content-md5", false)]
    public async Task A_change_after_signing_is_refused(string what, string header, bool v4)
    {
        OssTestRequest request = new()
        {
            V4 = v4,
            ChangedAfterSigning = ImmutableDictionary<string, string>.Empty.Add(header, "changed"),
        };

        StoreTestAnswer answer = await Oss.PutAsync(OssTestClient.Rule("AES256"), request);

        Assert.Equal((what, 403, "SignatureDoesNotMatch"), (what, (int)answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_header_that_is_not_signed_may_change()
    {
        (
            await Oss.DeleteAsync(
                new OssTestRequest
                {
                    ChangedAfterSigning = ImmutableDictionary<string, string>.Empty.Add("user-agent", "changed"),
                }
            )
        ).AssertIs(204, null);
    }

    [Theory]
    [InlineData(15 * 60, null)]
    [InlineData(-15 * 60, null)]
    [InlineData(15 * 60 + 1, "RequestTimeTooSkewed")]
    [InlineData(-15 * 60 - 1, "RequestTimeTooSkewed")]
    public async Task A_clock_may_be_15_minutes_off(int seconds, string? code)
    {
        StoreTestAnswer answer = await Oss.DeleteAsync(new OssTestRequest { ClockOff = TimeSpan.FromSeconds(seconds) });

        answer.AssertIs(code is null ? 204 : 403, code);
        Assert.Equal(code is null ? null : "0002-00000504", answer.Ec);
    }

    [Fact]
    public async Task The_servers_clock_can_be_off_and_its_Date_header_tells()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { ClockOffsetSeconds = 3600 });

        StoreTestAnswer answer = await Oss.DeleteAsync();

        answer.AssertIs(403, "RequestTimeTooSkewed");
        Assert.Equal(Clock.GetUtcNow().AddHours(1).ToString("r"), answer.Headers["Date"]);
        (await Oss.DeleteAsync(new OssTestRequest { ClockOff = TimeSpan.FromHours(1) })).AssertIs(204, null);
    }

    [Theory]
    [InlineData("no header", "", 403, "AccessDenied", "0003-00000001")]
    [InlineData("another scheme", "Basic YWs6c2s=", 400, "InvalidArgument", "0002-00000062")]
    [InlineData("V1 without a signature", "OSS ak", 400, "InvalidArgument", "0002-00000062")]
    [InlineData(
        "V4 without a signature",
        "OSS4-HMAC-SHA256 Credential=ak/20261121/cn-hangzhou/oss/aliyun_v4_request",
        400,
        "InvalidArgument",
        "0002-00000202"
    )]
    [InlineData(
        "V4 with a wrong end of scope",
        "OSS4-HMAC-SHA256 Credential=ak/20261121/cn-hangzhou/oss/aws4_request,Signature=0",
        400,
        "InvalidArgument",
        "0002-00000213"
    )]
    [InlineData(
        "V4 with a wrong product",
        "OSS4-HMAC-SHA256 Credential=ak/20261121/cn-hangzhou/s3/aliyun_v4_request,Signature=0",
        400,
        "InvalidArgument",
        "0002-00000213"
    )]
    [InlineData(
        "V4 with spaces after commas is read",
        "OSS4-HMAC-SHA256 Credential=ak/20261121/cn-hangzhou/oss/aliyun_v4_request, AdditionalHeaders=host, "
            + "Signature=0",
        403,
        "SignatureDoesNotMatch",
        "0002-00000201"
    )]
    public async Task Authorization_that_cannot_be_read_is_refused(
        string what,
        string authorization,
        int status,
        string code,
        string ec
    )
    {
        StoreTestAnswer answer = await Oss.GetAsync(new OssTestRequest { Authorization = authorization });

        Assert.Equal((what, status, code, ec), (what, (int)answer.Status, answer.Code, answer.Ec));
    }

    [Fact]
    public async Task A_date_that_cannot_be_read_is_refused()
    {
        OssTestRequest request = new()
        {
            ExtraHeaders = ImmutableDictionary<string, string>.Empty.Add("x-oss-date", "2026-11-21"),
            Authorization = "OSS ak:c2ln",
        };

        (await Oss.GetAsync(request)).AssertIs(403, "AccessDenied");
    }

    [Theory]
    [InlineData("another region", "cn-beijing", "oss", null, "InvalidArgument", "0002-00000226")]
    [InlineData("the region with its prefix", "oss-cn-hangzhou", "oss", null, "InvalidArgument", "0002-00000226")]
    [InlineData("CloudBox's product", "cn-hangzhou", "oss-cloudbox", null, "InvalidArgument", "0002-00000213")]
    [InlineData("yesterday's scope", "cn-hangzhou", "oss", "20261120", "InvalidArgument", "0002-00000213")]
    public async Task A_right_signature_with_a_wrong_scope_is_refused(
        string what,
        string region,
        string product,
        string? date,
        string code,
        string ec
    )
    {
        StoreTestAnswer answer = await Oss.GetAsync(
            new OssTestRequest
            {
                Region = region,
                Product = product,
                ScopeDate = date,
            }
        );

        Assert.Equal((what, 400, code, ec), (what, (int)answer.Status, answer.Code, answer.Ec));
    }

    [Fact]
    public async Task A_bucket_asked_for_at_another_regions_endpoint_is_refused_with_its_own_endpoint()
    {
        await Admin.SetBucketAsync("b-far", new SimulatedBucket { Region = "cn-beijing" });

        StoreTestAnswer answer = await Oss.GetAsync(new OssTestRequest { Host = "b-far.oss-cn-hangzhou.aliyuncs.com" });

        answer.AssertIs(403, "AccessDenied");
        Assert.Equal("oss-cn-beijing.aliyuncs.com", answer.Element("Endpoint"));
    }

    [Theory]
    [InlineData(
        "path style on an IP address",
        "127.0.0.1",
        "/b-one/?encryption",
        "cn-hangzhou",
        404,
        "NoSuchServerSideEncryptionRule"
    )]
    [InlineData("path style, another region", "127.0.0.1", "/b-one/?encryption", "cn-beijing", 400, "InvalidArgument")]
    [InlineData(
        "path style on a public name",
        "oss-cn-hangzhou.aliyuncs.com",
        "/b-one/?encryption",
        "cn-hangzhou",
        403,
        "SecondLevelDomainForbidden"
    )]
    [InlineData(
        "internal endpoint",
        "b-one.oss-cn-hangzhou-internal.aliyuncs.com",
        "/?encryption",
        "cn-hangzhou",
        404,
        "NoSuchServerSideEncryptionRule"
    )]
    [InlineData(
        "accelerate endpoint, the bucket's region",
        "b-one.oss-accelerate.aliyuncs.com",
        "/?encryption",
        "cn-hangzhou",
        404,
        "NoSuchServerSideEncryptionRule"
    )]
    [InlineData(
        "accelerate endpoint, another region",
        "b-one.oss-accelerate.aliyuncs.com",
        "/?encryption",
        "cn-beijing",
        400,
        "InvalidArgument"
    )]
    [InlineData(
        "missing bucket",
        "b-two.oss-cn-hangzhou.aliyuncs.com",
        "/?encryption",
        "cn-hangzhou",
        404,
        "NoSuchBucket"
    )]
    [InlineData(
        "illegal bucket name",
        "b_.oss-cn-hangzhou.aliyuncs.com",
        "/?encryption",
        "cn-hangzhou",
        400,
        "InvalidBucketName"
    )]
    [InlineData("an object", "b-one.oss-cn-hangzhou.aliyuncs.com", "/object", "cn-hangzhou", 501, "NotImplemented")]
    public async Task Hosts_and_paths(string what, string host, string target, string region, int status, string code)
    {
        StoreTestAnswer answer = await Oss.GetAsync(
            new OssTestRequest
            {
                Host = host,
                Target = target,
                Region = region,
            }
        );

        Assert.Equal((what, status, code), (what, (int)answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_CloudBox_bucket_wants_the_CloudBox_in_the_scope()
    {
        await Admin.SetBucketAsync("b-box", new SimulatedBucket { CloudBoxId = "cb-1" });
        OssTestRequest request = new()
        {
            Host = "b-box.cb-1.cn-hangzhou.oss-cloudbox-control.aliyuncs.com",
            Region = "cb-1",
            Product = "oss-cloudbox",
        };

        (await Oss.PutAsync(OssTestClient.Rule("AES256"), request)).AssertIs(200, null);
        (await Oss.PutAsync(OssTestClient.Rule("KMS"), request)).AssertIs(400, "InvalidArgument");
        (await Oss.GetAsync(request with { Region = "cn-hangzhou" })).AssertIs(400, "InvalidArgument");
    }

    [Theory]
    [InlineData("right token", "sts", "token", 204, null, null)]
    [InlineData("no token", "sts", null, 403, "InvalidAccessKeyId", "0002-00000902")]
    [InlineData("wrong token", "sts", "other", 403, "InvalidSecurityToken", "0002-00000006")]
    [InlineData("expired token", "old", "token", 403, "SecurityTokenExpired", "0002-00000007")]
    [InlineData("token with a permanent key", "ak", "token", 403, "InvalidAccessKeyId", "0002-00000002")]
    [InlineData("unknown key", "nobody", null, 403, "InvalidAccessKeyId", "0002-00000902")]
    [InlineData("disabled key", "off", null, 403, "InvalidAccessKeyId", "0002-00000902")]
    public async Task Keys_and_tokens(string what, string keyId, string? token, int status, string? code, string? ec)
    {
        await Admin.SetAccountAsync(
            "sts",
            new SimulatedAccount("sk") { SecurityToken = "token", TokenExpiresAt = Clock.GetUtcNow().AddTicks(1) }
        );
        await Admin.SetAccountAsync(
            "old",
            new SimulatedAccount("sk") { SecurityToken = "token", TokenExpiresAt = Clock.GetUtcNow() }
        );
        await Admin.SetAccountAsync("off", new SimulatedAccount("sk") { Enabled = false });

        StoreTestAnswer answer = await Oss.DeleteAsync(new OssTestRequest { KeyId = keyId, Token = token });

        Assert.Equal((what, status, code, ec), (what, (int)answer.Status, answer.Code, answer.Ec));
    }

    [Theory]
    [InlineData("not base64", "***", "InvalidDigest")]
    [InlineData("not 16 bytes", "YWJj", "InvalidDigest")]
    [InlineData("of something else", "DicE9DIiaL0g0jp0/ih4+w==", "BadDigest")]
    public async Task A_wrong_Content_MD5_is_refused(string what, string digest, string code)
    {
        StoreTestAnswer answer = await Oss.PutAsync(
            OssTestClient.Rule("AES256"),
            new OssTestRequest { ContentMd5 = digest }
        );

        Assert.Equal((what, 400, code), (what, (int)answer.Status, answer.Code));
        Assert.Null(await Admin.GetEncryptionAsync(Bucket));
    }
}
