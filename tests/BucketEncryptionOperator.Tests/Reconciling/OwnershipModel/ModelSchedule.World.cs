using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>The world of a schedule, as it is made.</content>
internal sealed partial class ModelSchedule
{
    private void Populate()
    {
        foreach (var ns in Namespaces)
            _oracle.Leaks.Name(ns, ns);
        foreach (var (name, vendor) in _installations)
        {
            foreach (var bucket in _buckets)
                vendor[bucket] = Chance(12) ? null : Found(name);
        }
        foreach (var place in _places.Where(p => p.IsNamedByClusterStore || Chance(_selects ? 2 : 4)))
            MakeStore("", place);
        foreach (var ns in Namespaces)
        {
            var own = _places.Where(p => !p.IsNamedByClusterStore).ToArray();
            _random.Shuffle(own);
            foreach (var place in own.Take(_random.Next(2, 4)))
                MakeStore(ns, place);
        }
        for (var i = _random.Next(3, 6); i > 0; i--)
            MakePolicy();
        if (Chance(3))
            DenyAll();
        Watch();
    }

    /// <summary>
    /// Chooses where a schedule's stores may lead: mostly to endpoints of one vendor, so that policies meet at the same
    /// buckets.
    /// </summary>
    private ImmutableArray<ModelPlace> SomePlaces()
    {
        var vendor = Pick(0, 0, 0, 1, 1, 1, 2, 2) switch
        {
            0 => "AlibabaOSS",
            1 => "S3",
            _ => null,
        };
        return [.. Places.Where(p => vendor is null || p.Vendor == vendor)];
    }

    /// <summary>From the start, a key may read buckets and not write them.</summary>
    private void DenyAll()
    {
        var store = One(_stores.Values.ToList());
        foreach (var bucket in _buckets)
            _denied.Add((_secrets[store.Secret], store.Place.Installation, bucket, true));
        Tell($"{store.Secret} may not write");
    }

    private void MakeStore(string ns, ModelPlace place)
    {
        var name = $"store-{_stores.Count}";
        var secret = new NamespacedName(ns.Length == 0 ? Workbench.SecretNamespace : ns, $"keys-{_stores.Count}");
        NewKey(secret);
        Put(
            new ModelStore(ns, name, place.Vendor, place, secret)
            {
                Uid = $"uid-{name}",
                Selectable = _selects && ns.Length == 0 && Chance(2) ? SomeSelectable() : ["*"],
                Pretends = ns.Length > 0 && Chance(3) ? One(["aliyuncs.com", "minio"]) : null,
            }
        );
    }

    private void NewKey(NamespacedName secret)
    {
        var id = $"AK{_made++}X";
        _secrets[secret] = id;
        _bench.Kubernetes.PutSecret(secret, ("accessKeyId", id), ("accessKeySecret", "hush-" + id));
        Tell($"{secret} has {id}");
    }

    private void Put(ModelStore store)
    {
        _stores[(store.Namespace, store.Name)] = store;
        Tell($"store {store}");
        // A tenant may write what he likes into a store; what the operator makes of it is the operator's matter.
        var spec = new JsonObject
        {
            ["vendor"] = store.Vendor,
            ["region"] = store.Place.Region,
            ["credentials"] = new JsonObject { ["secretRef"] = new JsonObject { ["name"] = store.Secret.Name } },
        };
        if (store.Place.Endpoint is { } endpoint)
            spec["endpoint"] = endpoint;
        if (store.Place.IsNamedByClusterStore)
            spec["partition"] = store.Place.Partition;
        else if (store.Pretends is { } pretends)
            spec["partition"] = pretends;
        if (store.IsClusterStore)
            spec["allowedNamespaces"] = new JsonObject
            {
                ["names"] = new JsonArray([.. Namespaces.Select(n => JsonValue.Create(n))]),
                ["selectableBuckets"] = new JsonArray([.. store.Selectable.Select(p => JsonValue.Create(p))]),
            };
        var node = new JsonObject
        {
            ["metadata"] = Meta(store.Namespace, store.Name, store.Uid, store.Generation),
            ["spec"] = spec,
        };
        if (store.IsClusterStore)
            _bench.Put(node.Deserialize(ApiJsonContext.Default.ClusterBucketStore)!);
        else
            _bench.Put(node.Deserialize(ApiJsonContext.Default.BucketStore)!);
        StoreChanged(store.Namespace, store.Name);
    }

