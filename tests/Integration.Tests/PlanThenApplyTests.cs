using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Manifests;
using Integration.Tests.Harness;
using Integration.Tests.Scenarios;

namespace Integration.Tests;

/// <summary>
/// What <c>plan</c> says beforehand, and what an operator then sends, to the byte: over the first policy of each
/// scenario, and over the policies of deploy/samples. Each has its own vendors and its own namespace, and all are
/// planned by one command, from the files of one folder.
/// </summary>
public sealed class PlanThenApplyTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beo-plan-").FullName;
    private ApiServer? _server;
    private VendorStreet? _street;
    private KubeApi? _api;

    private KubeApi Api => _api ?? throw new InvalidOperationException("not started");

    private VendorStreet Street => _street ?? throw new InvalidOperationException("not started");

    private ApiServer Server => _server ?? throw new InvalidOperationException("not started");

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        _street = await VendorStreet.OpenAsync();
        _api = KubeApi.Open(_server.Kubeconfig);
        await new Cluster(_server.Kubeconfig).InstallAsync();
        await ApplyAsync($"/api/v1/namespaces/{Stage.ClusterSecrets}", NamespaceObject());
    }

    public async Task DisposeAsync()
    {
        _api?.Dispose();
        if (_street is not null)
            await _street.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task An_operator_sends_just_what_plan_has_said()
    {
        var cases = Scenarios().Concat(Samples()).Select((make, number) => make(number)).OfType<Case>().ToList();
        await Task.WhenAll(cases.Select(SetAsync));
        await WriteFilesAsync(cases);

        var plan = await PlanAsync(cases);

        await using var op = await StartAsync(cases);
        var refused = new HashSet<string>(StringComparer.Ordinal);
        foreach (var one in cases)
        {
            var (status, _) = await Api.ApplyAsync(one.Path, one.Policy.DeepClone().AsObject());
            if ((int)status >= 300)
                refused.Add(one.File);
        }
        await Eventually.TrueAsync(
            "each policy was reconciled",
            async () => await AreSettledAsync(cases.Where(c => !refused.Contains(c.File))),
            () => op.Log[^Math.Min(op.Log.Length, 3000)..]
        );
        var expected = new Dictionary<Case, HashSet<string>>();
        foreach (var one in cases)
            expected[one] = await HasKeysAsync(one) ? PlannedFor(plan, one) : [];
        await Eventually.TrueAsync(
            "what plan has said was sent, and nothing else",
            () => cases.TrueForAll(c => expected[c].SetEquals(SentFor(c))),
            () =>
                string.Join('\n', cases.Where(c => !expected[c].SetEquals(SentFor(c))).Select(c => Difference(c, plan)))
        );
        Assert.Equal(
            refused.Order(StringComparer.Ordinal),
            plan["problems"]!
                .AsArray()
                .Select(p => NameOf(p!["file"]!.GetValue<string>()))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
            StringComparer.Ordinal
        );
        Assert.True(cases.Count > 60, $"{cases.Count} cases");
        Assert.True(expected.Values.Count(e => e.Count > 0) > 30, "writes were planned");
        Assert.NotEmpty(refused);

        string Difference(Case one, JsonNode plan) =>
            $"{one.File}\n  planned: {string.Join(" | ", expected[one])}"
            + $"\n  sent: {string.Join(" | ", SentFor(one))}\n  "
            + string.Join("\n  ", RowsOf(plan, one).Select(r => r.ToJsonString()));
    }

    private static IEnumerable<Func<int, Case?>> Scenarios() =>
        ScenarioReader.Files.Select<string, Func<int, Case?>>(file => number => OfScenario(file, number));

    private static Case? OfScenario(string file, int number)
    {
        var scenario = ScenarioReader.Read(file, Stage.Fill(ScenarioReader.Text(file), file, number));
        var before = scenario.Steps.TakeWhile(s => s.Apply?.Policy is null).ToList();
        if (
            scenario.Flags is not null
            || before.Count == scenario.Steps.Count
            || before.Exists(s => s.Apply is null)
            || scenario.Given.Many is { Count: > 300 }
        )
            return null;
        return new Case(
            file.Replace('/', '-'),
            number,
            scenario,
            [.. before.Select(s => s.Apply!)],
            scenario.Steps[before.Count].Apply!
        );
    }

    /// <summary>The samples' policies, each with a plain store of its vendor in the region of the case.</summary>
    private static IEnumerable<Func<int, Case?>> Samples()
    {
        var objects = new ManifestLoader("default", TextReader.Null).Load(
            [Path.Combine(Repository.Root, "deploy", "samples")],
            isRecursive: false
        );
        var stores = objects.Stores.ToDictionary(
            s => s.Object.Metadata.Name,
            s => s.Object.Spec,
            StringComparer.Ordinal
        );
        return objects.Policies.Select<Manifest<BucketEncryptionOperator.Api.BucketEncryptionPolicy>, Func<int, Case?>>(
            policy =>
                number =>
                {
                    var store = stores[policy.Object.Spec.StoreRef.Name];
                    var name = "sample-" + policy.Object.Metadata.Name;
                    var spec = JsonOf((ManifestNode.Map)policy.Source["spec"]!).ToJsonString();
                    var given = new Given();
                    given.Stores[policy.Object.Spec.StoreRef.Name] = new GivenStore { Vendor = store.Vendor };
                    foreach (var bucket in policy.Object.Spec.Buckets)
                        given.Buckets[bucket.Name] = store.Vendor == "JDCloudOSS" ? "None" : "AES256";
                    var target = new Target
                    {
                        Policy = policy.Object.Metadata.Name,
                        Spec = JsonNode.Parse(
                            spec.Replace(store.Region, VendorStreet.Region(number), StringComparison.Ordinal)
                        ),
                    };
                    return new Case(
                        name + ".yaml",
                        number,
                        new Scenario { File = name + ".yaml", Given = given },
                        [],
                        target
                    );
                }
        );
    }

    private async Task SetAsync(Case one)
    {
        var stage = one.Stage = new Stage(one.Scenario, one.Number, Api, Street) { TokenKey = "" };
        await stage.SetAsync();
        foreach (var target in one.Before)
            await ApplyAsync(stage.PathOf(target), stage.Full(target));
        one.Path = stage.PathOf(one.Target);
        one.Policy = stage.Full(one.Target);
        var spec = one.Policy["spec"]!.AsObject();
        spec["mode"] = "Enforce";
        spec.Remove("suspend");
        // The tests' CRD allows what a user's does not
        if (spec["resyncInterval"]?.GetValue<string>() is "1s" or "2s" or "3s" or "5s" or "10s")
            spec["resyncInterval"] = "10m";
        one.Policy["metadata"]!["name"] = one.Path[(one.Path.LastIndexOf('/') + 1)..];
        one.Policy["metadata"]!["namespace"] = stage.NamespaceOf(one.Target.In);
    }

    private async Task WriteFilesAsync(List<Case> cases)
    {
        foreach (var one in cases)
            await File.WriteAllTextAsync(Path.Combine(_folder, one.File), one.Policy.ToJsonString());
        foreach (
            var (name, path) in new[]
            {
                ("namespaces", "/api/v1/namespaces"),
                ("stores", "/apis/bucketencryption.io/v1alpha1/bucketstores"),
                ("clusterstores", "/apis/bucketencryption.io/v1alpha1/clusterbucketstores"),
            }
        )
        {
            var list = await Api.GetAsync(path) ?? throw new InvalidOperationException(path);
            // As kubectl prints it: the items of a built-in kind do not say what they are
            foreach (var item in list["items"]!.AsArray())
                (item!["apiVersion"], item["kind"]) = (
                    list["apiVersion"]!.DeepClone(),
                    list["kind"]!.GetValue<string>()[..^"List".Length]
                );
            await File.WriteAllTextAsync(Path.Combine(_folder, $"{name}.json"), list.ToJsonString());
        }
    }

    private async Task<JsonNode> PlanAsync(List<Case> cases)
    {
        var keys = new List<string>();
        foreach (var one in cases)
        {
            var file = Path.Combine(_folder, $"{one.Number}.keys");
            await File.WriteAllTextAsync(
                file,
                $"[Credentials]\naccessKeyID={one.Stage!.KeyId}\naccessKeySecret={Stage.Secret}\n"
            );
            foreach (var (name, store) in one.Stage.Scenario.Given.Stores.DefaultIfEmpty(new("oss", new GivenStore())))
                keys.AddRange([
                    "--store-keys",
                    $"{(store.Cluster ? "" : one.Stage.NamespaceOf(store.In))}/{name}=file:{file}",
                ]);
        }

        var ran = await CommandRun.OfAsync(
            [
                "plan",
                "-f",
                _folder,
                "-o",
                "json",
                "--partitions",
                string.Join(',', cases.SelectMany(c => VendorStreet.Partitions(c.Stage!.Region))),
                "--allowed-endpoints",
                string.Join(',', VendorStreet.Endpoints),
                .. keys,
            ],
            name => name == "http_proxy" ? Street.Url.ToString() : null
        );

        Assert.True(ran.Errors.Length == 0, ran.Errors);
        return JsonNode.Parse(ran.Output)!;
    }

    private async Task<OperatorProcess> StartAsync(List<Case> cases)
    {
        var proxy = new Dictionary<string, string>(StringComparer.Ordinal) { ["http_proxy"] = Street.Url.ToString() };
        var op = OperatorProcess.Launch(
            Server.Kubeconfig,
            Street.Url,
            proxy,
            [
                "--partitions",
                string.Join(',', cases.SelectMany(c => VendorStreet.Partitions(c.Stage!.Region))),
                "--cluster-resource-namespace",
                Stage.ClusterSecrets,
                "--workers",
                "16",
                .. VendorStreet.Endpoints.SelectMany(e => (string[])["--allowed-endpoints", e]),
            ]
        );
        await op.WhenReadyAsync();
        return op;
    }

    private async Task<bool> AreSettledAsync(IEnumerable<Case> cases)
    {
        foreach (var one in cases)
        {
            var policy = await Api.GetAsync(one.Path);
            if (
                policy?["status"]?["observedGeneration"]?.GetValue<long>()
                != policy?["metadata"]?["generation"]?.GetValue<long>()
            )
                return false;
        }
        return true;
    }

    /// <summary>Which keys a store has in the cluster, its Secret decides, and plan does not look at that.</summary>
    private async Task<bool> HasKeysAsync(Case one)
    {
        var policy = await Api.GetAsync(one.Path);
        return policy is null
            || Cluster.Condition(policy, "Ready")?["reason"]?.GetValue<string>()
                is not ("SecretNotFound" or "SecretKeysNotOffered" or "CredentialsRejected" or "InvalidAccessKeyId");
    }

    private static IEnumerable<JsonNode> RowsOf(JsonNode plan, Case one) =>
        plan["buckets"]!.AsArray().Select(r => r!).Where(r => NameOf(r["file"]!.GetValue<string>()) == one.File);

    private static HashSet<string> PlannedFor(JsonNode plan, Case one) =>
        RowsOf(plan, one)
            .Where(r => r["action"]!.GetValue<string>() is "put" or "delete")
            .Select(r => $"{r["action"]!.GetValue<string>().ToUpperInvariant()} {r["bucket"]} {r["document"]}")
            .ToHashSet(StringComparer.Ordinal);

    private static HashSet<string> SentFor(Case one) =>
        one.Stage!.Worlds.SelectMany(w => w.Recorder.All)
            .Where(r => r.Method is "PUT" or "DELETE")
            .Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Method} {r.Bucket} {r.Body}"))
            .ToHashSet(StringComparer.Ordinal);

    private async Task ApplyAsync(string path, JsonObject full)
    {
        var (status, body) = await Api.ApplyAsync(path, full);
        KubeApi.Done(status, body, path);
    }

    private static JsonObject NamespaceObject() => new() { ["apiVersion"] = "v1", ["kind"] = "Namespace" };

    private static string NameOf(string path) => Path.GetFileName(path);

    private static JsonNode JsonOf(ManifestNode node)
    {
        using var buffer = new MemoryStream();
        using (var json = new System.Text.Json.Utf8JsonWriter(buffer))
            node.Write(json);
        return JsonNode.Parse(buffer.ToArray())!;
    }

    /// <summary>One policy with its world.</summary>
    private sealed record Case(string File, int Number, Scenario Scenario, ImmutableArray<Target> Before, Target Target)
    {
        public Stage? Stage { get; set; }

        public string Path { get; set; } = "";

        public JsonObject Policy { get; set; } = [];

        public bool Equals(Case? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => Number;
    }
}
