using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

/// <summary>
/// Golden/vendor/name.http is the request, byte for byte: for reviews, and for comparison with what the vendors' own
/// clients send.
/// </summary>
public sealed class GoldenRequestTests
{
    private static readonly string Folder = Path.Combine(
        Repository.Root,
        "tests",
        "BucketEncryptionOperator.Tests",
        "Golden"
    );

    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Sm4 = new BucketEncryption.Sm4();
    private static readonly BucketEncryption KmsAnyKey = new BucketEncryption.Kms(null, DataCipher.Aes256);
    private static readonly BucketEncryption KmsKey = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
    private static readonly BucketEncryption KmsSm4 = new BucketEncryption.Kms("k-1", DataCipher.Sm4);
    private static readonly BucketEncryption KmsEverything = new BucketEncryption.Kms(
        "cn-north-4:d-1:key/k-1",
        DataCipher.Sm4,
        "p-1",
        BucketKeyEnabled: true
    );
    private static readonly BucketEncryption KmsBucketKey = new BucketEncryption.Kms(
        "arn:aws:kms:eu-central-1:111122223333:key/k-1",
        DataCipher.Aes256,
        BucketKeyEnabled: true
    );
    private static readonly BucketEncryption Dsse = new BucketEncryption.Dsse(
        "arn:aws:kms:eu-central-1:111122223333:key/k-1"
    )
    {
        Blocked = BlockedTypes.Of("SSE-C"),
    };

    private static readonly BucketAddress Oss = At("https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou");
    private static readonly BucketAddress OssPath = At("http://127.0.0.1:9000", "cn-hangzhou", Addressing.Path);
    private static readonly BucketAddress OssV1 = Oss with
    {
        Options = new OssOptions(OssSignature.V1, CloudBoxId: null),
    };
    private static readonly BucketAddress CloudBox = At(
        "https://cb-a1b2.cn-hangzhou.oss-cloudbox.aliyuncs.com",
        "cn-hangzhou"
    ) with
    {
        Options = new OssOptions(OssSignature.V4, "cb-a1b2"),
    };
    private static readonly BucketAddress CName = At("https://archive.corp.example", "cn-hangzhou", Addressing.CName);
    private static readonly BucketAddress Obs = At("https://obs.cn-north-4.myhuaweicloud.com", "cn-north-4");
    private static readonly BucketAddress JD = At("https://s3.cn-north-1.jdcloud-oss.com", "cn-north-1");
    private static readonly BucketAddress Aws = At("https://s3.eu-central-1.amazonaws.com", "eu-central-1");
    private static readonly BucketAddress AwsOwned = Aws with { Options = new S3Options("111122223333") };
    private static readonly BucketAddress MinIO = At("http://minio.storage.svc:9000", "us-east-1", Addressing.Path);

