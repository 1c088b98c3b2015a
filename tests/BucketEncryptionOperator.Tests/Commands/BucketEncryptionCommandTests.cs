using BucketEncryptionOperator.Tests.Fakes;
using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>
/// The command against a server that tells what it was sent. That the vendor's stores take it,
/// docs/bucket-encryption-command.md shows.
/// </summary>
public sealed partial class BucketEncryptionCommandTests
{
    private const string Live =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><KMSMasterKeyID>k-0</KMSMasterKeyID>"
        + "<SSEAlgorithm>KMS</SSEAlgorithm><Future>kept</Future>"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private const string Nothing = "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>";

    private const string Plain =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private static readonly string[] PutKms =
    [
        "--method",
        "put",
        "oss://b-one",
        "--sse-algorithm",
        "KMS",
        "-i",
        "marked-id",
        "-k",
        "marked-secret",
        "-t",
        "marked-token",
        "--region",
        "cn-x",
    ];

    [Fact]
    public async Task A_put_reads_first_and_keeps_what_the_options_have_no_word_for()
    {
        await using var server = new ScriptedServer(r =>
            r.StartsWith("GET", StringComparison.Ordinal)
                ? ScriptedServer.Answer(200, Live)
                : ScriptedServer.Answer(200)
        );

        var ran = await RunAsync(server, PutKms);

        Assert.Equal((0, ""), (ran.ExitCode, ran.Errors));
        Assert.Equal(
            ["GET /b-one/?encryption HTTP/1.1", "PUT /b-one/?encryption HTTP/1.1"],
            server.Requests.Select(FirstLine)
        );
        Assert.EndsWith(
            Live.Replace("<KMSMasterKeyID>k-0</KMSMasterKeyID>", "", StringComparison.Ordinal),
            server.Requests.Last(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_put_of_one_who_may_not_read_is_a_plain_document()
    {
        await using var server = new ScriptedServer(r =>
            r.StartsWith("GET", StringComparison.Ordinal) ? Error(403, "AccessDenied") : ScriptedServer.Answer(200)
        );

        var ran = await RunAsync(server, PutKms);

        Assert.Equal(0, ran.ExitCode);
        Assert.EndsWith(Plain, server.Requests.Last(), StringComparison.Ordinal);
    }

    /// <summary>A person may put KMS without a key. The command warns that uploads will fail.</summary>
    [Theory]
    [InlineData("KMS without a key", "--sse-algorithm KMS", "tx000000000000000000090-005b887ffb-1c6c37f-default", true)]
    [InlineData(
        "KMS with a key",
        "--sse-algorithm KMS --kms-masterkey-id k-1",
        "tx000000000000000000090-005b887ffb-1c6c37f-default",
        false
    )]
    [InlineData("AES256", "--sse-algorithm AES256", "tx000000000000000000090-005b887ffb-1c6c37f-default", false)]
    [InlineData("KMS without a key, and a store that is not Ceph", "--sse-algorithm KMS", "4442587FB7D0A2F9", false)]
    public async Task A_put_to_Ceph_of_KMS_without_a_key_warns_that_uploads_will_fail(
        string sentence,
        string options,
        string requestId,
        bool warns
    )
    {
        const string None = "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>";
        await using var server = new ScriptedServer(r =>
            r.StartsWith("GET", StringComparison.Ordinal)
                ? ScriptedServer.Answer(404, None, $"x-amz-request-id: {requestId}")
                : ScriptedServer.Answer(200)
        );

        var ran = await RunAsync(
            server,
            ["--method", "put", "s3://b-one", "-i", "i", "-k", "k", "--region", "cn-x", .. options.Split(' ')]
        );

        Assert.True(ran.ExitCode == 0, $"{sentence}: {ran.Output}");
        Assert.Equal(
            ["GET /b-one/?encryption HTTP/1.1", "PUT /b-one/?encryption HTTP/1.1"],
            server.Requests.Select(FirstLine)
        );
        var isWarned = ran.Errors.Contains("has no KMS key of its own", StringComparison.Ordinal);
        Assert.True(warns == isWarned, $"{sentence}: {ran.Errors}");
    }

    [Theory]
    [InlineData(403, "SignatureDoesNotMatch")]
    [InlineData(404, "NoSuchBucket")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task A_put_that_cannot_read_for_another_reason_writes_nothing(int status, string code)
    {
        await using var server = new ScriptedServer(_ => Error(status, code));

        var ran = await RunAsync(server, PutKms);

        Assert.Equal(
            (
                1,
                $"Error: oss: service returned error: StatusCode={status}, ErrorCode={code}, ErrorMessage=\"M\", "
                    + "RequestId=R1\n"
            ),
            (ran.ExitCode, ran.Output)
        );
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("oss://b-one", "", "Authorization: OSS ")]
    [InlineData("oss://b-one", "--region cn-x", "Authorization: OSS4-HMAC-SHA256 ")]
    [InlineData("oss://b-one", "--region cn-x --sign-version V1", "Authorization: OSS ")]
    [InlineData("s3://b-one", "--region cn-x", "Authorization: AWS4-HMAC-SHA256 ")]
    [InlineData("s3://b-one", "--region cn-x --vendor jdcloud", "Authorization: AWS4-HMAC-SHA256 ")]
    public async Task Each_vendor_is_spoken_to_in_its_own_way(string url, string options, string expected)
    {
        const string Rule =
            "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
            + "</ApplyServerSideEncryptionByDefault>";
        var document = url.StartsWith("oss", StringComparison.Ordinal)
            ? $"<ServerSideEncryptionRule>{Rule}</ServerSideEncryptionRule>"
            : $"<ServerSideEncryptionConfiguration><Rule>{Rule}</Rule></ServerSideEncryptionConfiguration>";
        await using var server = new ScriptedServer(r =>
            r.StartsWith("GET", StringComparison.Ordinal)
                ? ScriptedServer.Answer(200, document)
                : ScriptedServer.Answer(204)
        );

        var ran = await RunAsync(
            server,
            [
                "--method",
                "DELETE",
                url,
                "-i",
                "i",
                "-k",
                "k",
                .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ]
        );

        Assert.Equal(
            ["GET /b-one/?encryption HTTP/1.1", "DELETE /b-one/?encryption HTTP/1.1"],
            server.Requests.Select(FirstLine)
        );
        Assert.All(server.Requests, r => Assert.Contains(expected, r, StringComparison.Ordinal));
        Assert.Equal((0, "\n0.000000(s) elapsed\n"), (ran.ExitCode, ran.Output));
    }

    /// <summary>Old stores do not know <c>?encryption</c>, and take a DELETE for the bucket's own.</summary>
    [Theory]
    [InlineData(
        "nothing is configured, by the vendor's code",
        404,
        "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>",
        0
    )]
    [InlineData("the list of an old store", 200, "<ListBucketResult><Name>b-one</Name></ListBucketResult>", 1)]
    [InlineData("denied", 403, "<Error><Code>AccessDenied</Code></Error>", 1)]
    [InlineData("denied without a code", 403, "", 1)]
    [InlineData("not there without a code", 404, "404 page not found", 1)]
    [InlineData("no such bucket", 404, "<Error><Code>NoSuchBucket</Code></Error>", 1)]
    [InlineData(
        "an error that says 200",
        200,
        "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>",
        1
    )]
    [InlineData("a page of something else", 200, "<html><body>Welcome</body></html>", 1)]
    [InlineData("nothing at all", 200, "", 1)]
    [InlineData("half a document", 200, "<ServerSideEncryptionConfiguration><Rule>", 1)]
    [InlineData(
        "another vendor's document",
        200,
        "<ServerSideEncryptionRule><SSEAlgorithm>AES256</SSEAlgorithm></ServerSideEncryptionRule>",
        1
    )]
    [InlineData("a failure", 500, "<Error><Code>InternalError</Code></Error>", 1)]
    [InlineData("not offered, without a code", 501, "", 1)]
    [InlineData("elsewhere", 301, "<Error><Code>PermanentRedirect</Code></Error>", 1)]
    public async Task A_delete_sends_nothing_unless_the_store_has_just_shown_an_encryption(
        string rule,
        int status,
        string body,
        int exitCode
    )
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status, body));

        var ran = await RunAsync(
            server,
            ["--method", "delete", "s3://b-one", "-i", "i", "-k", "k", "--region", "us-east-1", "--json"]
        );

        Assert.True(server.Requests.Select(FirstLine).SequenceEqual(["GET /b-one/?encryption HTTP/1.1"]), rule);
        Assert.True(ran.ExitCode == exitCode, $"{rule}: {ran.Output}");
        Assert.Contains(
            exitCode == 0
                ? """
                "encryption":{"algorithm":"None"}
                """.Trim()
                : "\"error\"",
            ran.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_delete_leaves_the_bucket_of_a_store_that_does_not_know_encryption()
    {
        await using var store = await SimulatorServer.StartAsync(
            new SimulatorOptions
            {
                Vendor = Vendor.MinIO,
                Time = new ManualTimeProvider(),
                Seed = new Seed(
                    [new SeedAccount { AccessKeyId = "i", Secret = "k" }],
                    [new SeedBucket { Name = "b-one", Region = "us-east-1" }]
                ),
            }
        );
        using var admin = new SimulatorAdmin(store.Url);
        await admin.SetSettingsAsync(new SimulatorSettings { NoEncryptionSubResource = true });

        var ran = await RunAsync(
            store.Url,
            ["--method", "delete", "s3://b-one", "-i", "i", "-k", "k", "--region", "us-east-1", "--json"]
        );

        Assert.True(
            ran.ExitCode == 1 && ran.Output.Contains("\"httpStatus\":200", StringComparison.Ordinal),
            ran.Output
        );
        await admin.SetSettingsAsync(new SimulatorSettings());
        var read = await RunAsync(
            store.Url,
            ["--method", "get", "s3://b-one", "-i", "i", "-k", "k", "--region", "us-east-1", "--json"]
        );
        Assert.True(read.ExitCode == 0, read.Output);
    }

    /// <summary>Whatever goes wrong, in both forms.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("--json")]
    [InlineData("--method list")]
    [InlineData("--mode RamRoleArn")]
    [InlineData("--region marked/")]
    [InlineData("--acces-key-id marked-other")]
    [InlineData("--proxy-pwd marked-other")]
    [InlineData("-c /nonexistent/file")]
    public async Task No_key_is_ever_printed(string options)
    {
        await using var server = new ScriptedServer(_ => Error(403, "SignatureDoesNotMatch"));

        var ran = await RunAsync(
            server,
            [.. PutKms.Except(["--region", "cn-x"]), .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]
        );

        Assert.Equal(1, ran.ExitCode);
        Assert.NotEmpty(ran.Output);
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_config_file_is_for_its_own_vendor_only()
    {
        var home = Directory.CreateTempSubdirectory("bucket-encryption-test.");
        try
        {
            await File.WriteAllTextAsync(
                Path.Combine(home.FullName, ".ossutilconfig"),
                "[Credentials]\naccessKeyID=file-id\naccessKeySecret=file-secret\nregion=cn-x\n"
            );
            const string Unknown = "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>";
            await using var server = new ScriptedServer(r =>
                ScriptedServer.Answer(404, r.Contains("OSS4", StringComparison.Ordinal) ? Nothing : Unknown)
            );

            var own = await RunAsync(server, ["--method", "get", "oss://b-one", "--json"], home.FullName);
            var other = await RunAsync(
                server,
                ["--method", "get", "s3://b-one", "--region", "cn-x", "--json"],
                home.FullName
            );
            var named = await RunAsync(
                server,
                ["--method", "get", "s3://b-one", "-c", "~/.ossutilconfig", "--json"],
                home.FullName
            );

            Assert.Equal((0, 1, 0), (own.ExitCode, other.ExitCode, named.ExitCode));
            Assert.All(server.Requests, r => Assert.Contains("file-id", r, StringComparison.Ordinal));
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static Task<Ran> RunAsync(ScriptedServer server, string[] words, string home = "/nonexistent") =>
        RunAsync(server.Address, words, home);

    private static Task<Ran> RunAsync(
        Uri endpoint,
        string[] words,
        string home = "/nonexistent",
        IReadOnlyDictionary<string, string>? environment = null
    ) =>
        Ran.Of(
            ["bucket-encryption", .. words, "-e", endpoint.GetLeftPart(UriPartial.Authority)],
            home,
            name => name == "HOME" ? home : environment?.GetValueOrDefault(name)
        );

    private static string FirstLine(string request) => request[..request.IndexOf('\r', StringComparison.Ordinal)];

    private static Reply Error(int status, string code) =>
        ScriptedServer.Answer(
            status,
            $"<Error><Code>{code}</Code><Message>M</Message><RequestId>R1</RequestId></Error>"
        );
}
