using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class JDCloudDialectTests() : SimulatorTest(Vendor.JDCloudOSS, "cn-north-1")
{
    private static readonly StoreTestRequest Right = new("b-one.s3.cn-north-1.jdcloud-oss.com", "cn-north-1");

    [Theory]
    [InlineData("aws:kms", "", "", null)]
    [InlineData("aws:kms", "<KMSMasterKeyID>key</KMSMasterKeyID>", "", null)]
    [InlineData("AES256", "", "", "InvalidEncryptionAlgorithmError")]
    [InlineData("kms", "", "", "InvalidEncryptionAlgorithmError")]
    [InlineData("aws:kms", "", "<BucketKeyEnabled>true</BucketKeyEnabled>", "MalformedXML")]
    [InlineData("aws:kms", "<KMSDataEncryption>SM4</KMSDataEncryption>", "", "MalformedXML")]
    [InlineData("aws:kms", "<SSEAlgorithm>aws:kms</SSEAlgorithm>", "", "MalformedXML")]
    public async Task Put_takes_aws_kms_only(string algorithm, string more, string beside, string? code)
    {
        (await Store.PutAsync(StoreTestClient.Configuration(algorithm, more, beside), Right)).AssertIs(
            code is null ? 200 : 400,
            code
        );

        Assert.Equal(code is null, await Admin.GetEncryptionAsync(Bucket) is not null);
    }

    [Fact]
    public async Task Answers_have_no_namespace_delete_is_200_and_two_headers_name_the_request()
    {
        await Store.PutAsync(StoreTestClient.Configuration("aws:kms"), Right);

        StoreTestAnswer get = await Store.GetAsync(Right);
        StoreTestAnswer delete = await Store.DeleteAsync(Right);

        get.AssertIs(200, null);
        Assert.Equal(
            ("ServerSideEncryptionConfiguration", "text/xml; charset=UTF-8"),
            (get.Xml.Name.ToString(), get.Headers["Content-Type"])
        );
        Assert.Equal(get.Headers["x-req-id"], get.Headers["x-amz-request-id"]);
        Assert.Equal((200, ""), ((int)delete.Status, delete.Body));
        (await Store.GetAsync(Right)).AssertIs(404, "ServerSideEncryptionConfigurationNotFoundError");
    }

    [Fact]
    public async Task How_it_says_that_nothing_is_configured_can_be_chosen_for_nobody_knows()
    {
        await Admin.SetSettingsAsync(
            new SimulatorSettings { NotConfiguredCode = "NoSuchEncryptionConfiguration", NotConfiguredStatus = 400 }
        );

        (await Store.GetAsync(Right)).AssertIs(400, "NoSuchEncryptionConfiguration");
    }

    [Theory]
    [InlineData(
        "the newer domain",
        "b-one.s3.cn-north-1.jcloudcs.com",
        "/?encryption",
        "cn-north-1",
        404,
        "ServerSideEncryptionConfigurationNotFoundError"
    )]
    [InlineData(
        "internal",
        "b-one.s3-internal.cn-north-1.jdcloud-oss.com",
        "/?encryption",
        "cn-north-1",
        404,
        "ServerSideEncryptionConfigurationNotFoundError"
    )]
    [InlineData(
        "path style",
        "s3.cn-north-1.jdcloud-oss.com",
        "/b-one?encryption",
        "cn-north-1",
        404,
        "ServerSideEncryptionConfigurationNotFoundError"
    )]
    [InlineData(
        "path style on an IP address",
        "127.0.0.1",
        "/b-one/?encryption",
        "cn-north-1",
        404,
        "ServerSideEncryptionConfigurationNotFoundError"
    )]
    [InlineData(
        "another region's endpoint",
        "b-one.s3.cn-east-2.jdcloud-oss.com",
        "/?encryption",
        "cn-east-2",
        301,
        "PermanentRedirect"
    )]
    [InlineData(
        "another region in the scope",
        "b-one.s3.cn-north-1.jdcloud-oss.com",
        "/?encryption",
        "us-east-1",
        400,
        "AuthorizationHeaderMalformed"
    )]
    [InlineData(
        "missing bucket",
        "b-two.s3.cn-north-1.jdcloud-oss.com",
        "/?encryption",
        "cn-north-1",
        404,
        "NoSuchBucket"
    )]
    [InlineData("an object", "b-one.s3.cn-north-1.jdcloud-oss.com", "/object", "cn-north-1", 405, "MethodNotAllowed")]
    public async Task Hosts_and_paths(string what, string host, string target, string region, int status, string code)
    {
        StoreTestAnswer answer = await Store.GetAsync(Right with { Host = host, Target = target, Region = region });

        Assert.Equal((what, status, code), (what, (int)answer.Status, answer.Code));
    }

    [Fact]
    public async Task Wrong_keys_temporary_keys_and_chunked_bodies_are_refused()
    {
        await Admin.SetAccountAsync("sts", new SimulatedAccount("sk") { SecurityToken = "token" });

        (await Store.GetAsync(Right with { Secret = "wrong" })).AssertIs(403, "SignatureDoesNotMatch");
        (await Store.GetAsync(Right with { KeyId = "nobody" })).AssertIs(403, "InvalidAccessKeyId");
        (await Store.GetAsync(Right with { KeyId = "sts", Token = "token" })).AssertIs(400, "InvalidArgument");
        (
            await Store.PutAsync(
                StoreTestClient.Configuration("aws:kms"),
                Right.With("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
            )
        ).AssertIs(501, "NotImplemented");
        (await Store.GetAsync(Right with { ClockOff = TimeSpan.FromMinutes(16) })).AssertIs(
            403,
            "RequestTimeTooSkewed"
        );
    }

    [Fact]
    public async Task An_account_without_KMS_cannot_use_it()
    {
        await Admin.SetAccountAsync("ak", new SimulatedAccount("sk") { KmsEnabled = false });

        (await Store.PutAsync(StoreTestClient.Configuration("aws:kms"), Right)).AssertIs(400, "KmsServiceNotEnabled");
    }
}
