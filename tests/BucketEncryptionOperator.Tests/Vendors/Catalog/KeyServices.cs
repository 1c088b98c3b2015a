using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

/// <summary>One key service, with what its tests start from.</summary>
/// <param name="Answer">Returns the description of the key, for a state in the vendor's words.</param>
/// <param name="Error">Returns the body of an error.</param>
internal sealed record KeyServiceSample(
    Vendor Vendor,
    KeyQuestion Question,
    Func<string, string> Answer,
    Func<string, string> Error
)
{
    /// <summary>The state of a key that can be used.</summary>
    public required string Enabled { get; init; }

    /// <summary>The code for a right that is missing, and the right's name in the hint.</summary>
    public required (string Code, string Right) Denied { get; init; }

    /// <summary>Headers of every answer.</summary>
    public string[] Headers { get; init; } = [];

    public string Operation => Vendor.KeyService.Dialect.Ask(Question).Operation;

    public KmsKeyName KmsKey => Question.KmsKey;
}

/// <summary>The key services of all vendors; S3 has two.</summary>
internal static class KeyServices
{
    private const string Id = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";

    public static IReadOnlyDictionary<string, KeyServiceSample> All { get; } =
        new Dictionary<string, KeyServiceSample>(StringComparer.Ordinal)
        {
            ["alibaba"] = new(
                VendorCatalog.Find("AlibabaOSS")!,
                Question("AlibabaOSS", "https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou", new KmsKeyName(Id)),
                state =>
                    $$$"""
                        {"RequestId": "r-1", "KeyMetadata": {"KeyId": "{{{Id}}}", "KeyState": "{{{state}}}",
                         "Arn": "acs:kms:cn-hangzhou:1234567890123456:key/{{{Id}}}", "KeySpec": "Aliyun_AES_256",
                         "KeyUsage": "ENCRYPT/DECRYPT", "Origin": "Aliyun_KMS"}}
                        """,
                code => $$$"""{"HttpStatus": 400, "Code": "{{{code}}}", "Message": "m", "RequestId": "r-1"}"""
            )
            {
                Enabled = "Enabled",
                Denied = ("Forbidden.NoPermission", "kms:DescribeKey"),
            },
            ["aws"] = new(
                VendorCatalog.Find("S3")!,
                Question("S3", "https://s3.eu-central-1.amazonaws.com", "eu-central-1", new KmsKeyName(Id)),
                state =>
                    $$$"""
                        {"KeyMetadata": {"KeyId": "{{{Id}}}", "KeyState": "{{{state}}}", "Enabled": true,
                         "KeyManager": "CUSTOMER",
                         "Arn": "arn:aws:kms:eu-central-1:111122223333:key/{{{Id}}}", "KeySpec": "SYMMETRIC_DEFAULT",
                         "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "MultiRegion": false}}
                        """,
                code => $$$"""{"__type": "{{{code}}}", "message": "m"}"""
            )
            {
                Enabled = "Enabled",
                Denied = ("AccessDeniedException", "kms:DescribeKey"),
                Headers = ["x-amzn-RequestId: r-1"],
            },
            ["minio"] = new(
                VendorCatalog.Find("S3")!,
                Question(
                    "S3",
                    "http://minio.storage.svc:9000",
                    "us-east-1",
                    new KmsKeyName("finance-key"),
                    "http://minio.storage.svc:9000"
                ),
                state => $$$"""{"key-id": "finance-key", "encryption-error": "{{{state}}}"}""",
                code => $$$"""{"Code": "{{{code}}}", "Message": "m", "Resource": "/r", "RequestId": "r-1"}"""
            )
            {
                Enabled = "",
                Denied = ("AccessDenied", "kms:KeyStatus"),
            },
            ["huawei"] = new(
                VendorCatalog.Find("HuaweiOBS")!,
                Question(
                    "HuaweiOBS",
                    "https://obs.cn-north-4.myhuaweicloud.com",
                    "cn-north-4",
                    new KmsKeyName(Id, "77b6a44cba5143ab91d13ab9a8ff44fd")
                ),
                state =>
                    $$$"""
                        {"key_info": {"key_id": "{{{Id}}}", "key_state": "{{{state}}}", "key_alias": "finance",
                         "key_spec": "AES_256", "key_usage": "ENCRYPT_DECRYPT", "default_key_flag": "0",
                         "scheduled_deletion_date": "", "expiration_time": "", "origin": "kms"}}
                        """,
                code => $$$"""{"error": {"error_code": "{{{code}}}", "error_msg": "m"}}"""
            )
            {
                Enabled = "2",
                Denied = ("KMS.0306", "kms:cmk:get"),
            },
            ["jdcloud"] = new(
                VendorCatalog.Find("JDCloudOSS")!,
                Question("JDCloudOSS", "https://s3.cn-north-1.jdcloud-oss.com", "cn-north-1", new KmsKeyName(Id)),
                state =>
                    $$$"""
                        {"requestId": "r-1", "result": {"keyInfo": {"keyId": "{{{Id}}}", "keyName": "finance",
                         "keyStatus": {{{state}}}, "rotationCycle": 90}} }
                        """,
                code => $$$"""{"requestId": "r-1", "error": {"code": 400, "status": "{{{code}}}", "message": "m"}}"""
            )
            {
                Enabled = "0",
                Denied = ("PERMISSION_DENIED", "kms:describeKey"),
            },
        };

    public static TheoryData<string> Names => new(All.Keys);

    /// <summary>A question as the store's place leads to it.</summary>
    public static KeyQuestion Question(
        string vendor,
        string endpoint,
        string region,
        KmsKeyName kmsKey,
        string? named = null
    )
    {
        var place = VendorCatalog
            .Find(vendor)!
            .KeyService.Find(new StoreSettings(region, new Uri(endpoint)), named is null ? null : new Uri(named))!;
        return new KeyQuestion(
            new KeyServiceAddress(place.Endpoint, region, place.Options) { Limit = KeyServiceAddress.DefaultLimit },
            kmsKey
        );
    }
}
