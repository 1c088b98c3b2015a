using System.CommandLine;
using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Tests.Fakes;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using YamlDotNet.RepresentationModel;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>Stores of files. What is asked of a cluster, ClusterCommandsTests shows.</summary>
public sealed class DoctorCommandTests : IAsyncLifetime
{
    private const string KeyId = "example-key-id";

    private readonly string _folder = Directory.CreateTempSubdirectory("beo-doctor-").FullName;
    private SimulatorServer? _server;

    private SimulatorServer Server => _server ?? throw new InvalidOperationException("not started");

    private string Endpoint => Server.Url.GetLeftPart(UriPartial.Authority);

    public async Task InitializeAsync()
    {
        _server = await SimulatorServer.StartAsync(new SimulatorOptions());
        Server.World.Accounts.Set(KeyId, new Account { Secret = "example-key-secret" });
        Server.World.Buckets.Create("finance-archive", new BucketSettings());
    }

    public async Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await Server.DisposeAsync();
    }

    [Fact]
    public async Task What_works_is_said_line_by_line_and_what_is_not_checked_too()
    {
        var ran = await DoctorAsync("example-key-secret", Endpoint, "finance-archive");

        Assert.Equal((2, ""), (ran.ExitCode, ran.Errors)); // http is a warning
        Assert.Equal(
            [
                "ok endpoint",
                "ok proxy",
                "ok name",
                "warning connection",
                "ok clock",
                "ok key",
                "ok bucket finance-archive",
                "notChecked KMS key",
                "notChecked writing",
            ],
            Lines(ran)
        );
        Assert.All(Server.World.Recorder.All, r => Assert.Equal("GET", r.Method));
    }

    [Fact]
    public async Task A_wrong_key_fails_and_the_buckets_are_not_asked()
    {
        var ran = await DoctorAsync("wrong", Endpoint, "finance-archive");

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("failed key", Lines(ran));
        Assert.Contains("SignatureDoesNotMatch", ran.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Server.World.Recorder.All, r => r.Operation == "GetBucketEncryption");
    }

    [Fact]
    public async Task A_bucket_that_cannot_be_read_fails_with_the_vendors_code()
    {
        var ran = await DoctorAsync("example-key-secret", Endpoint, "no-such-bucket");

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("failed bucket no-such-bucket", Lines(ran));
        Assert.Contains("NoSuchBucket", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_at_a_strangers_endpoint_gets_no_request()
    {
        var ran = await DoctorAsync("example-key-secret", "https://collector.example.com", "finance-archive");

        Assert.Equal(1, ran.ExitCode);
        Assert.Equal(["failed store"], Lines(ran));
        Assert.Contains("EndpointNotAllowed", ran.Output, StringComparison.Ordinal);
        Assert.Empty(Server.World.Recorder.All);
    }

    [Theory]
    [InlineData("Enabled", "ok KMS key", 2, "key-1 is enabled")] // http is a warning
    [InlineData("Disabled", "failed KMS key", 1, "key-1: KeyDisabled: Disabled")]
    [InlineData(null, "warning KMS key", 2, "key-1: KeyNotFound")]
    public async Task The_key_service_is_asked_about_the_keys_that_policies_name(
        string? state,
        string line,
        int exitCode,
        string message
    )
    {
        if (state is null)
            Server.World.KmsKeys.Remove("key-1");
        else
            Server.World.KmsKeys.Set("key-1", new KmsKey { State = state });

        var ran = await DoctorAsync(
            "example-key-secret",
            Endpoint,
            "finance-archive",
            "{algorithm: KMS, kmsKey: {id: key-1}}"
        );

        Assert.Equal(exitCode, ran.ExitCode);
        Assert.Contains(line, Lines(ran));
        Assert.Contains(message, ran.Output, StringComparison.Ordinal);
    }

    /// <summary>What the chart grants in the whole cluster is what doctor asks for.</summary>
    [Fact]
    public void The_rights_are_those_of_the_installation()
    {
        var yaml = new YamlStream();
        using var text = new StreamReader(Path.Combine(Repository.Root, "deploy", "rbac.yaml"));
        yaml.Load(text);
        var granted =
            from document in yaml.Documents
            let role = (YamlMappingNode)document.RootNode
            where role["kind"].ToString() == "ClusterRole" && role.Children.ContainsKey("rules")
            from rule in (YamlSequenceNode)role["rules"]
            where ((YamlSequenceNode)rule["apiGroups"])[0].ToString() != "coordination.k8s.io"
            from resource in (YamlSequenceNode)rule["resources"]
            from verb in (YamlSequenceNode)rule["verbs"]
            where role["metadata"]["name"].ToString() == "bucket-encryption-operator"
            select new OperatorRight(((YamlSequenceNode)rule["apiGroups"])[0].ToString(), $"{resource}", $"{verb}");

        Assert.Equal(
            granted.Select(r => r.ToString()).Order(StringComparer.Ordinal),
            OperatorRights.All.Select(r => r.ToString()).Order(StringComparer.Ordinal)
        );
    }

    private async Task<Ran> DoctorAsync(
        string secret,
        string endpoint,
        string bucket,
        string encryption = "{algorithm: AES256}"
    )
    {
        var (file, keys) = (Path.Combine(_folder, "all.yaml"), Path.Combine(_folder, "keys"));
        await File.WriteAllTextAsync(keys, $"[Credentials]\naccessKeyID={KeyId}\naccessKeySecret={secret}\n");
        await File.WriteAllTextAsync(
            file,
            "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketStore\nmetadata: {name: oss}\n"
                + $"spec: {{vendor: AlibabaOSS, region: cn-hangzhou, endpoint: '{endpoint}', kmsEndpoint: '{endpoint}',"
                + " credentials: {secretRef: {name: k}}}\n---\n"
                + "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketEncryptionPolicy\n"
                + $"metadata: {{name: finance}}\nspec: {{storeRef: {{name: oss}}, buckets: [{{name: {bucket}}}], "
                + $"encryption: {encryption}}}\n"
        );
        var (output, errors) = (new StringWriter(), new StringWriter());
        var exitCode = await CommandLine.RunAsync(
            ["doctor", "-f", file, "--store-keys", $"oss=file:{keys}", "--allowed-endpoints", Endpoint, "-o", "json"],
            _ => null,
            TimeProvider.System,
            new InvocationConfiguration { Output = output, Error = errors }
        );
        return new Ran(exitCode, output.ToString(), errors.ToString());
    }

    private static IEnumerable<string> Lines(Ran ran) =>
        System
            .Text.Json.JsonDocument.Parse(ran.Output)
            .RootElement.GetProperty("checks")
            .EnumerateArray()
            .Select(c => $"{c.GetProperty("result").GetString()} {c.GetProperty("check").GetString()}");
}
