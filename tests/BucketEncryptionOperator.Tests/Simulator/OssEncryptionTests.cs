using System.Text;
using System.Xml.Linq;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>The vendor's rules on PUT, GET and DELETE <c>?encryption</c>, and the shape of its answers.</summary>
public sealed class OssEncryptionTests : SimulatorTest
{
    private const string Key = "<KMSMasterKeyID>9468da86-3509-4f8d-a61e-6eab1eac0001</KMSMasterKeyID>";
    private const string Sm4Data = "<KMSDataEncryption>SM4</KMSDataEncryption>";

    public static TheoryData<string, string, string?> Rules =>
        new()
        {
            { "AES256", OssTestClient.Rule("AES256"), null },
            {
                "AES256 with an empty key, as in an official sample",
                OssTestClient.Rule("AES256", "<KMSMasterKeyID></KMSMasterKeyID>"),
                null
            },
            { "AES256 with a key", OssTestClient.Rule("AES256", Key), "InvalidArgument" },
            { "KMS", OssTestClient.Rule("KMS"), null },
            { "KMS with a key", OssTestClient.Rule("KMS", Key), null },
            {
                "KMS with a key that cannot exist is stored all the same",
                OssTestClient.Rule("KMS", "<KMSMasterKeyID>kmsid</KMSMasterKeyID>"),
                null
            },
            { "KMS with SM4 data encryption", OssTestClient.Rule("KMS", Key + Sm4Data), null },
            {
                "KMS with AES256 data encryption",
                OssTestClient.Rule("KMS", "<KMSDataEncryption>AES256</KMSDataEncryption>"),
                "InvalidArgument"
            },
            { "AES256 with SM4 data encryption", OssTestClient.Rule("AES256", Sm4Data), "InvalidArgument" },
            { "SM4", OssTestClient.Rule("SM4"), null },
            { "SM4 with a key", OssTestClient.Rule("SM4", Key), "InvalidArgument" },
            { "S3's word for KMS", OssTestClient.Rule("aws:kms"), "InvalidEncryptionAlgorithmError" },
            { "lower case", OssTestClient.Rule("kms"), "InvalidEncryptionAlgorithmError" },
            {
                "no algorithm",
                OssTestClient.Rule("AES256").Replace("SSEAlgorithm", "Other", StringComparison.Ordinal),
                "MalformedXML"
            },
            { "two algorithms", OssTestClient.Rule("AES256", "<SSEAlgorithm>KMS</SSEAlgorithm>"), "MalformedXML" },
            {
                "S3's root",
                "<ServerSideEncryptionConfiguration><Rule/></ServerSideEncryptionConfiguration>",
                "MalformedXML"
            },
            { "not XML", "{}", "MalformedXML" },
            { "half XML", "<ServerSideEncryptionRule>", "MalformedXML" },
            { "empty", "", "MalformedXML" },
            { "a DTD", "<!DOCTYPE a [<!ENTITY b \"AES256\">]>" + OssTestClient.Rule("&b;"), "MalformedXML" },
            { "over the limit", OssTestClient.Rule("AES256", $"<!--{new string('x', 70_000)}-->"), "EntityTooLarge" },
        };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task Put_takes_what_the_vendor_takes(string what, string xml, string? code)
    {
        StoreTestAnswer answer = await Oss.PutAsync(xml);

        Assert.Equal((what, code is null ? 200 : 400, code), (what, (int)answer.Status, answer.Code));
        Assert.Equal(code is null, await Admin.GetEncryptionAsync(Bucket) is not null);
    }

    [Theory]
    [InlineData("KMS", "", "KmsServiceNotEnabled")]
    [InlineData("SM4", "", "InvalidArgument")]
    [InlineData("AES256", "", null)]
    public async Task An_account_without_KMS_and_SM4_gets_AES256_only(string algorithm, string more, string? code)
    {
        await Admin.SetAccountAsync("ak", new SimulatedAccount("sk") { KmsEnabled = false, Sm4Enabled = false });

        (await Oss.PutAsync(OssTestClient.Rule(algorithm, more))).AssertIs(code is null ? 200 : 400, code);
    }

    [Fact]
    public async Task Get_tells_data_encryption_before_key_and_keeps_what_it_does_not_know()
    {
        await Oss.PutAsync(OssTestClient.Rule("KMS", $"<Future a=\"1\"><Deep/></Future>{Key}{Sm4Data}"));

        StoreTestAnswer answer = await Oss.GetAsync();

        Assert.StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", answer.Body, StringComparison.Ordinal);
        XElement apply = answer.Xml.Element("ApplyServerSideEncryptionByDefault")!;
        Assert.Equal(
            "SSEAlgorithm KMSDataEncryption KMSMasterKeyID Future",
            string.Join(' ', apply.Elements().Select(element => element.Name.LocalName))
        );
        Assert.Equal(
            "<Future a=\"1\"><Deep /></Future>",
            apply.Element("Future")!.ToString(SaveOptions.DisableFormatting)
        );
    }

    [Fact]
    public async Task An_empty_key_is_no_key()
    {
        await Oss.PutAsync(OssTestClient.Rule("KMS", "<KMSMasterKeyID></KMSMasterKeyID>"));

        Assert.Null((await Oss.GetAsync()).Element("KMSMasterKeyID"));
    }

