using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>Byte for byte: scripts rely on the fields.</summary>
public sealed class JsonOutputTests
{
    private static readonly CommandTarget Task = new(BucketMethod.Get, VendorCatalog.Find("AlibabaOSS")!, "b-one");

    private static readonly (CommandResult Result, string Field, int ExitCode)[] All =
    [
        (new CommandResult.Read(new BucketEncryption.Aes256(), null), """"encryption":{"algorithm":"AES256"}"""", 0),
        (
            new CommandResult.Read(new BucketEncryption.Kms("k-1", DataCipher.Sm4, "p-1", true), null),
            "encryption\":{\"algorithm\":\"KMS\",\"kmsKeyId\":\"k-1\",\"kmsDataEncryption\":\"SM4\","
                + "\"kmsProjectId\":\"p-1\",\"bucketKeyEnabled\":true}",
            0
        ),
        (
            new CommandResult.Written(new BucketEncryption.Kms(null, DataCipher.Aes256)),
            """"encryption":{"algorithm":"KMS","kmsDataEncryption":"AES256","bucketKeyEnabled":false}"""",
            0
        ),
        (
            new CommandResult.Read(
                new BucketEncryption.None(),
                new Failure(FailureKind.Refused, "GetBucketEncryption", "NoSuchServerSideEncryptionRule")
            ),
            """"encryption":{"algorithm":"None"}"""",
            0
        ),
        (
            new CommandResult.Failed(
                new Failure(FailureKind.Denied, "GetBucketEncryption", "AccessDenied")
                {
                    HttpStatus = 403,
                    Ec = "0003-1",
                    Message = "No \"x\".",
                    Endpoint = "h",
                    RequestId = "R1",
                }
            ),
            "error\":{\"kind\":\"Denied\",\"operation\":\"GetBucketEncryption\",\"code\":\"AccessDenied\","
                + "\"httpStatus\":403,\"ec\":\"0003-1\",\"message\":\"No \\u0022x\\u0022.\","
                + "\"endpoint\":\"h\",\"requestId\":\"R1\"}",
            1
        ),
        (
            new CommandResult.Unusable("Say what."),
            """"error":{"kind":"Invalid","code":"InvalidArguments","message":"Say what."}"""",
            1
        ),
    ];

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, All.Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Show_prints_one_line_with_the_promised_fields(int at)
    {
        var (result, field, exitCode) = All[at];

        var shown = JsonOutput.Show(Task, result, TimeSpan.FromMilliseconds(12.5));

        Assert.Equal(
            (
                "{\"method\":\"get\",\"vendor\":\"AlibabaOSS\",\"bucket\":\"b-one\",\""
                    + field
                    + ",\"elapsedSeconds\":0.0125}\n",
                exitCode
            ),
            (shown.Text, shown.ExitCode)
        );
    }

    [Fact]
    public void Show_leaves_out_what_could_not_be_read() =>
        Assert.Equal(
            "{\"error\":{\"kind\":\"Invalid\",\"code\":\"InvalidArguments\",\"message\":\"x\"},\"elapsedSeconds\":0}\n",
            JsonOutput.Show(null, new CommandResult.Unusable("x"), TimeSpan.Zero).Text
        );
}
