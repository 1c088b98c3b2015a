using System.Text.Json;
using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.Admin;
using ObjectStoreSimulator.State;

namespace Integration.Tests.Scenarios;

/// <summary>
/// Where one scenario plays: its namespaces in the cluster, its region at the vendors, and the names of things there.
/// </summary>
internal sealed class Stage(Scenario scenario, int number, KubeApi api, VendorStreet street)
{
    /// <summary>Where the Secrets of ClusterBucketStores are.</summary>
    public const string ClusterSecrets = "scenario-secrets";

    private const string Group = "bucketencryption.io/v1alpha1";

    /// <summary>Found in a status, it is a leak: StatusRules looks for it.</summary>
    internal const string Secret = "hush";

    public Scenario Scenario => scenario;

    public int Number => number;

    /// <summary>PEM of the public key by which the API server signs tokens of service accounts.</summary>
    public required string TokenKey { get; init; }

    public KubeApi Api => api;

    public string Region { get; } = VendorStreet.Region(number);

    public string Namespace => "s-" + scenario.Name;

    public IEnumerable<string> Namespaces => [Namespace, .. scenario.Given.Namespaces.Select(NamespaceOf)];

    public string KeyId => KeyIdOf(new GivenStore());

    private IEnumerable<string> Vendors => Stores.Values.Select(s => s.Vendor).Distinct(StringComparer.Ordinal);

    private IReadOnlyDictionary<string, GivenStore> Stores { get; } =
        scenario.Given.Stores.Count > 0
            ? scenario.Given.Stores
            : new Dictionary<string, GivenStore>(StringComparer.Ordinal) { ["oss"] = new() };

    /// <summary>More than the operator remembers of a bucket.</summary>
    private static readonly string Long = new('x', 4200);

    /// <summary>
    /// A file's own words for what has another name in each run, and for a text that nobody would read.
    /// </summary>
    public static string Fill(string text, string file, int number) =>
        text.Replace("${region}", VendorStreet.Region(number), StringComparison.Ordinal)
            .Replace("${long}", Long, StringComparison.Ordinal)
            .Replace("${namespace}", "s-" + Path.GetFileNameWithoutExtension(file), StringComparison.Ordinal);

    public Vendor VendorOf(string? name) => Enum.Parse<Vendor>(name ?? Stores.Values.First().Vendor);

    public World At(string? vendor = null) => street.Store(Region, VendorOf(vendor));

    /// <summary>Every vendor that the scenario has a store at.</summary>
    public IEnumerable<World> Worlds => Vendors.Select(At);

    public string NamespaceOf(string? word) => word is null ? Namespace : $"{Namespace}-{word}";

    /// <summary>Of <c>name</c> or <c>namespace/name</c>.</summary>
    public string PolicyPath(string policy) =>
        policy.Split('/') is [var ns, var name] ? PolicyPath(ns, name) : PolicyPath(ns: null, policy);

    public string PathOf(Target target) =>
        target switch
        {
            { Policy: { } name } => PolicyPath(target.In, name),
            { Store: { } name } => $"/apis/{Group}/namespaces/{NamespaceOf(target.In)}/bucketstores/{name}",
            { ClusterStore: { } name } => $"/apis/{Group}/clusterbucketstores/{name}",
            { Secret: { } name, In: "cluster" } => $"/api/v1/namespaces/{ClusterSecrets}/secrets/{name}",
            { Secret: { } name } => $"/api/v1/namespaces/{NamespaceOf(target.In)}/secrets/{name}",
            { ServiceAccount: { } name } => $"/api/v1/namespaces/{NamespaceOf(target.In)}/serviceaccounts/{name}",
            { Namespace: { } name } => $"/api/v1/namespaces/{NamespaceOf(name == "own" ? null : name)}",
            _ => throw new InvalidOperationException("a target without a name"),
        };

    /// <summary>The object in full: a file says only what is its own.</summary>
    public JsonObject Full(Target target)
    {
        var meta = new JsonObject();
        if (target.Labels is { } labels)
            meta["labels"] = labels.DeepClone();
        if (target.Annotations is { } annotations)
            meta["annotations"] = annotations.DeepClone();
        var full = new JsonObject
        {
            ["apiVersion"] = (target.Secret ?? target.Namespace ?? target.ServiceAccount) is null ? Group : "v1",
            ["kind"] = KindOf(target),
            ["metadata"] = meta,
        };
        if (target.Spec is { } spec)
            full["spec"] = target.Policy is null ? spec.DeepClone() : WithDefaults(spec);
        if (target.Data is { } data)
            full["stringData"] = data.DeepClone();
        if (target.Status is { } status)
            full["status"] = status.DeepClone();
        return full;
    }