    [Fact]
    public async Task What_was_seeded_comes_back_byte_for_byte()
    {
        string xml = OssTestClient.Rule(" KMS\n", "<!-- kept --><Unknown  b='2' />");
        await Admin.SetEncryptionAsync(Bucket, xml);

        Assert.Equal(xml, await Admin.GetEncryptionAsync(Bucket));
        Assert.EndsWith("\n" + xml, (await Oss.GetAsync()).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_answers_204_also_when_there_is_nothing()
    {
        await Oss.PutAsync(OssTestClient.Rule("AES256"));

        (await Oss.DeleteAsync()).AssertIs(204, null);
        (await Oss.GetAsync()).AssertIs(404, "NoSuchServerSideEncryptionRule");
        (await Oss.DeleteAsync()).AssertIs(204, null);
    }

    [Fact]
    public async Task Not_configured_can_be_400()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { NotConfiguredStatus = 400 });

        (await Oss.GetAsync()).AssertIs(400, "NoSuchServerSideEncryptionRule");
    }

    [Fact]
    public async Task White_space_can_stand_around_every_value()
    {
        await Oss.PutAsync(OssTestClient.Rule("KMS", Key));
        await Admin.SetSettingsAsync(new SimulatorSettings { WhiteSpace = true });

        string algorithm = (await Oss.GetAsync()).Element("SSEAlgorithm")!;

        Assert.Equal("KMS", algorithm.Trim());
        Assert.NotEqual(3, algorithm.Length);
    }

    [Fact]
    public async Task Bucket_info_says_None_where_the_rule_is_absent()
    {
        OssTestRequest info = new() { Target = "/?bucketInfo" };

        StoreTestAnswer without = await Oss.GetAsync(info);
        await Oss.PutAsync(OssTestClient.Rule("KMS", Key));
        StoreTestAnswer with = await Oss.GetAsync(info);

        Assert.Equal(
            ("None", "None", ""),
            (without.Element("SSEAlgorithm"), without.Element("KMSDataEncryption"), without.Element("KMSMasterKeyID"))
        );
        Assert.Equal(
            ("KMS", "None", "9468da86-3509-4f8d-a61e-6eab1eac0001"),
            (with.Element("SSEAlgorithm"), with.Element("KMSDataEncryption"), with.Element("KMSMasterKeyID"))
        );
    }

    [Fact]
    public async Task Errors_have_the_vendors_shape()
    {
        StoreTestAnswer answer = await Oss.GetAsync(new OssTestRequest { Host = "b-two.oss-cn-hangzhou.aliyuncs.com" });

        Assert.Equal(
            "Code Message RequestId HostId BucketName EC RecommendDoc",
            string.Join(' ', answer.Xml.Elements().Select(element => element.Name.ToString()))
        );
        Assert.Equal(
            ("b-two.oss-cn-hangzhou.aliyuncs.com", "b-two", "0015-00000101"),
            (answer.Element("HostId"), answer.Element("BucketName"), answer.Ec)
        );
        Assert.Equal(answer.Element("RequestId"), answer.Headers["x-oss-request-id"]);
        Assert.Equal("0015-00000101", answer.Headers["x-oss-ec"]);
        Assert.Equal("AliyunOSS", answer.Headers["Server"]);
        Assert.Equal("Sat, 21 Nov 2026 01:47:57 GMT", answer.Headers["Date"]);
        Assert.Equal("application/xml", answer.Headers["Content-Type"]);
        Assert.True(answer.Headers.ContainsKey("x-oss-server-time"));
    }

    [Fact]
    public async Task Errors_can_have_a_namespace()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { ErrorNamespace = true });

        StoreTestAnswer answer = await Oss.GetAsync();

        Assert.Equal("http://doc.oss-cn-hangzhou.aliyuncs.com", answer.Xml.Name.NamespaceName);
        answer.AssertIs(404, "NoSuchServerSideEncryptionRule");
    }

    [Fact]
    public async Task Errors_can_have_no_body_and_x_oss_err_instead()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { EmptyErrorBodies = true });

        StoreTestAnswer answer = await Oss.GetAsync();

        Assert.Equal((404, ""), ((int)answer.Status, answer.Body));
        Assert.Equal(
            "NoSuchServerSideEncryptionRule",
            XElement
                .Parse(Encoding.UTF8.GetString(Convert.FromBase64String(answer.Headers["x-oss-err"])))
                .Element("Code")!
                .Value
        );
    }

    [Fact]
    public async Task A_deny_rule_stops_one_operation_on_one_bucket()
    {
        await Admin.SetBucketAsync("b-two");
        DenyRule rule = await Admin.DenyAsync(new DenyRule { Bucket = Bucket, Operations = [StoreOperations.Put] });

        StoreTestAnswer denied = await Oss.PutAsync(OssTestClient.Rule("AES256"));
        denied.AssertIs(403, "AccessDenied");
        Assert.Equal("0003-00000001", denied.Ec);
        (await Oss.GetAsync()).AssertIs(404, "NoSuchServerSideEncryptionRule");
        (
            await Oss.PutAsync(
                OssTestClient.Rule("AES256"),
                new OssTestRequest { Host = "b-two.oss-cn-hangzhou.aliyuncs.com" }
            )
        ).AssertIs(200, null);

        await Admin.RemoveDenyAsync(rule.Id!);
        (await Oss.PutAsync(OssTestClient.Rule("AES256"))).AssertIs(200, null);
    }

    [Fact]
    public async Task A_deny_rule_can_speak_as_KMS_does()
    {
        await Admin.DenyAsync(new DenyRule { ByKms = true });

        StoreTestAnswer answer = await Oss.PutAsync(OssTestClient.Rule("KMS"));

        answer.AssertIs(403, "AccessDenied");
        Assert.Contains("forbidden by kms", answer.Element("Message"), StringComparison.Ordinal);
    }
}
