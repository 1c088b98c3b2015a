using System.Text.RegularExpressions;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using TestKit;
using SimulatedVendor = ObjectStoreSimulator.Vendor;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>
/// The operator's client of each vendor at the simulator, which was written from the same facts by other code:
/// signature, headers, documents and codes of the one are understood by the other. What the vendors' own clients send
/// is compared in tests/interop.
/// </summary>
public sealed partial class SimulatedStoreTests
{
    private const string KeyId = "example-kms-key-id";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption KmsAnyKey = new BucketEncryption.Kms(null, DataCipher.Aes256);
    private static readonly BucketEncryption KmsKey = new BucketEncryption.Kms(KeyId, DataCipher.Aes256);

    private static readonly Place Oss = new(
        SimulatedVendor.AlibabaOSS,
        "AlibabaOSS",
        "http://oss-cn-hangzhou.aliyuncs.com",
        "cn-hangzhou",
        Addressing.VirtualHost
    );
    private static readonly Place CloudBox = Oss with
    {
        Endpoint = "http://cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com",
        CloudBoxId = "cb-123",
    };
    private static readonly Place CName = Oss with { Endpoint = "http://files.example", Addressing = Addressing.CName };
    private static readonly Place Obs = new(
        SimulatedVendor.HuaweiOBS,
        "HuaweiOBS",
        "http://obs.cn-north-4.myhuaweicloud.com",
        "cn-north-4",
        Addressing.VirtualHost
    );
    private static readonly Place JD = new(
        SimulatedVendor.JDCloudOSS,
        "JDCloudOSS",
        "http://s3.cn-north-1.jdcloud-oss.com",
        "cn-north-1",
        Addressing.VirtualHost
    );
    private static readonly Place Aws = new(
        SimulatedVendor.S3,
        "S3",
        "http://s3.eu-central-1.amazonaws.com",
        "eu-central-1",
        Addressing.VirtualHost
    );
    private static readonly Place MinIO = new(
        SimulatedVendor.MinIO,
        "S3",
        Endpoint: null,
        "us-east-1",
        Addressing.Path
    );

    private static readonly Dictionary<string, Place> Places = new(StringComparer.Ordinal)
    {
        ["alibaba"] = Oss,
        ["alibaba, internal"] = Oss with { Endpoint = "http://oss-cn-hangzhou-internal.aliyuncs.com" },
        ["alibaba, dual stack"] = Oss with { Endpoint = "http://cn-hangzhou.oss.aliyuncs.com" },
        ["alibaba, path"] = Oss with { Endpoint = null, Addressing = Addressing.Path },
        ["alibaba, V1"] = Oss with { SignatureVersion = "V1" },
        ["alibaba, V1, path"] = Oss with { SignatureVersion = "V1", Endpoint = null, Addressing = Addressing.Path },
        ["alibaba, CNAME"] = CName,
        ["alibaba, V1, CNAME"] = CName with { SignatureVersion = "V1" },
        ["alibaba, CloudBox"] = CloudBox,
        ["alibaba, CloudBox, control"] = CloudBox with
        {
            Endpoint = "http://cb-123.cn-hangzhou.oss-cloudbox-control.aliyuncs.com",
        },
        ["huawei"] = Obs,
        ["huawei, Europe"] = Obs with { Endpoint = "http://obs.eu-west-101.myhuaweicloud.eu", Region = "eu-west-101" },
        ["huawei, a port"] = Obs with { Endpoint = "http://obs.corp-1.example:8080", Region = "corp-1" },
        ["jdcloud"] = JD,
        ["jdcloud, path"] = JD with { Addressing = Addressing.Path },
        ["jdcloud, internal"] = JD with { Endpoint = "http://s3-internal.cn-north-1.jdcloud-oss.com" },
        ["jdcloud, newer pages"] = JD with { Endpoint = "http://s3.cn-north-1.jcloudcs.com" },
        ["aws"] = Aws,
        ["aws, path"] = Aws with { Addressing = Addressing.Path },
        ["aws, a name with dots"] = Aws with { Addressing = Addressing.Path, Bucket = "finance.archive" },
        ["aws, dual stack"] = Aws with { Endpoint = "http://s3.dualstack.eu-central-1.amazonaws.com" },
        ["aws, FIPS"] = Aws with { Endpoint = "http://s3-fips.us-east-1.amazonaws.com", Region = "us-east-1" },
        ["aws, China"] = Aws with { Endpoint = "http://s3.cn-north-1.amazonaws.com.cn", Region = "cn-north-1" },
        ["minio"] = MinIO,
        ["minio, virtual host"] = MinIO with
        {
            Endpoint = "http://s3.us-east-1.storage.example",
            Addressing = Addressing.VirtualHost,
        },
    };

