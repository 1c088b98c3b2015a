using System.CommandLine;
using System.Text.Json;
using BucketEncryptionOperator.Commands;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>
/// The command against the simulator. That an operator sends what it says, PlanThenApplyTests shows.
/// </summary>
public sealed class PlanCommandTests : IAsyncLifetime
{
    private const string KeyId = "example-key-id";
    private const string KeySecret = "example-key-secret";

    private readonly string _folder = Directory.CreateTempSubdirectory("beo-plan-").FullName;
    private SimulatorServer? _server;

    private SimulatorServer Server => _server ?? throw new InvalidOperationException("not started");

    private string Endpoint => Server.Url.GetLeftPart(UriPartial.Authority);

    public async Task InitializeAsync()
    {
        _server = await SimulatorServer.StartAsync(new SimulatorOptions());
        Server.World.Accounts.Set(KeyId, new Account { Secret = KeySecret });
        foreach (var name in (string[])["finance-archive", "finance-ledger"])
            Server.World.Buckets.Create(name, new BucketSettings());
    }

    public async Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await Server.DisposeAsync();
    }

    [Fact]
    public async Task Changes_are_shown_and_exit_code_2_says_so()
    {
        var file = Write(Store() + Policy("finance", "[{name: finance-archive}]", "{algorithm: AES256}"));

        var ran = await PlanAsync(["-f", file]);

        Assert.Equal((2, ""), (ran.ExitCode, ran.Errors));
        Assert.Equal(
            """
            ACTION  POLICY           BUCKET           FROM  TO
            put     default/finance  finance-archive  None  AES256
            1 bucket of 1 policy: 0 as declared, 1 to change, 0 refused, 0 errors.

            """.ReplaceLineEndings("\n"),
            ran.Output
        );
        Assert.All(Server.World.Recorder.All, r => Assert.Equal("GET", r.Method));
    }

    [Fact]
    public async Task Nothing_to_do_is_exit_code_0()
    {
        Server.World.Buckets.SetEncryptionBehindTheBack("finance-archive", Aes256);
        var file = Write(Store() + Policy("finance", "[{name: finance-archive}]", "{algorithm: AES256}"));

        var ran = await PlanAsync(["-f", file]);

        Assert.Equal(0, ran.ExitCode);
        Assert.Contains("none", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_downgrade_is_refused_with_exit_code_1_and_the_line_of_the_bucket()
    {
        Server.World.Buckets.SetEncryptionBehindTheBack("finance-ledger", Kms);
        var file = Write(
            Store()
                + Policy("finance", "\n  - name: finance-archive\n  - name: finance-ledger\n ", "{algorithm: AES256}")
        );

        var ran = await PlanAsync(["-f", file, "-o", "github"]);

        Assert.Equal(1, ran.ExitCode);
        var lines = ran.Output.Split('\n');
        Assert.StartsWith(
            $"::notice file={file},line=11,title=Encryption%3A put::",
            lines[0],
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            $"::error file={file},line=12,title=Encryption%3A refused::bucket finance-ledger: DowngradeRefused: ",
            lines[1],
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// A file of a pull request that names a stranger's endpoint, an address, or its own certificates.
    /// </summary>
    [Theory]
    [InlineData("https://collector.example.com", "", "EndpointNotAllowed")]
    [InlineData("", "", "EndpointNotAllowed")]
    [InlineData("https://127.0.0.1:9", "", "EndpointNotAllowed")]
    [InlineData("https://oss-cn-hangzhou.aliyuncs.com", "caBundle", "EndpointNotAllowed")]
    public async Task A_hostile_store_gets_no_request(string endpoint, string more, string reason)
    {
        using var authority = new Fakes.TestAuthority("stranger");
        var bundle = more.Length == 0 ? "" : $", caBundle: {JsonSerializer.Serialize(authority.Pem)}";
        var file = Write(
            Store(endpoint.Length == 0 ? Endpoint : endpoint, bundle)
                + Policy("finance", "[{name: finance-archive}]", "{algorithm: AES256}")
        );

        var ran = await RunAsync(["plan", "-f", file, "--store-keys", "oss=env", "-o", "json"]);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains($"\"reason\": \"{reason}\"", ran.Output, StringComparison.Ordinal);
        Assert.Empty(Server.World.Recorder.All);
    }

    [Fact]
    public async Task A_store_without_a_key_from_the_caller_gets_no_request()
    {
        var file = Write(Store() + Policy("finance", "[{name: finance-archive}]", "{algorithm: AES256}"));

        var ran = await RunAsync(["plan", "-f", file, "--allowed-endpoints", Endpoint]);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("KeysNotGiven", ran.Output, StringComparison.Ordinal);
        Assert.Empty(Server.World.Recorder.All);
    }

    [Fact]
    public async Task Keys_come_from_a_file_in_ossutils_form_and_are_never_printed()
    {
        var keys = Path.Combine(_folder, "keys");
        await File.WriteAllTextAsync(keys, $"[Credentials]\naccessKeyID={KeyId}\naccessKeySecret={KeySecret}\n");
        var file = Write(Store() + Policy("finance", "[{name: finance-archive}]", "{algorithm: AES256}"));

        var ran = await RunAsync(
            [
                "plan",
                "-f",
                file,
                "--allowed-endpoints",
                Endpoint,
                "--store-keys",
                $"default/oss=file:{keys}",
                "-o",
                "json",
            ],
            environment: _ => null
        );

        Assert.Equal(2, ran.ExitCode);
        Assert.DoesNotContain(KeySecret, ran.Output + ran.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other=env", "no file has a store other")]
    [InlineData("oss", "give STORE=env or STORE=file:PATH")]
    [InlineData("oss=vault", "give STORE=env or STORE=file:PATH")]
    [InlineData("/oss=env", "no file has a store /oss")]
    public async Task A_pair_that_means_nothing_is_refused(string pair, string message)
    {
        var file = Write(Store());

        var ran = await RunAsync(["plan", "-f", file, "--store-keys", pair]);

        Assert.Equal((1, ""), (ran.ExitCode, ran.Output));
        Assert.Contains(message, ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Selectors_are_included_and_the_named_policy_owns_its_bucket()
    {
        var file = Write(
            Store()
                + Policy(
                    "all",
                    buckets: null,
                    "{algorithm: KMS}",
                    " mode: Enforce\n bucketSelector: {matchNames: ['finance-*']}\n"
                )
                + Policy("ledger", "[{name: finance-ledger}]", "{algorithm: AES256}")
        );

        var ran = await PlanAsync(["-f", file, "-o", "json"]);

        Assert.Equal(2, ran.ExitCode);
        Assert.Equal(
            ["all finance-archive put", "all finance-ledger ownedByOther", "ledger finance-ledger put"],
            Rows(ran).Select(r => $"{Text(r, "policy")} {Text(r, "bucket")} {Text(r, "action")}")
        );
    }

    [Fact]
    public async Task More_writes_than_a_selector_allows_are_refused()
    {
        var file = Write(
            Store()
                + Policy(
                    "all",
                    buckets: null,
                    "{algorithm: KMS}",
                    " mode: Enforce\n bucketSelector: {matchNames: ['*'], maxWrites: 1}\n"
                )
        );

        var ran = await PlanAsync(["-f", file, "-o", "json"]);

        Assert.Equal(1, ran.ExitCode);
        Assert.All(Rows(ran), r => Assert.Equal("TooManyWrites", Text(r, "reason")));
    }

    [Fact]
    public async Task Two_policies_that_declare_something_else_for_one_bucket_are_told()
    {
        var file = Write(
            Store()
                + Policy("one", "[{name: finance-ledger}]", "{algorithm: KMS}")
                + Policy("two", "[{name: finance-ledger}]", "{algorithm: AES256}")
        );

        var ran = await PlanAsync(["-f", file, "-o", "json"]);

        Assert.Equal(1, ran.ExitCode);
        Assert.Equal(["put", "refused"], Rows(ran).Select(r => Text(r, "action")));
        Assert.Equal("BucketConflict", Text(Rows(ran)[1], "reason"));
    }

    [Fact]
    public async Task A_problem_in_the_files_is_a_row_and_the_rest_is_planned()
    {
        var file = Write(
            Store()
                + Policy("good", "[{name: finance-ledger}]", "{algorithm: KMS}")
                + Policy("bad", "[{name: finance-ledger}]", "{algorithm: ROT13}")
                + Policy("rests", "[{name: finance-archive}]", "{algorithm: KMS}", " suspend: true\n")
                + Policy("lost", "[{name: finance-archive}]", "{algorithm: KMS}")
                    .Replace("storeRef: {name: oss}", "storeRef: {name: none}", StringComparison.Ordinal)
        );

        var ran = await PlanAsync(["-f", file, "-o", "yaml"]);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("  field: spec.encryption.algorithm\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("  action: put\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("  action: suspended\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("  reason: StoreNotFound\n", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Markdown_has_no_markup_of_a_strangers()
    {
        var file = Write(
            Store() + Policy("finance", "[{name: finance-archive}]", "{algorithm: KMS, kmsKey: {id: a_b_c}}")
        );

        var ran = await PlanAsync(["-f", file, "-o", "markdown"]);

        Assert.Contains(
            @"| put | default/finance | finance-archive | None | KMS with key a\_b\_c |",
            ran.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Ctrl_C_ends_it_with_the_shells_code_and_an_empty_stdout()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var file = Write(Store() + Policy("finance", "[{name: finance-archive}]", "{algorithm: AES256}"));

        var ran = await RunAsync(
            ["plan", "-f", file, "--allowed-endpoints", Endpoint, "--store-keys", "oss=env"],
            cancellationToken: stop.Token
        );

        Assert.Equal((130, ""), (ran.ExitCode, ran.Output));
    }

    private const string Aes256 =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private const string Kms =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
        + "<KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private Task<Ran> PlanAsync(string[] words) =>
        RunAsync(["plan", .. words, "--allowed-endpoints", Endpoint, "--store-keys", "oss=env"]);

    private static async Task<Ran> RunAsync(
        string[] words,
        Func<string, string?>? environment = null,
        CancellationToken cancellationToken = default
    )
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var exitCode = await CommandLine.RunAsync(
            words,
            environment
                ?? (
                    name =>
                        name switch
                        {
                            "OSS_ACCESS_KEY_ID" => KeyId,
                            "OSS_ACCESS_KEY_SECRET" => KeySecret,
                            _ => null,
                        }
                ),
            TimeProvider.System,
            new InvocationConfiguration { Output = output, Error = errors },
            cancellationToken
        );
        return new Ran(exitCode, output.ToString(), errors.ToString());
    }

    private string Write(string yaml)
    {
        var file = Path.Combine(_folder, "all.yaml");
        File.WriteAllText(file, yaml);
        return file;
    }

    private string Store(string? endpoint = null, string more = "") =>
        $"""
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketStore
            metadata: {"{"}name: oss{"}"}
            spec: {"{"}vendor: AlibabaOSS, region: cn-hangzhou, endpoint: "{endpoint
                ?? Endpoint}", credentials: {"{"}secretRef: {"{"}name: k{"}}"}{more}{"}"}

            """;

    private static string Policy(string name, string? buckets, string encryption, string more = "") =>
        "---\napiVersion: bucketencryption.io/v1alpha1\nkind: BucketEncryptionPolicy\n"
        + $"metadata: {{name: {name}}}\nspec:\n"
        + (buckets is null ? "" : $" buckets: {buckets}\n")
        + $" storeRef: {{name: oss}}\n encryption: {encryption}\n"
        + more;

    private static JsonElement[] Rows(Ran ran) =>
        [.. JsonDocument.Parse(ran.Output).RootElement.GetProperty("buckets").EnumerateArray()];

    private static string? Text(JsonElement row, string field) => row.GetProperty(field).GetString();
}
