using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>Byte for byte: scripts rely on the fields.</summary>
public sealed class JsonOutputTests
{
    private static readonly CommandTarget Target = new(BucketMethod.Get, VendorCatalog.Find("AlibabaOSS")!, "b-one");

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
                new BucketEncryption.Dsse("k-1") { Blocked = BlockedTypes.Of("SSE-C") },
                NotConfigured: null
            ),
            """"encryption":{"algorithm":"DSSE","kmsKeyId":"k-1","blockedEncryptionTypes":["SSE-C"]}"""",
            0
        ),
        (
            new CommandResult.Read(new BucketEncryption.Aes256 { Blocked = BlockedTypes.Of() }, null),
            """"encryption":{"algorithm":"AES256","blockedEncryptionTypes":["NONE"]}"""",
            0
        ),
        (new CommandResult.Read(new BucketEncryption.Sm4(), null), """"encryption":{"algorithm":"SM4"}"""", 0),
        (
            new CommandResult.Read(new BucketEncryption.Other("AES512"), null),
            """"encryption":{"algorithm":"AES512"}"""",
            0
        ),
        (
            new CommandResult.Interrupted(),
            "error\":{\"kind\":\"Transient\",\"code\":\"Interrupted\",\"message\":\""
                + "Stopped before the vendor answered. A put or delete may have been carried out: a get shows it.\"}",
            130
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

        var shown = JsonOutput.Render(Target, result, TimeSpan.FromMilliseconds(12.5));

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

    [Theory]
    [InlineData(BucketMethod.Get, "get")]
    [InlineData(BucketMethod.Put, "put")]
    [InlineData(BucketMethod.Delete, "delete")]
    internal void Show_names_the_method_as_it_is_typed(BucketMethod method, string word) =>
        Assert.StartsWith(
            $"{{\"method\":\"{word}\",",
            JsonOutput.Render(Target with { Method = method }, new CommandResult.Unusable("x"), TimeSpan.Zero).Text,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(FailureKind.Transient, "Transient")]
    [InlineData(FailureKind.Throttled, "Throttled")]
    [InlineData(FailureKind.Conflict, "Conflict")]
    [InlineData(FailureKind.Denied, "Denied")]
    [InlineData(FailureKind.Missing, "Missing")]
    [InlineData(FailureKind.Invalid, "Invalid")]
    [InlineData(FailureKind.Refused, "Refused")]
    [InlineData(FailureKind.Bug, "Bug")]
    internal void Show_names_the_kind_of_a_failure_by_a_word_that_never_changes(FailureKind kind, string word) =>
        Assert.Equal(
            $"{{\"error\":{{\"kind\":\"{word}\",\"operation\":\"O\",\"code\":\"C\"}},\"elapsedSeconds\":0}}\n",
            JsonOutput.Render(null, new CommandResult.Failed(new Failure(kind, "O", "C")), TimeSpan.Zero).Text
        );

    [Fact]
    public void Every_kind_of_failure_has_a_word() =>
        Assert.All(
            Enum.GetValues<FailureKind>(),
            kind => JsonOutput.Render(null, new CommandResult.Failed(new Failure(kind, "O", "C")), TimeSpan.Zero)
        );

    [Fact]
    public void Show_leaves_out_what_could_not_be_read() =>
        Assert.Equal(
            "{\"error\":{\"kind\":\"Invalid\",\"code\":\"InvalidArguments\",\"message\":\"x\"},\"elapsedSeconds\":0}\n",
            JsonOutput.Render(null, new CommandResult.Unusable("x"), TimeSpan.Zero).Text
        );
}