    /// <summary>Namespaces, accounts, buckets, stores and their Secrets.</summary>
    public async Task SetAsync()
    {
        foreach (var ns in Namespaces)
            await CreateAsync(
                $"/api/v1/namespaces/{ns}",
                new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace" }
            );
        foreach (var world in Worlds)
        {
            foreach (var key in Stores.Values.Select(KeyIdOf).Append(KeyId))
                world.Accounts.Set(key, new Account { Secret = Secret });
        }
        SetBuckets(vendor: null, scenario.Given.Buckets);
        SetBuckets(vendor: null, scenario.Given.Many?.ToBuckets() ?? []);
        SetSettings(vendor: null, scenario.Given.BucketSettings);
        SetKmsKeys(vendor: null, scenario.Given.KmsKeys ?? []);
        foreach (var (name, store) in Stores)
        {
            await CreateAsync(
                PathOf(new Target { Secret = name, In = store.Cluster ? "cluster" : store.In }),
                new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "Secret",
                    ["stringData"] = new JsonObject { ["accessKeyId"] = KeyIdOf(store), ["accessKeySecret"] = Secret },
                }
            );
            var target = store.Cluster
                ? new Target { ClusterStore = name }
                : new Target { Store = name, In = store.In };
            target.Spec = SpecOf(name, store);
            await CreateAsync(PathOf(target), Full(target));
        }
    }

    /// <summary>Behind the operator's back. What is not there is created.</summary>
    public void SetBuckets(string? vendor, IReadOnlyDictionary<string, string> buckets)
    {
        foreach (var (name, words) in buckets)
        {
            var world = At(vendor);
            if (world.Buckets.Find(name) is null)
                world.Buckets.Create(name, new BucketSettings { Region = Region });
            world.Buckets.SetEncryptionBehindTheBack(name, BucketWords.ToXml(words, VendorOf(vendor)));
        }
    }

    /// <summary>What is not there is created. Without a region a bucket is in the scenario's.</summary>
    public void SetSettings(string? vendor, IReadOnlyDictionary<string, JsonNode> buckets)
    {
        foreach (var (name, settings) in buckets)
        {
            settings["region"] ??= Region;
            At(vendor).Buckets.Create(name, settings.Deserialize(AdminJson.Default.BucketSettings)!);
        }
    }

    /// <summary>At the vendor's key service, each by its state or by a document of the simulator.</summary>
    public void SetKmsKeys(string? vendor, IReadOnlyDictionary<string, JsonNode> keys)
    {
        foreach (var (id, key) in keys)
            At(vendor)
                .KmsKeys.Set(
                    id,
                    key is JsonObject document
                        ? document.Deserialize(AdminJson.Default.KmsKey)!
                        : new KmsKey { State = key.ToString() }
                );
    }

    /// <summary>
    /// Whom the vendor gives temporary keys; <c>tokenKey: cluster</c> stands for the API server's key.
    /// </summary>
    public void SetIdentity(string? vendor, JsonNode identity)
    {
        var values = identity.Deserialize(AdminJson.Default.IdentityValues)!;
        At(vendor).Identities.Set(values.TokenKey is null ? values : values with { TokenKey = TokenKey });
    }

    /// <summary>
    /// How often the vendors have been asked so far: <c>GetBucketEncryption ledger</c>, <c>DescribeKey key-1</c>, or
    /// <c>ListBuckets</c>, whatever the bucket.
    /// </summary>
    public long Asked(string what)
    {
        var words = what.Split(' ', 2);
        return Worlds
            .Select(w => w.Counters.Values)
            .SelectMany(counters => counters.Buckets.Concat(counters.KmsKeys))
            .Where(b => words.Length == 1 || b.Key == words[1])
            .Sum(b => b.Value.GetValueOrDefault(words[0])?.Received ?? 0);
    }

    /// <summary>What the bucket has by now, whatever readers see yet.</summary>
    public string Live(string bucket)
    {
        foreach (
            var (vendor, world) in Vendors
                .Select(v => (VendorOf(v), At(v)))
                .Where(v => v.Item2.Buckets.Find(bucket) is not null)
        )
            return
                BucketWords.FromXml(world.Buckets.StoredEncryption(bucket)) is var words
                && words == BucketWords.None
                && vendor == Vendor.S3
                ? "AES256"
                : words; // AWS encrypts every bucket
        return "no such bucket";
    }

    private async Task CreateAsync(string path, JsonObject full)
    {
        var (status, body) = await api.ApplyAsync(path, full);
        KubeApi.Done(status, body, path);
    }

    private string PolicyPath(string? ns, string name) =>
        $"/apis/{Group}/namespaces/{NamespaceOf(ns)}/bucketencryptionpolicies/{name}";

    private string KeyIdOf(GivenStore store) => $"{store.Key ?? "key"}-of-{Region}";

    private static string KindOf(Target target) =>
        target switch
        {
            { Policy: not null } => "BucketEncryptionPolicy",
            { Store: not null } => "BucketStore",
            { ClusterStore: not null } => "ClusterBucketStore",
            { Secret: not null } => "Secret",
            { ServiceAccount: not null } => "ServiceAccount",
            _ => "Namespace",
        };

    private JsonObject WithDefaults(JsonNode spec)
    {
        var full = spec.DeepClone().AsObject();
        full.TryAdd("storeRef", new JsonObject { ["name"] = Stores.Keys.First() });
        full.TryAdd("resyncInterval", "1s");
        return full;
    }

    private JsonObject SpecOf(string name, GivenStore store)
    {
        var vendor = VendorOf(store.Vendor);
        var spec = new JsonObject
        {
            ["vendor"] = vendor == Vendor.MinIO ? "S3" : store.Vendor,
            ["region"] = Region,
            ["endpoint"] = VendorStreet.Endpoint(vendor, Region),
            ["credentials"] = new JsonObject { ["secretRef"] = new JsonObject { ["name"] = name } },
            ["rateLimit"] = new JsonObject
            {
                ["requestsPerSecond"] = 1000,
                ["burst"] = 1000,
                ["maxConcurrency"] = 64,
            },
        };
        if (scenario.Given.KmsKeys is not null)
            spec["kmsEndpoint"] = VendorStreet.KeyServiceEndpoint(vendor, Region);
        foreach (var (key, value) in store.Spec?.AsObject() ?? [])
        {
            if (value is null)
                spec.Remove(key);
            else
                spec[key] = value.DeepClone();
        }
        return spec;
    }
}
