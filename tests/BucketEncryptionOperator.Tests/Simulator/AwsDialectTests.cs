using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class AwsDialectTests() : SimulatorTest(Vendor.S3, "eu-west-1")
{
    private const string Key =
        "<KMSMasterKeyID>arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab</KMSMasterKeyID>";
    private const string BlockSseC =
        "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
    private const string BucketKey = "<BucketKeyEnabled>true</BucketKeyEnabled>";

    private static readonly StoreTestRequest Right = new("b-one.s3.eu-west-1.amazonaws.com", "eu-west-1");

    [Theory]
    [InlineData("AES256", "", "", null)]
    [InlineData("AES256", "", BucketKey, null)]
    [InlineData("aws:kms", "", "", null)]
    [InlineData("aws:kms", Key, BucketKey, null)]
    [InlineData("aws:kms:dsse", Key, "", null)]
    [InlineData("aws:kms:dsse", "", BlockSseC, null)]
    [InlineData("aws:kms:dsse", Key, BucketKey, "InvalidArgument")]
    [InlineData("AES256", "", BlockSseC, null)]
    [InlineData(
        "AES256",
        "",
        "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>",
        null
    )]
    [InlineData(
        "AES256",
        "",
        "<BlockedEncryptionTypes><EncryptionType>SSE-S3</EncryptionType></BlockedEncryptionTypes>",
        "MalformedXML"
    )]
    [InlineData("AES256", "", "<BlockedEncryptionTypes/>", "MalformedXML")]
    [InlineData("AES256", Key, "", "InvalidArgument")]
    [InlineData("aws:kms", "<KMSMasterKeyID>a key</KMSMasterKeyID>", "", "InvalidArgument")]
    [InlineData("kms", "", "", "MalformedXML")]
    [InlineData("SM4", "", "", "MalformedXML")]
    [InlineData("aws:kms", "", "<BucketKeyEnabled>1</BucketKeyEnabled>", "MalformedXML")]
    [InlineData("aws:kms", "<SSEAlgorithm>AES256</SSEAlgorithm>", "", "MalformedXML")]
    public async Task Put_takes_what_the_vendor_takes(string algorithm, string more, string beside, string? code)
    {
        (await Store.PutAsync(StoreTestClient.Configuration(algorithm, more, beside), Right)).AssertIs(
            code is null ? 200 : 400,
            code
        );

        Assert.Equal(code is null, await Admin.GetEncryptionAsync(Bucket) is not null);
    }

    [Fact]
    public async Task Every_bucket_has_AES256_and_delete_goes_back_to_it()
    {
        StoreTestAnswer before = await Store.GetAsync(Right);
        await Store.PutAsync(StoreTestClient.Configuration("aws:kms", Key, BucketKey), Right);
        StoreTestAnswer set = await Store.GetAsync(Right);
        (await Store.DeleteAsync(Right)).AssertIs(204, null);
        (await Store.DeleteAsync(Right)).AssertIs(204, null);
        StoreTestAnswer after = await Store.GetAsync(Right);

        Assert.Equal(("AES256", "false"), (before.Element("SSEAlgorithm"), before.Element("BucketKeyEnabled")));
        Assert.Equal(("aws:kms", "true"), (set.Element("SSEAlgorithm"), set.Element("BucketKeyEnabled")));
        Assert.Equal(before.Body, after.Body);
        Assert.Equal("http://s3.amazonaws.com/doc/2006-03-01/", after.Xml.Name.NamespaceName);
    }

    [Fact]
    public async Task What_is_not_known_is_kept()
    {
        await Store.PutAsync(StoreTestClient.Configuration("AES256", "", BlockSseC + "<Future>1</Future>"), Right);

        Assert.Equal("SSE-C", (await Store.GetAsync(Right)).Element("EncryptionType"));
        Assert.Equal("1", (await Store.GetAsync(Right)).Element("Future"));
    }

    [Theory]
    [InlineData("MD5", true, null, null, 200, null)]
    [InlineData("neither MD5 nor checksum", false, null, null, 400, "InvalidRequest")]
    [InlineData("the right CRC-32", false, "x-amz-checksum-crc32", "right", 200, null)]
    [InlineData("a wrong CRC-32", false, "x-amz-checksum-crc32", "AAAAAA==", 400, "BadDigest")]
    [InlineData("a CRC-32 that is none", false, "x-amz-checksum-crc32", "AAAA", 400, "InvalidDigest")]
    [InlineData(
        "a wrong SHA-256 beside the right MD5",
        true,
        "x-amz-checksum-sha256",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        400,
        "BadDigest"
    )]
    [InlineData("a CRC-32C, which cannot be checked here", false, "x-amz-checksum-crc32c", "AAAAAA==", 200, null)]
    public async Task Put_needs_a_digest_and_a_right_one(
        string what,
        bool md5,
        string? header,
        string? value,
        int status,
        string? code
    )
    {
        // The CRC-32 is zlib's, of this very body.
        const string Xml =
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
            + "<SSEAlgorithm>AES256</SSEAlgorithm>"
            + "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
        StoreTestRequest request = Right with { Md5 = md5 };

        StoreTestAnswer answer = await Store.PutAsync(
            Xml,
            header is null ? request : request.With(header, value == "right" ? "uzO6GQ==" : value!)
        );

        Assert.Equal((what, status, code), (what, (int)answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("path style", "s3.eu-west-1.amazonaws.com", "/b-one?encryption", "eu-west-1", 200, null)]
    [InlineData("path style on an IP address", "127.0.0.1", "/b-one/?encryption", "eu-west-1", 200, null)]
    [InlineData("path style with dots", "s3.eu-west-1.amazonaws.com", "/b.dots/?encryption", "eu-west-1", 200, null)]
    [InlineData("dual stack", "b-one.s3.dualstack.eu-west-1.amazonaws.com", "/?encryption", "eu-west-1", 200, null)]
    [InlineData("virtual host with dots", "b.dots.s3.eu-west-1.amazonaws.com", "/?encryption", "eu-west-1", 200, null)]
    [InlineData("the endpoint without a region", "b-one.s3.amazonaws.com", "/?encryption", "eu-west-1", 200, null)]
    [InlineData(
        "the endpoint without a region, another in the scope",
        "b-one.s3.amazonaws.com",
        "/?encryption",
        "us-east-1",
        400,
        "AuthorizationHeaderMalformed"
    )]
    [InlineData(
        "another region's endpoint",
        "b-one.s3.us-west-2.amazonaws.com",
        "/?encryption",
        "us-west-2",
        301,
        "PermanentRedirect"
    )]
    [InlineData(
        "another region in the scope",
        "b-one.s3.eu-west-1.amazonaws.com",
        "/?encryption",
        "us-west-2",
        400,
        "AuthorizationHeaderMalformed"
    )]
    [InlineData("missing bucket", "b-two.s3.eu-west-1.amazonaws.com", "/?encryption", "eu-west-1", 404, "NoSuchBucket")]
    [InlineData("illegal name", "127.0.0.1", "/B_/?encryption", "eu-west-1", 400, "InvalidBucketName")]
    [InlineData("an object", "b-one.s3.eu-west-1.amazonaws.com", "/object", "eu-west-1", 501, "NotImplemented")]
    public async Task Hosts_and_paths(string what, string host, string target, string region, int status, string? code)
    {
        await Admin.SetBucketAsync("b.dots", new SimulatedBucket { Region = "eu-west-1" });

        StoreTestAnswer answer = await Store.GetAsync(Right with { Host = host, Target = target, Region = region });

        Assert.Equal((what, status, code), (what, (int)answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_wrong_region_is_answered_with_the_right_one()
    {
        StoreTestAnswer redirect = await Store.GetAsync(
            Right with
            {
                Host = "b-one.s3.us-west-2.amazonaws.com",
                Region = "us-west-2",
            }
        );
        StoreTestAnswer malformed = await Store.GetAsync(
            Right with
            {
                Host = "127.0.0.1",
                Target = "/b-one?encryption",
                Region = "us-west-2",
            }
        );

        Assert.Equal(
            ("b-one.s3.eu-west-1.amazonaws.com", "eu-west-1"),
            (redirect.Element("Endpoint"), redirect.Headers["x-amz-bucket-region"])
        );
        Assert.Equal(
            ("eu-west-1", "eu-west-1"),
            (malformed.Element("Region"), malformed.Headers["x-amz-bucket-region"])
        );
    }

    [Theory]
    [InlineData("wrong secret", "ak", "wrong", null, 403, "SignatureDoesNotMatch")]
    [InlineData("unknown key", "nobody", "sk", null, 403, "InvalidAccessKeyId")]
    [InlineData("disabled key", "off", "sk", null, 403, "InvalidAccessKeyId")]
    [InlineData("right token", "sts", "sk", "token", 204, null)]
    [InlineData("no token", "sts", "sk", null, 403, "InvalidAccessKeyId")]
    [InlineData("wrong token", "sts", "sk", "other", 400, "InvalidToken")]
    [InlineData("expired token", "old", "sk", "token", 400, "ExpiredToken")]
    [InlineData("token with a permanent key", "ak", "sk", "token", 400, "InvalidToken")]
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
    public async Task What_belongs_to_the_signature_must_be_there_and_be_right()
    {
        (await Store.GetAsync(Right with { Authorization = "" })).AssertIs(403, "AccessDenied");
        (await Store.GetAsync(Right with { Authorization = "AWS ak:c2ln" })).AssertIs(
            400,
            "AuthorizationHeaderMalformed"
        );
        (await Store.GetAsync(Right with { Service = "ec2" })).AssertIs(400, "AuthorizationHeaderMalformed");
        (await Store.GetAsync(Right with { ScopeDate = "20261120" })).AssertIs(400, "AuthorizationHeaderMalformed");
        (await Store.GetAsync(Right with { Unsigned = ["host"] })).AssertIs(403, "AccessDenied");
        (await Store.GetAsync(Right with { Unsigned = ["x-amz-content-sha256"] })).AssertIs(403, "AccessDenied");
        (await Store.GetAsync(Right.Changed("x-amz-meta", "added"))).AssertIs(403, "AccessDenied");
        (await Store.GetAsync(Right.With("x-amz-content-sha256", "UNSIGNED-PAYLOAD"))).AssertIs(200, null);
        (await Store.GetAsync(Right.With("x-amz-content-sha256", new string('0', 64)))).AssertIs(
            400,
            "XAmzContentSHA256Mismatch"
        );
        StoreTestAnswer changed = await Store.PutAsync(
            StoreTestClient.Configuration("AES256"),
            Right.Changed("content-md5", "DicE9DIiaL0g0jp0/ih4+w==")
        );
        changed.AssertIs(403, "SignatureDoesNotMatch");
        Assert.StartsWith(
            "PUT\n/\nencryption=\ncontent-md5:DicE9DIiaL0g0jp0/ih4+w==\nhost:b-one.s3.eu-west-1.amazonaws.com\n",
            changed.Element("CanonicalRequest"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_bucket_must_be_the_expected_owners()
    {
        (await Store.GetAsync(Right.With("x-amz-expected-bucket-owner", "123456789012"))).AssertIs(200, null);
        (await Store.GetAsync(Right.With("x-amz-expected-bucket-owner", "210987654321"))).AssertIs(403, "AccessDenied");
    }

    [Fact]
    public async Task Errors_have_the_vendors_shape()
    {
        StoreTestAnswer answer = await Store.GetAsync(Right with { Host = "b-two.s3.eu-west-1.amazonaws.com" });

        Assert.Equal(
            "Code Message BucketName Resource RequestId HostId",
            string.Join(' ', answer.Xml.Elements().Select(element => element.Name))
        );
        Assert.Equal(
            (answer.Element("RequestId"), answer.Element("HostId")),
            (answer.Headers["x-amz-request-id"], answer.Headers["x-amz-id-2"])
        );
        Assert.Equal("AmazonS3", answer.Headers["Server"]);
    }

    [Fact]
    public async Task Faults_and_deny_rules_speak_the_vendors_language()
    {
        await Admin.InjectAsync(
            new FaultRule(FaultActions.Error)
            {
                Times = 1,
                Status = 503,
                Code = "SlowDown",
                RetryAfterSeconds = 3,
            }
        );
        await Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.Put] });

        StoreTestAnswer slow = await Store.GetAsync(Right);

        slow.AssertIs(503, "SlowDown");
        Assert.Equal("3", slow.Headers["Retry-After"]);
        Assert.Equal(slow.Element("RequestId"), slow.Headers["x-amz-request-id"]);
        (await Store.PutAsync(StoreTestClient.Configuration("AES256"), Right)).AssertIs(403, "AccessDenied");
    }
}
