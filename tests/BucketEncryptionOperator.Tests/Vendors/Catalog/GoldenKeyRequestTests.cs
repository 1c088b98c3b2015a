using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

/// <summary>
/// Golden/vendor/describe-key….http is the question that a key service is asked, as <see cref="GoldenRequestTests"/>
/// has the others.
/// </summary>
public sealed class GoldenKeyRequestTests
{
    private const string Nonce = "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf";
    private const string AlibabaStore = "https://oss-cn-hangzhou.aliyuncs.com";
    private const string AwsStore = "https://s3.eu-central-1.amazonaws.com";

    /// <summary>File → the question that must become it.</summary>
    private static readonly Dictionary<string, Case> Cases = new(StringComparer.Ordinal)
    {
        ["alibaba/describe-key"] = Of("alibaba"),
        ["alibaba/describe-key-token"] = Of("alibaba") with { Key = Dialects.Temporary },
        ["alibaba/describe-key-alias-vpc"] = Of("alibaba") with
        {
            Question = KeyServices.Question(
                "AlibabaOSS",
                AlibabaStore,
                "cn-hangzhou",
                new KmsKeyName("alias/finance key+1"),
                "https://kms-vpc.cn-hangzhou.aliyuncs.com"
            ),
        },
        ["huawei/describe-key"] = Of("huawei"),
        ["huawei/describe-key-token-long-name"] = Of("huawei") with
        {
            Key = Dialects.Temporary,
            Question = KeyServices.Question(
                "HuaweiOBS",
                "https://obs.eu-west-101.myhuaweicloud.eu",
                "eu-west-101",
                new KmsKeyName("eu-west-101:d-1:key/0d0466b0-e727-4d9c-b35d-f84bb474a37f", "p-1")
            ),
        },
        ["jdcloud/describe-key"] = Of("jdcloud"),
        ["jdcloud/describe-key-token"] = Of("jdcloud") with { Key = Dialects.Temporary },
        ["s3/describe-key"] = Of("aws"),
        ["s3/describe-key-arn-token"] = Of("aws") with
        {
            Key = Dialects.Temporary,
            Question = KeyServices.Question(
                "S3",
                AwsStore,
                "eu-central-1",
                new KmsKeyName("arn:aws:kms:eu-central-1:111122223333:key/k-1")
            ),
        },
        ["s3/describe-key-vpc"] = Of("aws") with
        {
            Question = KeyServices.Question(
                "S3",
                AwsStore,
                "eu-central-1",
                new KmsKeyName("alias/\"finance\""),
                "https://vpce-0a1-b2.kms.eu-central-1.vpce.amazonaws.com"
            ),
        },
        ["s3/key-status"] = Of("minio"),
        ["s3/key-status-token-arn"] = Of("minio") with
        {
            Key = Dialects.Temporary,
            Question = KeyServices.Question(
                "S3",
                "http://minio.storage.svc:9000",
                "us-east-1",
                new KmsKeyName("arn:aws:kms:finance/key 1"),
                "http://minio.storage.svc:9000"
            ),
        },
    };

    public static TheoryData<string> Files => new(Cases.Keys);

    internal static IEnumerable<string> Names => Cases.Keys;

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_question_is_the_golden_file(string file)
    {
        var (dialect, question, key) = Cases[file];
        var asked = dialect.Ask(question);

        using var request = dialect.Sign(
            new UnsignedRequest(asked.Method, question.Service, asked.Resource, key, asked.Body, Dialects.Now)
            {
                Nonce = Nonce,
            }
        );

        Assert.Equal(await GoldenRequestTests.ReadAsync(file), await Dialects.TextAsync(request));
    }

    private static Case Of(string sample) =>
        new(KeyServices.All[sample].Vendor.KeyService.Dialect, KeyServices.All[sample].Question, Dialects.Key);

    private sealed record Case(IKeyServiceDialect Dialect, KeyQuestion Question, AccessKey Key);
}
