using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class MinioDialectTests() : SimulatorTest(Vendor.MinIO, "us-east-1")
{
    private static readonly StoreTestRequest Right = new("127.0.0.1:9000", "us-east-1")
    {
        Target = "/b-one/?encryption",
        Md5 = false,
    };

    [Theory]
    [InlineData("AES256", "", null)]
    [InlineData("AES256", "<KMSMasterKeyID></KMSMasterKeyID>", null)]
    [InlineData("aws:kms", "<KMSMasterKeyID>my-key</KMSMasterKeyID>", null)]
    [InlineData("aws:kms", "<KMSMasterKeyID>arn:aws:kms:my-key</KMSMasterKeyID>", null)]
    [InlineData("aws:kms", "", "MalformedXML")]
    [InlineData("aws:kms", "<KMSMasterKeyID> my-key</KMSMasterKeyID>", "MalformedXML")]
    [InlineData("AES256", "<KMSMasterKeyID>my-key</KMSMasterKeyID>", "MalformedXML")]
    [InlineData("aws:kms:dsse", "<KMSMasterKeyID>my-key</KMSMasterKeyID>", "MalformedXML")]
    [InlineData("ROT13", "", "MalformedXML")]
    [InlineData("aws:kms", "<KMSMasterKeyID>other</KMSMasterKeyID>", "KMS.NotFoundException")]
    public async Task Put_takes_what_the_vendor_takes(string algorithm, string more, string? code)
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { KmsKeys = ["my-key"] });

        (await Store.PutAsync(StoreTestClient.Configuration(algorithm, more), Right)).AssertIs(
            code is null ? 200 : 400,
            code
        );
    }

    [Theory]
    [InlineData("AES256", "")]
    [InlineData("aws:kms", "<KMSMasterKeyID>my-key</KMSMasterKeyID>")]
    public async Task Without_a_KMS_nothing_is_encrypted(string algorithm, string more)
    {
        await Admin.SetAccountAsync("ak", new SimulatedAccount("sk") { KmsEnabled = false });

        (await Store.PutAsync(StoreTestClient.Configuration(algorithm, more), Right)).AssertIs(501, "NotImplemented");
    }

    [Fact]
    public async Task The_bucket_key_and_what_is_not_known_are_dropped_and_the_ARN_is_kept()
    {
        await Store.PutAsync(
            StoreTestClient.Configuration(
                "aws:kms",
                "<KMSMasterKeyID>arn:aws:kms:my-key</KMSMasterKeyID><Future/>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            Right
        );

        StoreTestAnswer answer = await Store.GetAsync(Right);

        Assert.Equal(
            "ServerSideEncryptionConfiguration Rule ApplyServerSideEncryptionByDefault SSEAlgorithm KMSMasterKeyID",
            string.Join(' ', answer.Xml.DescendantsAndSelf().Select(element => element.Name.LocalName))
        );
        Assert.Equal("arn:aws:kms:my-key", answer.Element("KMSMasterKeyID"));
        Assert.Equal(
            ("http://s3.amazonaws.com/doc/2006-03-01/", "MinIO"),
            (answer.Xml.Name.NamespaceName, answer.Headers["Server"])
        );
    }

    [Fact]
    public async Task A_store_that_does_not_know_the_sub_resource_does_it_to_the_bucket()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { NoEncryptionSubResource = true });

        Assert.Equal("ListBucketResult", (await Store.GetAsync(Right)).Xml.Name.LocalName);
        (await Store.PutAsync(StoreTestClient.Configuration("AES256"), Right)).AssertIs(400, "InvalidArgument");
        (await Store.DeleteAsync(Right)).AssertIs(204, null);
        (await Store.GetAsync(Right)).AssertIs(404, "NoSuchBucket");
    }

    [Fact]
    public async Task A_bucket_can_be_without_encryption()
    {
        (await Store.GetAsync(Right)).AssertIs(404, "ServerSideEncryptionConfigurationNotFoundError");
        (await Store.PutAsync(StoreTestClient.Configuration("AES256"), Right)).AssertIs(200, null);
        (await Store.DeleteAsync(Right)).AssertIs(204, null);
        (await Store.GetAsync(Right)).AssertIs(404, "ServerSideEncryptionConfigurationNotFoundError");
    }

    [Fact]
    public async Task A_wrong_region_is_answered_with_the_right_one()
    {
        StoreTestAnswer answer = await Store.GetAsync(Right with { Region = "eu-west-1" });

        answer.AssertIs(400, "AuthorizationHeaderMalformed");
        Assert.Equal("us-east-1", answer.Element("Region"));
    }
}