    /// <summary>Each vendor once: what does not depend on the address.</summary>
    public static TheoryData<string> Vendors => ["alibaba", "alibaba, V1", "huawei", "jdcloud", "aws", "minio"];

    public static TheoryData<string> All => new(Places.Keys);

    [Theory]
    [MemberData(nameof(All))]
    public async Task All_that_a_store_offers_is_put_read_back_and_removed(string place)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        var absent = store.Traits.AlwaysEncrypted ? Aes : None;
        Assert.Equal(absent, (await store.GetAsync()).Encryption);

        foreach (var target in Offers(store.Traits, Places[place]))
        {
            await store.PutAsync(target);
            Assert.Equal(target, (await store.GetAsync()).Encryption);
        }
        await store.DeleteAsync();
        await store.DeleteAsync();

        Assert.Equal(absent, (await store.GetAsync()).Encryption);
        Assert.All((await store.Admin.GetCountersAsync()).Writes, w => Assert.True(w.Accepted, w.Code));
    }

    /// <summary>
    /// Other order, white space, namespace, long key ids, and elements of a later release: read all the same, and sent
    /// back with the change.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_later_releases_document_is_read_and_kept_but_for_the_change(string place)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.PutAsync(KmsKey);
        await store.Admin.SetSettingsAsync(
            new SimulatorSettings
            {
                UnknownElements = true,
                WhiteSpace = true,
                ReverseOrder = true,
                LongKeyIds = true,
                EchoBucketKey = true,
                Namespace = "http://later.example/doc/2031/",
            }
        );

        var seen = await store.GetAsync();
        await store.PutAsync(new BucketEncryption.Kms("another-key", DataCipher.Aes256));

        var kms = Assert.IsType<BucketEncryption.Kms>(seen.Encryption);
        Assert.EndsWith(KeyId, kms.KeyId, StringComparison.Ordinal);
        var stored = WhiteSpaceAtTags().Replace((await store.Admin.GetEncryptionAsync(store.Address.Bucket))!, "$1");
        Assert.Contains("<KMSMasterKeyID>another-key</KMSMasterKeyID>", stored, StringComparison.Ordinal);
        if (Places[place].Simulated != SimulatedVendor.MinIO) // which drops them
        {
            Assert.Contains(
                "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>",
                stored,
                StringComparison.Ordinal
            );
            Assert.Contains("<BucketKeyRotationPeriod>90</BucketKeyRotationPeriod>", stored, StringComparison.Ordinal);
            Assert.Contains("<Future since=\"2031\"><Deep>1</Deep></Future>", stored, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_parallel_file_system_has_nothing_configured_and_takes_nothing()
    {
        await using var store = await SimulatedStore.StartAsync(Obs);
        await store.SetBucketAsync(new SimulatedBucket { FileSystem = "unsupported" });

        Assert.Equal(None, (await store.GetAsync()).Encryption);
        var failure = await FailureOfAsync(store.PutAsync(KmsKey));

        Assert.Equal((FailureKind.Refused, "FsNotSupport", 405), (failure.Kind, failure.Code, failure.HttpStatus));
    }

    [Fact]
    public async Task A_newer_parallel_file_system_takes_a_key_with_a_bucket_key()
    {
        await using var store = await SimulatedStore.StartAsync(Obs);
        await store.SetBucketAsync(new SimulatedBucket { FileSystem = "bucketKeyOnly" });
        var all = new BucketEncryption.Kms(KeyId, DataCipher.Sm4, "example-project-id", BucketKeyEnabled: true);

        await store.PutAsync(all);

        Assert.Equal(all, (await store.GetAsync()).Encryption);
    }

    [Fact]
    public async Task MinIO_wants_a_key_for_KMS_and_forgets_the_bucket_key()
    {
        await using var store = await SimulatedStore.StartAsync(MinIO);

        var failure = await FailureOfAsync(store.PutAsync(KmsAnyKey));
        await store.PutAsync(new BucketEncryption.Kms(KeyId, DataCipher.Aes256, BucketKeyEnabled: true));

        Assert.Equal((FailureKind.Refused, "MalformedXML"), (failure.Kind, failure.Code));
        Assert.Equal(KmsKey, (await store.GetAsync()).Encryption);
    }

    [Theory]
    [InlineData("123456789012", null)]
    [InlineData("210987654321", "AccessDenied")]
    public async Task AWS_refuses_the_bucket_of_another_owner(string owner, string? code)
    {
        await using var store = await SimulatedStore.StartAsync(Aws);
        var settings = new StoreSettings(Aws.Region, store.Address.Endpoint)
        {
            ForVendor = [new VendorSetting("expectedBucketOwner", "the test", owner)],
        };
        var options = VendorCatalog.Bind(VendorCatalog.Find("S3")!, settings).Options;

        var thrown = await Record.ExceptionAsync(() =>
            store.GetAsync(address: store.Address with { Options = options })
        );

        Assert.Equal(code, (thrown as VendorException)?.Failure.Code);
    }

    [Theory]
    [InlineData("alibaba", true)]
    [InlineData("alibaba, V1", true)]
    [InlineData("huawei", true)]
    [InlineData("jdcloud", false)]
    [InlineData("minio", false)]
    public async Task An_error_without_a_body_is_read_from_headers_where_the_vendor_has_them(
        string place,
        bool hasHeaders
    )
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetSettingsAsync(new SimulatorSettings { EmptyErrorBodies = true });

        var observed = await Record.ExceptionAsync(() => store.GetAsync());
        var denied = await FailureOfAsync(store.GetAsync(new AccessKey("nobody", "sk", SecurityToken: null)));

        Assert.Equal(hasHeaders ? null : "HTTP_404", (observed as VendorException)?.Failure.Code);
        Assert.Equal(
            hasHeaders ? (FailureKind.Denied, "InvalidAccessKeyId", true) : (FailureKind.Transient, "HTTP_403", false),
            (denied.Kind, denied.Code, denied.IsVendorAnswer)
        );
    }

    [Theory]
    [InlineData("alibaba", 400, null)]
    [InlineData("jdcloud", 404, "NoSuchEncryptionConfiguration")]
    [InlineData("jdcloud", 404, "NoSuchServerSideEncryptionRule")]
    public async Task Not_configured_is_a_value_however_it_is_said(string place, int status, string? code)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetSettingsAsync(
            new SimulatorSettings
            {
                NotConfiguredStatus = status,
                NotConfiguredCode = code,
                ErrorNamespace = true,
            }
        );

        Assert.Equal(None, (await store.GetAsync()).Encryption);
    }

    /// <summary>From the one to the next, so that each step also takes away what the one before had.</summary>
    private static List<BucketEncryption> Offers(StoreTraits traits, Place place)
    {
        if (place.IsCloudBox)
            return [Aes];
        List<BucketEncryption> targets = [KmsKey];
        if (traits.DataEncryption)
            targets.Add(new BucketEncryption.Kms(KeyId, DataCipher.Sm4));
        if (traits.KeyProjects)
            targets.Add(
                new BucketEncryption.Kms("cn-north-4:0123abcd:key/" + KeyId, DataCipher.Sm4, "example-project-id")
            );
        if (traits.BucketKeys && place.Simulated != SimulatedVendor.MinIO)
            targets.Add(new BucketEncryption.Kms(KeyId, DataCipher.Aes256, BucketKeyEnabled: true));
        if (traits.Algorithms.Contains("AES256"))
            targets.Add(Aes);
        if (place.Simulated != SimulatedVendor.MinIO)
            targets.Add(KmsAnyKey);
        if (traits.Algorithms.Contains("SM4"))
            targets.Add(new BucketEncryption.Sm4());
        return targets;
    }

    [GeneratedRegex(@"\s*([<>])\s*")]
    private static partial Regex WhiteSpaceAtTags();

    private static async Task<Failure> FailureOfAsync(Task call) =>
        (await Assert.ThrowsAsync<VendorException>(() => call)).Failure;
}
