using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>Byte for byte.</summary>
public sealed class OssutilOutputTests
{
    private const string Absent =
        "oss: service returned error: StatusCode=404, ErrorCode=NoSuchServerSideEncryptionRule, "
        + "ErrorMessage=\"There is none.\", RequestId=R1";
    private const string Elapsed = "\n0.856895(s) elapsed\n";

    private static readonly Failure Failure = new(FailureKind.Denied, "GetBucketEncryption", "AccessDenied")
    {
        HttpStatus = 403,
        Message = "No.",
        RequestId = "R1",
    };

    private static readonly (string What, BucketMethod Method, CommandResult Result, string Text, int ExitCode)[] All =
    [
        ("put", BucketMethod.Put, new CommandResult.Written(new BucketEncryption.Aes256()), Elapsed, 0),
        ("delete", BucketMethod.Delete, new CommandResult.Written(new BucketEncryption.None()), Elapsed, 0),
        ("AES256", BucketMethod.Get, Read(new BucketEncryption.Aes256()), "SSEAlgorithm:AES256\n\n\n" + Elapsed, 0),
        ("SM4", BucketMethod.Get, Read(new BucketEncryption.Sm4()), "SSEAlgorithm:SM4\n\n\n" + Elapsed, 0),
        (
            "unknown",
            BucketMethod.Get,
            Read(new BucketEncryption.Other("AES512")),
            "SSEAlgorithm:AES512\n\n\n" + Elapsed,
            0
        ),
        (
            "said to be None",
            BucketMethod.Get,
            Read(new BucketEncryption.None()),
            "SSEAlgorithm:None\n\n\n" + Elapsed,
            0
        ),
        (
            "KMS",
            BucketMethod.Get,
            Read(new BucketEncryption.Kms(null, DataCipher.Aes256)),
            "SSEAlgorithm:KMS\nKMSMasterKeyID:\nKMSDataEncryption:\n\n\n" + Elapsed,
            0
        ),
        (
            "KMS, key and SM4",
            BucketMethod.Get,
            Read(new BucketEncryption.Kms("k-1", DataCipher.Sm4)),
            "SSEAlgorithm:KMS\nKMSMasterKeyID:k-1\nKMSDataEncryption:SM4\n\n\n" + Elapsed,
            0
        ),
        (
            "KMS, all",
            BucketMethod.Get,
            Read(new BucketEncryption.Kms("k-1", DataCipher.Other, "p-1", true)),
            "SSEAlgorithm:KMS\nKMSMasterKeyID:k-1\nKMSDataEncryption:unknown\nProjectID:p-1\n"
                + "BucketKeyEnabled:true\n\n\n"
                + Elapsed,
            0
        ),
        (
            "DSSE, and SSE-C blocked",
            BucketMethod.Get,
            Read(new BucketEncryption.Dsse("k-1") { Blocked = BlockedTypes.Of("SSE-C") }),
            "SSEAlgorithm:DSSE\nKMSMasterKeyID:k-1\nBlockedEncryptionTypes:SSE-C\n\n\n" + Elapsed,
            0
        ),
        (
            "nothing blocked is no line",
            BucketMethod.Get,
            Read(new BucketEncryption.Aes256 { Blocked = BlockedTypes.Of() }),
            "SSEAlgorithm:AES256\n\n\n" + Elapsed,
            0
        ),
        (
            "not configured",
            BucketMethod.Get,
            new CommandResult.Read(
                new BucketEncryption.None(),
                Failure with
                {
                    Code = "NoSuchServerSideEncryptionRule",
                    HttpStatus = 404,
                    Message = "There is none.",
                }
            ),
            $"GetBucketEncryption error,info:{Absent}\nError: {Absent}\n",
            1
        ),
        (
            "an error of the vendor",
            BucketMethod.Put,
            new CommandResult.Failed(Failure),
            "Error: oss: service returned error: StatusCode=403, ErrorCode=AccessDenied, ErrorMessage=\"No.\", "
                + "RequestId=R1\n",
            1
        ),
        (
            "with endpoint and EC",
            BucketMethod.Delete,
            new CommandResult.Failed(Failure with { Endpoint = "oss-x.example.com", Ec = "0003-1" }),
            "Error: oss: service returned error: StatusCode=403, ErrorCode=AccessDenied, ErrorMessage=\"No.\", "
                + "RequestId=R1, Endpoint=oss-x.example.com, Ec=0003-1\n",
            1
        ),
        (
            "no answer",
            BucketMethod.Delete,
            new CommandResult.Failed(
                new Failure(FailureKind.Transient, "DeleteBucketEncryption", "Timeout") { Message = "None." }
            ),
            "Error: DeleteBucketEncryption: None. (Timeout)\n",
            1
        ),
        (
            "a local check",
            BucketMethod.Get,
            new CommandResult.Unusable("--method value is empty"),
            "Error: --method value is empty\n",
            1
        ),
    ];

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, All.Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Show_prints_what_ossutil_prints(int at)
    {
        var (what, method, result, text, exitCode) = All[at];
        var target = new CommandTarget(method, VendorCatalog.Find("AlibabaOSS")!, "b-one");

        var shown = OssutilOutput.Render(target, result, TimeSpan.FromMicroseconds(856895));

        Assert.Equal((what, text, exitCode), (what, shown.Text, shown.ExitCode));
    }

    [Fact]
    public void Show_names_another_vendors_service()
    {
        var target = new CommandTarget(BucketMethod.Put, VendorCatalog.Find("HuaweiOBS")!, "b-one");

        Assert.StartsWith(
            "Error: obs: service returned error: StatusCode=403, ",
            OssutilOutput.Render(target, new CommandResult.Failed(Failure), TimeSpan.Zero).Text,
            StringComparison.Ordinal
        );
    }

    private static CommandResult.Read Read(BucketEncryption encryption) => new(encryption, NotConfigured: null);
}
