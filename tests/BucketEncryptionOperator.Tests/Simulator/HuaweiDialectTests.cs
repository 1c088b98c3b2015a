using ObjectStoreSimulator;
using ObjectStoreSimulator.Huawei;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class HuaweiDialectTests() : SimulatorTest(Vendor.HuaweiOBS, "cn-north-4")
{
    private const string Key = "<KMSMasterKeyID>4f1cd4de-ab64-4807-920a-47fc42e7f0d0</KMSMasterKeyID>";
    private const string LongKey =
        "<KMSMasterKeyID>cn-north-4:0123abcd:key/4f1cd4de-ab64-4807-920a-47fc42e7f0d0</KMSMasterKeyID>";
    private const string Project = "<ProjectID>0d6f</ProjectID>";
    private const string Sm4Data = "<KMSDataEncryption>SM4</KMSDataEncryption>";
    private const string BucketKey = "<BucketKeyEnabled>true</BucketKeyEnabled>";

    private static readonly StoreTestRequest Right = new("b-one.obs.cn-north-4.myhuaweicloud.com", "")
    {
        Words = ObsWords.Native,
    };

    public static TheoryData<string, string, string?> Rules =>
        new()
        {
            { "AES256", StoreTestClient.Configuration("AES256"), null },
            { "kms", StoreTestClient.Configuration("kms"), null },
            {
                "kms with all it can have",
                StoreTestClient.Configuration(
                    "kms",
                    Key + Sm4Data + Project,
                    BucketKey + "<BucketKeyRotationPeriod>90</BucketKeyRotationPeriod>"
                ),
                null
            },
            { "a key in its long form", StoreTestClient.Configuration("kms", LongKey), null },
            {
                "a key in no form",
                StoreTestClient.Configuration("kms", "<KMSMasterKeyID>a key</KMSMasterKeyID>"),
                "InvalidArgument"
            },
            { "AES256 with a key", StoreTestClient.Configuration("AES256", Key), "InvalidArgument" },
            { "AES256 with a cipher for KMS", StoreTestClient.Configuration("AES256", Sm4Data), "InvalidArgument" },
            { "AES256 with a bucket key", StoreTestClient.Configuration("AES256", "", BucketKey), "InvalidArgument" },
            {
                "AES256 with the bucket key off",
                StoreTestClient.Configuration("AES256", "", "<BucketKeyEnabled>false</BucketKeyEnabled>"),
                null
            },
            { "AES256 with a project", StoreTestClient.Configuration("AES256", Project), "InvalidArgument" },
            { "a project without a key", StoreTestClient.Configuration("kms", Project), "InvalidArgument" },
            {
                "a cipher that is not SM4",
                StoreTestClient.Configuration("kms", "<KMSDataEncryption>AES256</KMSDataEncryption>"),
                "InvalidArgument"
            },
            { "SM4 as the algorithm", StoreTestClient.Configuration("SM4"), "InvalidEncryptionAlgorithmError" },
            {
                "AWS's word under OBS's signature",
                StoreTestClient.Configuration("aws:kms"),
                "InvalidEncryptionAlgorithmError"
            },
            {
                "a bucket key that is neither on nor off",
                StoreTestClient.Configuration("kms", "", "<BucketKeyEnabled>yes</BucketKeyEnabled>"),
                "MalformedXML"
            },
            {
                "a rotation period that is no number",
                StoreTestClient.Configuration("kms", "", "<BucketKeyRotationPeriod>soon</BucketKeyRotationPeriod>"),
                "MalformedXML"
            },
            {
                "two rules",
                "<ServerSideEncryptionConfiguration><Rule/><Rule/></ServerSideEncryptionConfiguration>",
                "MalformedXML"
            },
            { "the key twice", StoreTestClient.Configuration("kms", Key + Key), "MalformedXML" },
            { "OSS's root", OssTestClient.Rule("AES256"), "MalformedXML" },
            { "no XML", "{}", "MalformedXML" },
            { "nothing", "", "MissingRequestBodyError" },
            {
                "over the limit",
                StoreTestClient.Configuration("kms", $"<!--{new string('x', 70_000)}-->"),
                "EntityTooLarge"
            },
        };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task Put_takes_what_the_vendor_takes(string what, string xml, string? code)
    {
        StoreTestAnswer answer = await Store.PutAsync(xml, Right);

        Assert.Equal((what, code is null ? 200 : 400, code), (what, (int)answer.Status, answer.Code));
        Assert.Equal(code is null, await Admin.GetEncryptionAsync(Bucket) is not null);
    }

    [Fact]
    public async Task Get_has_the_regions_namespace_and_the_vendors_order()
    {
        await Store.PutAsync(
            StoreTestClient.Configuration("kms", $"<Future/>{Project}{Sm4Data}{Key}", BucketKey),
            Right
        );

        StoreTestAnswer answer = await Store.GetAsync(Right);

        answer.AssertIs(200, null);
        Assert.Equal("http://obs.cn-north-4.myhuaweicloud.com/doc/2015-06-30/", answer.Xml.Name.NamespaceName);
        Assert.Equal(
            "ServerSideEncryptionConfiguration Rule ApplyServerSideEncryptionByDefault SSEAlgorithm KMSMasterKeyID "
                + "KMSDataEncryption ProjectID Future BucketKeyEnabled",
            string.Join(' ', answer.Xml.DescendantsAndSelf().Select(element => element.Name.LocalName))
        );
    }

    [Fact]
    public async Task Without_a_configuration_get_is_404_and_delete_is_204_twice()
    {
        await Store.PutAsync(StoreTestClient.Configuration("kms"), Right);

        (await Store.DeleteAsync(Right)).AssertIs(204, null);
        (await Store.DeleteAsync(Right)).AssertIs(204, null);
        (await Store.GetAsync(Right)).AssertIs(404, "NoSuchEncryptionConfiguration");
    }

    [Fact]
    public async Task A_key_that_does_not_exist_is_refused_in_both_its_forms()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { KmsKeys = ["4f1cd4de-ab64-4807-920a-47fc42e7f0d0"] });

        StoreTestAnswer unknown = await Store.PutAsync(
            StoreTestClient.Configuration("kms", "<KMSMasterKeyID>other</KMSMasterKeyID>"),
            Right
        );

        unknown.AssertIs(400, "InvalidArgument");
        Assert.Contains("contains illegal KMSMasterKeyID", unknown.Element("Message"), StringComparison.Ordinal);
        (await Store.PutAsync(StoreTestClient.Configuration("kms", Key), Right)).AssertIs(200, null);
        (await Store.PutAsync(StoreTestClient.Configuration("kms", LongKey), Right)).AssertIs(200, null);
    }

    [Fact]
    public async Task A_region_can_offer_less()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { Algorithms = ["kms"] });

        (await Store.PutAsync(StoreTestClient.Configuration("AES256"), Right)).AssertIs(
            400,
            "InvalidEncryptionAlgorithmError"
        );
        (await Store.PutAsync(StoreTestClient.Configuration("kms"), Right)).AssertIs(200, null);
    }

    [Theory]
    [InlineData("unsupported", Key, BucketKey, 405, "FsNotSupport")]
    [InlineData("bucketKeyOnly", Key, BucketKey, 200, null)]
    [InlineData("bucketKeyOnly", Key, "", 400, "InvalidArgument")]
    [InlineData("bucketKeyOnly", "", BucketKey, 400, "InvalidArgument")]
    public async Task A_parallel_file_system_takes_little_or_nothing(
        string kind,
        string more,
        string beside,
        int status,
        string? code
    )
    {
        await Admin.SetBucketAsync(Bucket, new SimulatedBucket { Region = "cn-north-4", FileSystem = kind });

        (await Store.PutAsync(StoreTestClient.Configuration("kms", more, beside), Right)).AssertIs(status, code);
    }

    [Fact]
    public async Task The_signature_chooses_the_words()
    {
        StoreTestRequest aws = Right with { Words = ObsWords.Aws };
        await Store.PutAsync(StoreTestClient.Configuration("aws:kms", Key), aws);

        StoreTestAnswer native = await Store.GetAsync(Right);
        StoreTestAnswer awsLike = await Store.GetAsync(aws);

        Assert.Equal(("kms", "aws:kms"), (native.Element("SSEAlgorithm"), awsLike.Element("SSEAlgorithm")));
        Assert.Matches("^[0-9A-F]{32}$", native.Headers["x-obs-request-id"]);
        Assert.Matches("^[0-9A-F]{32}$", awsLike.Headers["x-amz-request-id"]);
        (await Store.PutAsync(StoreTestClient.Configuration("kms"), aws)).AssertIs(
            400,
            "InvalidEncryptionAlgorithmError"
        );
    }

    [Theory]
    [InlineData("wrong secret", "ak", "wrong", null, 403, "SignatureDoesNotMatch")]
    [InlineData("unknown key", "nobody", "sk", null, 403, "InvalidAccessKeyId")]
    [InlineData("disabled key", "off", "sk", null, 403, "InvalidAccessKeyId")]
    [InlineData("right token", "sts", "sk", "token", 204, null)]
    [InlineData("no token", "sts", "sk", null, 403, "InvalidAccessKeyId")]
    [InlineData("wrong token", "sts", "sk", "other", 403, "InvalidSecurityToken")]
    [InlineData("expired token", "old", "sk", "token", 400, "ExpiredToken")]
    [InlineData("token with a permanent key", "ak", "sk", "token", 403, "InvalidSecurityToken")]
    public async Task Keys_and_tokens(string what, string keyId, string secret, string? token, int status, string? code)
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

        StoreTestAnswer answer = await Store.DeleteAsync(Right with { KeyId = keyId, Secret = secret, Token = token });

        Assert.Equal((what, status, code), (what, (int)answer.Status, answer.Code));
    }

    [Theory]
    [InlineData(15 * 60, 204, null)]
    [InlineData(-15 * 60, 204, null)]
    [InlineData(15 * 60 + 1, 403, "RequestTimeTooSkewed")]
    [InlineData(-15 * 60 - 1, 403, "RequestTimeTooSkewed")]
    public async Task A_clock_may_be_15_minutes_off(int seconds, int status, string? code)
    {
        (await Store.DeleteAsync(Right with { ClockOff = TimeSpan.FromSeconds(seconds) })).AssertIs(status, code);
    }

    [Fact]
    public async Task A_wrong_signature_is_answered_with_the_string_that_the_server_signed()
    {
        StoreTestAnswer answer = await Store.GetAsync(Right with { Secret = "wrong" });

        Assert.Equal("GET\n\n\nSat, 21 Nov 2026 01:47:57 GMT\n/b-one/?encryption", answer.Element("StringToSign"));
        Assert.Equal(
            "Code Message Resource OBSAccessKeyId SignatureProvided StringToSign StringToSignBytes RequestId HostId",
            string.Join(' ', answer.Xml.Elements().Select(element => element.Name))
        );
        Assert.Equal(answer.Element("RequestId"), answer.Headers["x-obs-request-id"]);
    }

    [Theory]
    [InlineData("", 403, "AccessDenied")]
    [InlineData("Basic YWs6c2s=", 400, "InvalidArgument")]
    [InlineData("OBS ak", 400, "InvalidArgument")]
    [InlineData(
        "AWS4-HMAC-SHA256 Credential=ak/20261121/cn-north-4/s3/aws4_request, SignedHeaders=host, Signature=0",
        400,
        "InvalidArgument"
    )]
    public async Task An_authorization_that_cannot_be_read_is_refused(string authorization, int status, string code)
    {
        (await Store.GetAsync(Right with { Authorization = authorization })).AssertIs(status, code);
    }

    [Theory]
    [InlineData("a header of OBS's", "x-obs-acl", "SignatureDoesNotMatch")]
    [InlineData("the content type", "content-type", "SignatureDoesNotMatch")]
    [InlineData("one of nobody's", "user-agent", null)]
    public async Task What_is_signed_may_not_change(string what, string header, string? code)
    {
        StoreTestAnswer answer = await Store.PutAsync(
            StoreTestClient.Configuration("kms"),
            Right.Changed(header, "changed")
        );

        Assert.Equal((what, code), (what, answer.Code));
    }

    [Theory]
    [InlineData("path style on an IP address", "127.0.0.1", "/b-one/?encryption", 404, "NoSuchEncryptionConfiguration")]
    [InlineData("path style without the slash", "127.0.0.1", "/b-one?encryption", 404, "NoSuchEncryptionConfiguration")]
    [InlineData(
        "path style on a public name",
        "obs.cn-north-4.myhuaweicloud.com",
        "/b-one/?encryption",
        403,
        "VirtualHostDomainRequired"
    )]
    [InlineData(
        "Europe",
        "b-one.obs.cn-north-4.myhuaweicloud.eu",
        "/?encryption",
        404,
        "NoSuchEncryptionConfiguration"
    )]
    [InlineData("another region", "b-one.obs.cn-south-1.myhuaweicloud.com", "/?encryption", 301, "PermanentRedirect")]
    [InlineData("a domain of the owner's", "files.example", "/?encryption", 404, "NoSuchEncryptionConfiguration")]
    [InlineData("missing bucket", "b-two.obs.cn-north-4.myhuaweicloud.com", "/?encryption", 404, "NoSuchBucket")]
    [InlineData("illegal name", "b_one.obs.cn-north-4.myhuaweicloud.com", "/?encryption", 400, "InvalidBucketName")]
    [InlineData("an object", "b-one.obs.cn-north-4.myhuaweicloud.com", "/object", 405, "MethodNotAllowed")]
    public async Task Hosts_and_paths(string what, string host, string target, int status, string code)
    {
        await Admin.SetBucketAsync(
            Bucket,
            new SimulatedBucket { Region = "cn-north-4", CustomDomain = "files.example" }
        );

        StoreTestAnswer answer = await Store.GetAsync(
            Right with
            {
                Host = host,
                Target = target,
                CustomDomain = "files.example",
            }
        );

        Assert.Equal((what, status, code), (what, (int)answer.Status, answer.Code));
    }

    [Fact]
    public async Task The_question_for_the_signature_needs_none()
    {
        StoreTestAnswer answer = await Store.SendAsync(
            Right with
            {
                Method = HttpMethod.Head,
                Target = "/?apiversion",
                Authorization = "",
            }
        );

        answer.AssertIs(200, null);
        Assert.Equal("3.0", answer.Headers["x-obs-api"]);
    }

    [Fact]
    public async Task An_error_without_a_body_is_told_in_headers()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { EmptyErrorBodies = true });

        StoreTestAnswer answer = await Store.GetAsync(Right);

        Assert.Equal(
            (404, "", "NoSuchEncryptionConfiguration"),
            ((int)answer.Status, answer.Body, answer.Headers["x-obs-error-code"])
        );
        Assert.NotEqual("", answer.Headers["x-obs-error-message"]);
    }
}
