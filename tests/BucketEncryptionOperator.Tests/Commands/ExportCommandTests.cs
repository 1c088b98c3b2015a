using System.CommandLine;
using BucketEncryptionOperator.Commands;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>
/// What an account has, exported and planned again, by the vendors' own host names: nothing is to be done.
/// </summary>
public sealed class ExportCommandTests : IDisposable
{
    private const string KeyId = "example-key-id";
    private const string KeySecret = "example-key-secret";

    private readonly string _folder = Directory.CreateTempSubdirectory("beo-export-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string, string, string, string[]> Estates =>
        new()
        {
            {
                "alibaba",
                "AlibabaOSS",
                "cn-hangzhou",
                "http://oss-cn-hangzhou.aliyuncs.com",
                [
                    Oss("<SSEAlgorithm>AES256</SSEAlgorithm>"),
                    Oss("<SSEAlgorithm>SM4</SSEAlgorithm><Future>kept</Future>"),
                    Oss("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID><Future>x</Future>"),
                    Oss("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM4</KMSDataEncryption>"),
                    Oss("<SSEAlgorithm>KMS</SSEAlgorithm>"),
                    "",
                ]
            },
            {
                "huawei",
                "HuaweiOBS",
                "cn-north-4",
                "http://obs.cn-north-4.myhuaweicloud.com",
                [
                    Obs("<SSEAlgorithm>AES256</SSEAlgorithm>"),
                    Obs(
                        "<SSEAlgorithm>kms</SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID>"
                            + "<ProjectID>project-1</ProjectID>"
                    ),
                    Obs("<SSEAlgorithm>kms</SSEAlgorithm><KMSDataEncryption>SM4</KMSDataEncryption>"),
                    Obs("<SSEAlgorithm>kms</SSEAlgorithm>", "<BucketKeyEnabled>true</BucketKeyEnabled>"),
                    Obs("<SSEAlgorithm>kms</SSEAlgorithm><Future>kept</Future>"),
                    "",
                ]
            },
            {
                "jdcloud",
                "JDCloudOSS",
                "cn-north-1",
                "http://s3.cn-north-1.jdcloud-oss.com",
                [
                    S3("<SSEAlgorithm>aws:kms</SSEAlgorithm><Future>kept</Future>"),
                    S3("<SSEAlgorithm>aws:kms</SSEAlgorithm>"),
                    "",
                ]
            },
            {
                "s3",
                "S3",
                "eu-central-1",
                "http://s3.eu-central-1.amazonaws.com",
                [
                    S3("<SSEAlgorithm>AES256</SSEAlgorithm>"),
                    S3(
                        "<SSEAlgorithm>aws:kms</SSEAlgorithm>",
                        "<BucketKeyEnabled>true</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C"
                            + "</EncryptionType></BlockedEncryptionTypes>"
                    ),
                    S3(
                        "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>"
                            + "<KMSMasterKeyID>arn:aws:kms:eu-central-1:111122223333:"
                            + "key/k</KMSMasterKeyID>"
                    ),
                    S3(
                        "<SSEAlgorithm>AES256</SSEAlgorithm><Future>kept</Future>",
                        "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>"
                    ),
                    "",
                ]
            },
            {
                "s3",
                "MinIO",
                "us-east-1",
                "http://s3.us-east-1.example.com",
                [
                    S3("<SSEAlgorithm>AES256</SSEAlgorithm>"),
                    S3("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID>"),
                    "",
                ]
            },
        };

    [Theory]
    [MemberData(nameof(Estates))]
    public async Task An_exported_estate_is_as_declared(
        string vendor,
        string simulated,
        string region,
        string endpoint,
        string[] documents
    )
    {
        await using var server = await StartAsync(simulated);
        for (var i = 0; i < documents.Length; i++)
            Create(server, $"bucket-{i}", region, documents[i]);
        Create(server, "elsewhere", simulated == "MinIO" ? region : "xx-other-1", "");

        var exported = await RunAsync(
            server,
            ["export", "--vendor", vendor, "--region", region, "-e", endpoint, "--match", "bucket-*"]
        );

        Assert.Equal((0, ""), (exported.ExitCode, exported.Errors));
        var plan = await PlanAsync(server, exported.Output, $"{vendor}-{region}");
        Assert.True(plan.ExitCode == 0, plan.Output + plan.Errors + exported.Output);
        Assert.Contains($"{documents.Length} buckets of", plan.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("elsewhere", exported.Output, StringComparison.Ordinal);
        Assert.All(server.World.Recorder.All, r => Assert.Equal("GET", r.Method));
        var enforced = await PlanAsync(
            server,
            exported.Output.Replace("mode: Audit", "mode: Enforce", StringComparison.Ordinal),
            $"{vendor}-{region}"
        );
        Assert.True(enforced.ExitCode == 0, enforced.Output);
    }

    [Fact]
    public async Task Buckets_of_equal_encryption_are_in_one_policy()
    {
        await using var server = await StartAsync("AlibabaOSS");
        foreach (var name in (string[])["b-one", "b-two", "b-three"])
            Create(server, name, "cn-hangzhou", Oss("<SSEAlgorithm>AES256</SSEAlgorithm>"));
        Create(
            server,
            "b-four",
            "cn-hangzhou",
            Oss("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>")
        );

        var ran = await RunAsync(
            server,
            [
                "export",
                "--vendor",
                "alibaba",
                "--region",
                "cn-hangzhou",
                "-e",
                "http://oss-cn-hangzhou.aliyuncs.com",
                "-n",
                "team",
                "--store",
                "oss",
            ]
        );

        Assert.Equal(
            """
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketStore
            metadata:
              name: oss
              namespace: team
            spec:
              vendor: AlibabaOSS
              region: cn-hangzhou
              endpoint: "http://oss-cn-hangzhou.aliyuncs.com"
              credentials:
                secretRef:
                  name: bucket-keys
            ---
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketEncryptionPolicy
            metadata:
              name: oss-aes256
              namespace: team
            spec:
              storeRef:
                name: oss
              buckets:
              - name: b-one
              - name: b-three
              - name: b-two
              encryption:
                algorithm: AES256
              mode: Audit
            ---
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketEncryptionPolicy
            metadata:
              name: oss-kms
              namespace: team
            spec:
              storeRef:
                name: oss
              buckets:
              - name: b-four
              encryption:
                algorithm: KMS
                kmsKey:
                  id: "k"
                kmsDataEncryption: AES256
              mode: Audit

            """.ReplaceLineEndings("\n"),
            ran.Output
        );
    }

    [Fact]
    public async Task A_bucket_that_no_policy_can_name_is_left_out_and_said()
    {
        await using var server = await StartAsync("AlibabaOSS");
        Create(server, "b-one", "cn-hangzhou", Oss("<SSEAlgorithm>AES256</SSEAlgorithm>"));
        Create(server, "Old_Bucket", "cn-hangzhou", "");
        string[] words = ["export", "--vendor", "alibaba", "--region", "cn-hangzhou"];

        var ran = await RunAsync(server, [.. words, "-e", "http://oss-cn-hangzhou.aliyuncs.com"]);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("b-one", ran.Output, StringComparison.Ordinal);
        Assert.Contains(
            "Old_Bucket is left out: NotDeclarable: No policy can name",
            ran.Errors,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_no_policy_can_declare_is_left_out_and_said()
    {
        await using var server = await StartAsync("AlibabaOSS");
        Create(server, "b-one", "cn-hangzhou", Oss("<SSEAlgorithm>AES256</SSEAlgorithm>"));
        Create(server, "b-two", "cn-hangzhou", Oss("<SSEAlgorithm>ROT13</SSEAlgorithm>"));

        var ran = await RunAsync(
            server,
            [
                "export",
                "--vendor",
                "alibaba",
                "--region",
                "cn-hangzhou",
                "-e",
                "http://oss-cn-hangzhou.aliyuncs.com",
                "-o",
                "json",
            ]
        );

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains(
            "b-two is left out: NotDeclarable: No policy can declare ROT13.",
            ran.Errors,
            StringComparison.Ordinal
        );
        Assert.Contains("\"b-one\"", ran.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--vendor must be one of", "export", "--vendor", "acme", "--region", "x")]
    [InlineData("is not allowed", "export", "--vendor", "s3", "--region", "x", "-e", "https://collector.example.com")]
    [InlineData("is not a pattern", "export", "--vendor", "alibaba", "--region", "cn-x", "--match", "A")]
    [InlineData("--keys must be", "export", "--vendor", "alibaba", "--region", "cn-x", "--keys", "vault")]
    [InlineData("set OSS_ACCESS_KEY_ID", "export", "--vendor", "alibaba", "--region", "cn-x")]
    [InlineData("--output must be", "export", "--vendor", "alibaba", "--region", "cn-x", "-o", "table")]
    public async Task What_cannot_be_meant_is_refused(string message, params string[] words)
    {
        var ran = await Ran.Of(words);

        Assert.Equal((1, ""), (ran.ExitCode, ran.Output));
        Assert.Contains(message, ran.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(240, "set OSS_ACCESS_KEY_ID")]
    [InlineData(241, "--store: at most 240 characters, because policies are named after it")]
    public async Task The_store_has_a_name_that_policies_can_be_named_after(int length, string message)
    {
        var name = new string('a', length);

        var ran = await Ran.Of(["export", "--vendor", "alibaba", "--region", "cn-x", "--store", name]);

        Assert.Equal((1, ""), (ran.ExitCode, ran.Output));
        Assert.Contains(message, ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_throttled_list_is_asked_for_again()
    {
        await using var server = await StartAsync("AlibabaOSS");
        Create(server, "b-one", "cn-hangzhou", Oss("<SSEAlgorithm>AES256</SSEAlgorithm>"));
        var fault = new FaultRule
        {
            Action = FaultAction.Error,
            Status = 503,
            Code = "QpsLimitExceeded",
            Operations = ["ListBuckets"],
            Times = 1,
        };
        server.World.Faults.Add(fault);

        var ran = await RunAsync(
            server,
            ["export", "--vendor", "alibaba", "--region", "cn-hangzhou", "-e", "http://oss-cn-hangzhou.aliyuncs.com"]
        );

        Assert.Equal((0, ""), (ran.ExitCode, ran.Errors));
        Assert.Contains("name: b-one", ran.Output, StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(server.World.Faults.All).Struck);
    }

    private static async Task<SimulatorServer> StartAsync(string vendor)
    {
        var server = await SimulatorServer.StartAsync(new SimulatorOptions { Vendor = Enum.Parse<Vendor>(vendor) });
        server.World.Accounts.Set(KeyId, new Account { Secret = KeySecret });
        return server;
    }

    private static void Create(SimulatorServer server, string name, string region, string document)
    {
        server.World.Buckets.Create(name, new BucketSettings { Region = region });
        if (document.Length > 0)
            server.World.Buckets.SetEncryptionBehindTheBack(name, document);
    }

    private async Task<Ran> PlanAsync(SimulatorServer server, string yaml, string store)
    {
        var file = Path.Combine(_folder, "estate.yaml");
        await File.WriteAllTextAsync(file, yaml);
        return await RunAsync(
            server,
            ["plan", "-f", file, "--store-keys", $"{store}=file:{await KeyFileAsync()}"],
            addKeys: false
        );
    }

    private async Task<string> KeyFileAsync()
    {
        var file = Path.Combine(_folder, "keys");
        await File.WriteAllTextAsync(file, $"[Credentials]\naccessKeyID={KeyId}\naccessKeySecret={KeySecret}\n");
        return file;
    }

    private async Task<Ran> RunAsync(SimulatorServer server, string[] words, bool addKeys = true)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var exitCode = await CommandLine.RunAsync(
            [
                .. words,
                .. addKeys ? (string[])["--keys", $"file:{await KeyFileAsync()}"] : [],
                "--allowed-endpoints",
                "http://oss-*.aliyuncs.com,http://obs.*.myhuaweicloud.com,http://s3.*.jdcloud-oss.com,"
                    + "http://s3.*.amazonaws.com,http://s3.*.example.com",
            ],
            name => name == "http_proxy" ? server.Url.ToString() : null,
            TimeProvider.System,
            new InvocationConfiguration { Output = output, Error = errors }
        );
        return new Ran(exitCode, output.ToString(), errors.ToString());
    }

    private static string Oss(string inner) =>
        $"<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault>"
        + "</ServerSideEncryptionRule>";

    private static string Obs(string inner, string beside = "") => S3(inner, beside);

    private static string S3(string inner, string beside = "") =>
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
        + $"{inner}</ApplyServerSideEncryptionByDefault>{beside}</Rule></ServerSideEncryptionConfiguration>";
}