    private JsonObject Meta(string ns, string name, string uid, long generation) =>
        new()
        {
            ["name"] = name,
            ["namespace"] = ns,
            ["uid"] = uid,
            ["generation"] = generation,
            ["resourceVersion"] = (++_made).ToString(System.Globalization.CultureInfo.InvariantCulture),
        };

    private void StoreChanged(string ns, string name)
    {
        _oracle.CacheChanged();
        foreach (var (run, _) in _running)
            run.Stores.Add(StoreOf(run.Policy));
        foreach (
            var policy in _bench
                .Policies.Snapshot()
                .Where(p => p.Spec.StoreRef.Name == name && (ns.Length == 0 || p.Metadata.Namespace == ns))
        )
            _due[policy.Metadata.Key] = Now;
    }

    private BucketEncryption Found(string where) =>
        _random.Next(6) switch
        {
            0 or 5 => new BucketEncryption.None(),
            1 => new BucketEncryption.Aes256(),
            2 => new BucketEncryption.Kms(KeyId: null, DataCipher.Aes256),
            _ => new BucketEncryption.Kms(_oracle.Leaks.Key($"found{_made++}z{where}"), DataCipher.Aes256),
        };

    private BucketEncryptionPolicy MakePolicy(BucketEncryptionPolicy? like = null)
    {
        var ns = like?.Metadata.Namespace ?? One(Namespaces);
        var name = _oracle.Leaks.Name(ns, $"p{_made++}q{ns["team-".Length..]}");
        var stores = _stores.Values.Where(s => s.IsClusterStore || s.Namespace == ns).ToList();
        var store = One(stores);
        var policy = new BucketEncryptionPolicy
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = ns,
                Uid = $"uid-{name}",
                Generation = 1,
                // For a policy that was there before under this name: it confirms nothing of this one
                Annotations = _selects && Chance(2) ? [new(RequestAnnotations.ConfirmedWrites, "0")] : [],
                CreationTimestamp = like is null
                    ? DateTimeOffset.UnixEpoch.AddMinutes(_random.Next(100))
                    : KubeTimeConverter.Truncate(Now),
            },
            Spec =
                like?.Spec
                ?? SelectingMaybe(
                    new PolicySpec
                    {
                        StoreRef = new StoreReference
                        {
                            Kind = store.IsClusterStore ? "ClusterBucketStore" : null,
                            Name = store.Name,
                        },
                        Buckets = SomeBuckets(),
                        Encryption = SomeEncryption(ns),
                        Match = Chance(6) ? "AtLeast" : null,
                        Mode = Chance(8) ? "Audit" : null,
                        DeletionPolicy = One(["Delete", "Restore", "Restore", "Retain"]),
                        AllowDowngrade = Chance(2) ? true : null,
                        Suspend = Chance(12) ? true : null,
                    }
                ),
        };
        Tell($"new {policy.Metadata.Key} of {policy.Metadata.CreationTimestamp:HH:mm}");
        _bench.Kubernetes.Put(policy);
        return policy;
    }

    private PolicySpec SelectingMaybe(PolicySpec spec) => Consistent(_selects && Chance(2) ? Selecting(spec) : spec);

    private static PolicySpec Consistent(PolicySpec spec) =>
        spec.DeletionPolicy == "Delete" ? spec with { AllowDowngrade = true } : spec;

    private ImmutableArray<BucketReference> SomeBuckets() =>
        [
            .. _buckets
                .OrderBy(_ => _random.Next())
                .Take(_random.Next(1, _buckets.Length + 1))
                .Select(b => new BucketReference { Name = b }),
        ];

    private EncryptionSpec SomeEncryption(string ns)
    {
        var key = _oracle.Leaks.Key($"k{_random.Next(2)}z{ns["team-".Length..]}");
        switch (_random.Next(8))
        {
            case 0:
                return new EncryptionSpec { Algorithm = "None" };
            case 1 or 2 or 3:
                return new EncryptionSpec { Algorithm = "AES256" };
            case 4:
                return new EncryptionSpec { Algorithm = "KMS" };
            case 5:
                _oracle.Leaks.Declared(ns, _oracle.Leaks.Key("sharedz"));
                return new EncryptionSpec
                {
                    Algorithm = "KMS",
                    KmsKey = new KmsKeySpec { Id = "sharedz" },
                };
            default:
                _oracle.Leaks.Declared(ns, key);
                return new EncryptionSpec
                {
                    Algorithm = "KMS",
                    KmsKey = new KmsKeySpec { Id = key },
                };
        }
    }
}