    /// <summary>File → the request that must be it.</summary>
    private static readonly Dictionary<string, Case> Cases = new(StringComparer.Ordinal)
    {
        ["alibaba/get"] = Get(Oss),
        ["alibaba/get-path-style"] = Get(OssPath),
        ["alibaba/get-ipv6"] = Get(At("http://[::1]:9000", "cn-hangzhou", Addressing.Path)),
        ["alibaba/get-port"] = Get(At("https://oss.corp.example:8443", "cn-shanghai")),
        ["alibaba/get-token"] = Get(Oss, Dialects.Temporary),
        ["alibaba/get-cname"] = Get(CName),
        ["alibaba/get-internal"] = Get(At("https://oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou")),
        ["alibaba/get-cloudbox"] = Get(CloudBox),
        ["alibaba/put-aes256"] = Put(Oss, Aes),
        ["alibaba/put-sm4"] = Put(Oss, Sm4),
        ["alibaba/put-kms"] = Put(Oss, KmsSm4),
        ["alibaba/put-cloudbox"] = Put(CloudBox, Aes),
        ["alibaba/put-path-style-token"] = Put(OssPath, KmsSm4, Dialects.Temporary),
        ["alibaba/delete"] = Delete(Oss),
        ["alibaba/delete-token"] = Delete(Oss, Dialects.Temporary),
        ["alibaba/v1-get"] = Get(OssV1),
        ["alibaba/v1-get-cname"] = Get(CName with { Options = new OssOptions(OssSignature.V1, CloudBoxId: null) }),
        ["alibaba/v1-put-kms"] = Put(OssV1, KmsSm4),
        ["alibaba/v1-put-token"] = Put(OssV1, Aes, Dialects.Temporary),
        ["alibaba/v1-delete"] = Delete(OssV1),

        ["alibaba/list"] = List("alibaba", Store(Oss)),
        ["alibaba/list-next"] = List("alibaba", Store(Oss), "finance-archive"),
        ["alibaba/list-cloudbox"] = List("alibaba", Store(CloudBox)),
        ["alibaba/list-token"] = List("alibaba", Store(Oss)) with { Key = Dialects.Temporary },
        ["alibaba/location"] = Get(Oss) with { Resource = Resource.Location },
        ["alibaba/tags"] = Get(Oss) with { Resource = Resource.Tagging },
        ["alibaba/v1-list-next"] = List("alibaba", Store(OssV1), "finance-archive"),
        ["alibaba/v1-location"] = Get(OssV1) with { Resource = Resource.Location },
        ["alibaba/v1-tags"] = Get(OssV1) with { Resource = Resource.Tagging },

        ["huawei/get"] = Get(Obs),
        ["huawei/get-token"] = Get(Obs, Dialects.Temporary),
        ["huawei/get-port"] = Get(At("http://obs.corp.example:8080", "corp-1")),
        ["huawei/put-aes256"] = Put(Obs, Aes),
        ["huawei/put-kms-any-key"] = Put(Obs, KmsAnyKey),
        ["huawei/put-kms-everything"] = Put(Obs, KmsEverything),
        ["huawei/put-token"] = Put(Obs, KmsKey, Dialects.Temporary),
        ["huawei/delete"] = Delete(Obs),

        ["huawei/list"] = List("huawei", Store(Obs)),
        ["huawei/list-next"] = List("huawei", Store(Obs), "finance-archive"),
        ["huawei/list-token"] = List("huawei", Store(Obs)) with { Key = Dialects.Temporary },
        ["huawei/location"] = Get(Obs) with { Resource = Resource.Location },
        ["huawei/tags"] = Get(Obs) with { Resource = Resource.Tagging },

        ["jdcloud/get"] = Get(JD),
        ["jdcloud/get-path-style"] = Get(JD with { Addressing = Addressing.Path }),
        ["jdcloud/put-kms-any-key"] = Put(JD, KmsAnyKey),
        ["jdcloud/put-kms"] = Put(JD, KmsKey),
        ["jdcloud/delete"] = Delete(JD),

        ["jdcloud/list"] = List("jdcloud", Store(JD)),
        ["jdcloud/location"] = Get(JD) with { Resource = Resource.Location },
        ["jdcloud/tags"] = Get(JD) with { Resource = Resource.Tagging },

        ["s3/get"] = Get(Aws),
        ["s3/get-path-style"] = Get(MinIO),
        ["s3/get-dotted-name"] = Get(Aws with { Bucket = "finance.archive", Addressing = Addressing.Path }),
        ["s3/get-token"] = Get(Aws, Dialects.Temporary),
        ["s3/put-aes256"] = Put(Aws, Aes),
        ["s3/put-kms-bucket-key"] = Put(Aws, KmsBucketKey),
        ["s3/put-dsse"] = Put(Aws, Dsse),
        ["s3/put-aes256-nothing-blocked"] = Put(Aws, Aes with { Blocked = BlockedTypes.Of() }),
        ["s3/put-kms-path-style"] = Put(MinIO, KmsKey),
        ["s3/put-expected-owner-token"] = Put(
            Aws with
            {
                Options = new S3Options("111122223333"),
            },
            KmsAnyKey,
            Dialects.Temporary
        ),
        ["s3/delete-expected-owner"] = Delete(Aws with { Options = new S3Options("111122223333") }),
        ["s3/delete"] = Delete(Aws),
        ["s3/list"] = List("s3", Store(AwsOwned)),
        ["s3/list-next"] = List("s3", Store(Aws), "eyJ0b2tlbiI6/ab+c=="),
        ["s3/list-path-style"] = List("s3", Store(MinIO)),
        ["s3/list-token"] = List("s3", Store(Aws)) with { Key = Dialects.Temporary },
        ["s3/location-expected-owner"] = Get(AwsOwned) with { Resource = Resource.Location },
        ["s3/tags"] = Get(Aws) with { Resource = Resource.Tagging },
        ["s3/tags-expected-owner"] = Get(AwsOwned) with { Resource = Resource.Tagging },
        ["s3/tags-path-style"] = Get(MinIO) with { Resource = Resource.Tagging },
    };

    public static TheoryData<string> Files => new(Cases.Keys);

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_request_is_the_golden_file(string file)
    {
        var (method, address, key, target) = Cases[file];
        var dialect = Dialects.All[file.Split('/')[0]];

        using var request = dialect.Sign(
            new UnsignedRequest(
                method,
                address,
                Cases[file].Resource,
                key,
                target is null ? null : dialect.Document.Write(target, basis: null),
                Dialects.Now
            )
        );

        Assert.Equal(await ReadAsync(file), await Dialects.TextAsync(request));
    }

    [Fact]
    public void Every_golden_file_is_compared() =>
        Assert.Equal(
            Cases.Keys.Concat(GoldenKeyRequestTests.Names).Order(StringComparer.Ordinal),
            Directory
                .GetFiles(Folder, "*.http", SearchOption.AllDirectories)
                .Select(f => Path.ChangeExtension(Path.GetRelativePath(Folder, f), null).Replace('\\', '/'))
                .Order(StringComparer.Ordinal)
        );

    internal static Task<string> ReadAsync(string file) => File.ReadAllTextAsync(Path.Combine(Folder, file + ".http"));

    private static BucketAddress At(string endpoint, string region, Addressing addressing = Addressing.VirtualHost) =>
        new("finance-archive", new Uri(endpoint), region, addressing, VendorOptions.None);

    private static StoreAddress Store(BucketAddress bucket) =>
        new(bucket.Endpoint, bucket.Region, bucket.Addressing, bucket.Options);

    private static Case List(string vendor, StoreAddress store, string? begin = null) =>
        new(HttpMethod.Get, store, Dialects.Key, Target: null)
        {
            Resource = Dialects.All[vendor].Account.Page(store, begin),
        };

    private static Case Get(BucketAddress address, AccessKey? key = null) =>
        new(HttpMethod.Get, address, key ?? Dialects.Key, Target: null);

    private static Case Put(BucketAddress address, BucketEncryption target, AccessKey? key = null) =>
        new(HttpMethod.Put, address, key ?? Dialects.Key, target);

    private static Case Delete(BucketAddress address, AccessKey? key = null) =>
        new(HttpMethod.Delete, address, key ?? Dialects.Key, Target: null);

    private sealed record Case(HttpMethod Method, VendorAddress Address, AccessKey Key, BucketEncryption? Target)
    {
        public Resource Resource { get; init; } = Resource.Encryption;
    }
}
