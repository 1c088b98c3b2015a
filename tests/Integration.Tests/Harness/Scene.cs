using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace Integration.Tests.Harness;

/// <summary>A namespace with a store and its Secret in a cluster, and the simulated vendor behind it.</summary>
internal sealed class Scene(Cluster cluster, SimulatorServer vendor, string ns)
{
    public const string KeyId = "scene-key";
    private const string KeySecret = "scene-secret";

    public Cluster Cluster => cluster;

    public World Vendor => vendor.World;

    public Uri Endpoint => vendor.Url;

    /// <summary>The store's endpoint as it is allowed: scheme, host and port.</summary>
    public string Here => vendor.Url.GetLeftPart(UriPartial.Authority);

    public string Namespace => ns;

    /// <summary>Makes namespace, Secret and store "oss".</summary>
    public static async Task<Scene> SetAsync(Cluster cluster, SimulatorServer vendor, string ns)
    {
        var scene = new Scene(cluster, vendor, ns);
        vendor.World.Accounts.Set(KeyId, Account(KeySecret));
        await cluster.ApplyAsync(
            $$$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{{ns}}} }
            """
        );
        await cluster.ApplyAsync(SecretYaml(ns, KeySecret));
        await cluster.ApplyAsync(scene.StoreYaml());
        return scene;
    }

    public static Account Account(string secret) => new() { Secret = secret };

    public static string SecretYaml(string ns, string secret) =>
        $$$"""
            apiVersion: v1
            kind: Secret
            metadata: {name: oss-keys, namespace: {{{ns}}} }
            stringData: {accessKeyId: {{{KeyId}}}, accessKeySecret: {{{secret}}} }
            """;

    public string StoreYaml(string? endpoint = null, string addressing = "VirtualHost") =>
        $$$"""
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketStore
            metadata: {name: oss, namespace: {{{ns}}} }
            spec:
              vendor: AlibabaOSS
              region: cn-hangzhou
              endpoint: "{{{endpoint ?? vendor.Url.GetLeftPart(UriPartial.Authority)}}}"
              addressing: {{{addressing}}}
              credentials: {secretRef: {name: oss-keys} }
            """;

    public void CreateBuckets(params IEnumerable<string> names)
    {
        foreach (var name in names)
            Vendor.Buckets.Create(name, new BucketSettings());
    }

    public Task ApplyPolicyAsync(
        string name,
        IEnumerable<string> buckets,
        string encryption = "{algorithm: KMS, kmsKey: {id: key-1}}",
        string resync = "1s",
        string more = ""
    ) => cluster.ApplyAsync(PolicyYaml(name, buckets, encryption, resync, more));

    public string PolicyYaml(
        string name,
        IEnumerable<string> buckets,
        string encryption = "{algorithm: KMS, kmsKey: {id: key-1}}",
        string resync = "1s",
        string more = ""
    ) =>
        $$$"""
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketEncryptionPolicy
            metadata: {name: {{{name}}}, namespace: {{{ns}}} }
            spec: {storeRef: {name: oss}, resyncInterval: {{{resync}}}, buckets: [{{{string.Join(
                ", ",
                buckets.Select(b => $"{{name: {b}}}")
            )}}}], encryption: {{{encryption}}}{{{more}}} }
            """;

    /// <summary>Requests of one operation on one bucket that the vendor has received.</summary>
    public long Received(string bucket, string operation) =>
        Vendor.Counters.Values.Buckets.TryGetValue(bucket, out var operations)
        && operations.TryGetValue(operation, out var tally)
            ? tally.Received
            : 0;

    /// <summary>Accepted writes on one bucket.</summary>
    public int Writes(string bucket) => Vendor.Counters.Values.Writes.Count(w => w.Bucket == bucket && w.Accepted);
}
