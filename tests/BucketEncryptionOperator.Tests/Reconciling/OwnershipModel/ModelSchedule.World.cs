using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>The world of a schedule, and what people, vendors and the API server do in it.</content>
internal sealed partial class ModelSchedule
{
    private void Populate()
    {
        foreach (var ns in Namespaces)
            _oracle.Leaks.Name(ns, ns);
        foreach (var (name, vendor) in _installations)
        {
            foreach (var bucket in _buckets)
                vendor[bucket] = Chance(8) ? null : Found(name);
        }
        foreach (var place in Places.Where(p => p.IsNamedByClusterStore || Chance(4)))
            MakeStore("", place);
        foreach (var ns in Namespaces)
        {
            var own = Places.Where(p => !p.IsNamedByClusterStore).ToArray();
            _random.Shuffle(own);
            foreach (var place in own.Take(_random.Next(2, 4)))
                MakeStore(ns, place);
        }
        for (var i = _random.Next(3, 6); i > 0; i--)
            MakePolicy();
        Watch();
    }

    private void MakeStore(string ns, ModelPlace place)
    {
        var name = $"store-{_stores.Count}";
        var secret = new NamespacedName(ns.Length == 0 ? Workbench.SecretNamespace : ns, $"keys-{_stores.Count}");
        NewKey(secret);
        Put(new ModelStore(ns, name, place.Vendor, place, secret) { Uid = $"uid-{name}", Pretends = ns.Length > 0 && Chance(3) ? One(["aliyuncs.com", "minio"]) : null });
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
            spec["allowedNamespaces"] = new JsonObject { ["names"] = new JsonArray([.. Namespaces.Select(n => JsonValue.Create(n))]) };
        var node = new JsonObject { ["metadata"] = Meta(store.Namespace, store.Name, store.Uid, store.Generation), ["spec"] = spec };
        if (store.IsClusterStore)
            _bench.Put(node.Deserialize(Wire.Default.ClusterObjectStore)!);
        else
            _bench.Put(node.Deserialize(Wire.Default.ObjectStore)!);
        StoreChanged(store.Namespace, store.Name);
    }

    private JsonObject Meta(string ns, string name, string uid, long generation) =>
        new() { ["name"] = name, ["namespace"] = ns, ["uid"] = uid, ["generation"] = generation, ["resourceVersion"] = (++_made).ToString(System.Globalization.CultureInfo.InvariantCulture) };

    private void StoreChanged(string ns, string name)
    {
        _oracle.CacheChanged();
        foreach (var policy in _bench.Policies.Snapshot().Where(p => p.Spec.StoreRef.Name == name && (ns.Length == 0 || p.Metadata.Namespace == ns)))
            _due[policy.Metadata.Key] = Now;
    }

    private BucketEncryption Found(string where) => _random.Next(5) switch
    {
        0 => new BucketEncryption.None(),
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
                CreationTimestamp = like is null ? DateTimeOffset.UnixEpoch.AddMinutes(_random.Next(100)) : KubeTimeConverter.Truncate(Now),
            },
            Spec = like?.Spec ?? Consistent(new PolicySpec
            {
                StoreRef = new StoreReference { Kind = store.IsClusterStore ? "ClusterObjectStore" : null, Name = store.Name },
                Buckets = SomeBuckets(),
                Encryption = SomeEncryption(ns),
                Match = Chance(6) ? "AtLeast" : null,
                Mode = Chance(8) ? "Audit" : null,
                DeletionPolicy = One(["Delete", "Restore", "Restore", "Retain"]),
                AllowDowngrade = Chance(2) ? true : null,
                Suspend = Chance(12) ? true : null,
            }),
        };
        Tell($"new {policy.Metadata.Key} of {policy.Metadata.CreationTimestamp:HH:mm}");
        _bench.Kubernetes.Put(policy);
        return policy;
    }

    private static PolicySpec Consistent(PolicySpec spec) => spec.DeletionPolicy == "Delete" ? spec with { AllowDowngrade = true } : spec;

    private ImmutableArray<BucketReference> SomeBuckets() =>
        [.. _buckets.OrderBy(_ => _random.Next()).Take(_random.Next(1, _buckets.Length + 1)).Select(b => new BucketReference { Name = b })];

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
                return new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "sharedz" } };
            default:
                _oracle.Leaks.Declared(ns, key);
                return new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = key } };
        }
    }

    /// <summary>A change of a policy as a user makes it. The mirror mostly learns of it at once, and now and then later.</summary>
    private void Edit(BucketEncryptionPolicy policy, PolicySpec spec)
    {
        var next = (policy with { Spec = Consistent(spec) }).NextGeneration();
        Tell($"edit {next.Metadata.Key}@{next.Metadata.Generation}: {string.Join(",", next.Spec.Buckets.Select(b => b.Name))} {next.Spec.Encryption.Algorithm} {next.Spec.Encryption.KmsKey?.Id} suspend {next.Spec.Suspend} {next.Spec.Mode} {next.Spec.DeletionPolicy}");
        _bench.Kubernetes.Put(next);
    }

    private void WatchMaybe()
    {
        if (!Chance(4))
            Watch();
    }

    private void Disturb()
    {
        var live = _bench.Kubernetes.Policies.Where(p => p.Metadata.DeletionTimestamp is null).ToList();
        if (live.Count < 2)
        {
            MakePolicy();
            WatchMaybe();
            return;
        }
        var policy = One(live);
        switch (_random.Next(20))
        {
            case 0 when live.Count < 8:
                MakePolicy();
                break;
            case 1:
                Delete(policy);
                break;
            case 2:
                Edit(policy, policy.Spec with { Suspend = policy.Spec.Suspend == true ? null : true });
                break;
            case 3:
                Edit(policy, policy.Spec with { Mode = policy.Spec.Mode == "Audit" ? null : "Audit" });
                break;
            case 4:
                Edit(policy, policy.Spec with { Encryption = SomeEncryption(policy.Metadata.Namespace) });
                break;
            case 5:
                Edit(policy, policy.Spec with { AllowDowngrade = policy.Spec.AllowDowngrade == true ? null : true });
                break;
            case 6:
                Edit(policy, policy.Spec with { Buckets = SomeBuckets() });
                break;
            case 7:
                Edit(policy, policy.Spec with { DeletionPolicy = One(["Delete", "Restore", "Retain"]) });
                break;
            case 8 or 9:
                Move(policy, live);
                break;
            case 10: // a policy under another name, in one apply
                MakePolicy(policy);
                Delete(policy);
                break;
            case 11 or 12:
                ChangeBucket();
                break;
            case 13 or 14:
                ChangeGrant();
                break;
            case 15:
                ChangeKeys();
                break;
            case 16:
                PointElsewhere();
                break;
            case 17:
                RemoveOrMakeStore();
                break;
            default:
                ChangeBucket();
                break;
        }
        WatchMaybe();
    }

    private void Delete(BucketEncryptionPolicy policy)
    {
        Tell($"delete {policy.Metadata.Key}");
        _bench.Kubernetes.Delete(policy.Metadata.Key);
    }

    /// <summary>A bucket goes from one policy to another in one apply.</summary>
    private void Move(BucketEncryptionPolicy from, List<BucketEncryptionPolicy> live)
    {
        if (from.Spec.Buckets.Length < 2 || live.Where(p => p.Metadata.Uid != from.Metadata.Uid).ToList() is not { Count: > 0 } others)
            return;
        var (bucket, to) = (from.Spec.Buckets[0], One(others));
        Edit(from, from.Spec with { Buckets = from.Spec.Buckets.RemoveAt(0) });
        if (!to.Spec.Buckets.Contains(bucket))
            Edit(to, to.Spec with { Buckets = to.Spec.Buckets.Add(bucket) });
    }

    /// <summary>Somebody else changes a bucket, removes it, or makes it.</summary>
    private void ChangeBucket()
    {
        var (name, vendor) = One(_installations.ToList());
        var bucket = One(_buckets);
        vendor[bucket] = Chance(12) ? null : Found(name);
        Tell($"somebody makes {bucket} at {name} {vendor[bucket]}");
        foreach (var place in Places.Where(p => p.Installation == name))
            _oracle.ChangedByOthers(new BucketId(place.Partition, bucket));
    }

    /// <summary>A key may no longer, or again, read or write a bucket.</summary>
    private void ChangeGrant()
    {
        var store = One(_stores.Values.ToList());
        if (_secrets.GetValueOrDefault(store.Secret) is not { } key)
            return;
        var grant = (key, store.Place.Installation, One(_buckets), !Chance(2));
        if (!_denied.Remove(grant))
            _denied.Add(grant);
        Tell($"denied or not: {grant}");
    }

    private void ChangeKeys()
    {
        var secret = One(_stores.Values.ToList()).Secret;
        var old = _secrets.GetValueOrDefault(secret);
        if (old is not null && Chance(4))
        {
            _secrets.Remove(secret);
            _bench.Kubernetes.RemoveSecret(secret);
            Tell($"{secret} is gone");
        }
        else
        {
            NewKey(secret);
        }
        if (old is not null && Chance(2))
        {
            _revoked.Add(old);
            Tell($"{old} is revoked");
        }
    }

    private void PointElsewhere()
    {
        var store = One(_stores.Values.ToList());
        var place = One(Places.Where(p => p.Vendor == store.Vendor && (store.IsClusterStore || !p.IsNamedByClusterStore)).ToList());
        if (place != store.Place)
            Put(store with { Place = place, Generation = store.Generation + 1 });
    }

    private void RemoveOrMakeStore()
    {
        var gone = _gone.Count > 0 && Chance(2);
        if (gone)
        {
            var back = One(_gone);
            _gone.Remove(back);
            Put(back with { Uid = $"uid-{_made++}" });
            return;
        }
        var store = One(_stores.Values.ToList());
        if (_stores.Count < 3 || _stores.Values.Count(s => s.Namespace == store.Namespace) < 2)
            return;
        _gone.Add(store);
        _stores.Remove((store.Namespace, store.Name));
        Tell($"store {store.Name} is gone");
        if (store.IsClusterStore)
            _bench.RemoveClusterStore(store.Name);
        else
            _bench.RemoveStore(new NamespacedName(store.Namespace, store.Name));
        StoreChanged(store.Namespace, store.Name);
    }

    private readonly List<ModelStore> _gone = [];

    private VendorFault? VendorFault(VendorCall call)
    {
        if (_isCalm || _random.Next(100) >= _vendorFaults)
            return null;
        return _random.Next(8) switch
        {
            0 => new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, call.Operation)),
            1 => new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "HTTP_403", 403, call.Operation)),
            2 => new VendorFault(InMemoryVendor.Fail(FailureKind.Refused, "HTTP_302", 302, call.Operation)),
            3 => new VendorFault(InMemoryVendor.Fail(FailureKind.Missing, "HTTP_404", 404, call.Operation)),
            4 => new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500, call.Operation)),
            5 => new VendorFault(NoAnswer(call)),
            6 => new VendorFault(NoAnswer(call), AfterEffect: true),
            _ => new VendorFault(InMemoryVendor.Fail(FailureKind.Refused, "KMS.DisabledException", 400, call.Operation)),
        };
    }

    private static Failure NoAnswer(VendorCall call) => new(FailureKind.Transient, call.Operation + "BucketEncryption", "RequestTimeout") { Message = "no answer in time" };

    private Reply? KubernetesFault(int number, string line)
    {
        if (_isCalm || ModelRun.Current is not { } run || _random.Next(100) >= _kubernetesFaults)
            return null;
        Tell($"        API fault: {line}");
        run.HadKubernetesFault = true;
        return _random.Next(4) switch
        {
            0 => KubernetesFake.Status(409, "Conflict"),
            1 => KubernetesFake.Status(500, "InternalError"),
            2 => KubernetesFake.Status(403, "Forbidden"),
            _ => new Reply.Reset(),
        };
    }

    private Reply? LostAnswer(string line)
    {
        if (_isCalm || line.StartsWith("GET ", StringComparison.Ordinal) || ModelRun.Current is not { } run || _random.Next(200) >= _kubernetesFaults)
            return null;
        Tell($"        API answer lost: {line}");
        run.HadKubernetesFault = true;
        return new Reply.Reset();
    }

    /// <summary>What the API server has done: which key a Secret had, and what a status says.</summary>
    private void Served(string line, int status)
    {
        if (line.StartsWith("GET ", StringComparison.Ordinal))
        {
            foreach (var store in _stores.Values.Concat(_gone).Where(s => line.EndsWith(Kinds.Secrets.ObjectPath(s.Secret), StringComparison.Ordinal)))
                _oracle.KeysGiven[store.Secret] = _secrets.GetValueOrDefault(store.Secret);
            return;
        }
        if (status != 200)
        {
            if (ModelRun.Current is { } run)
                run.HadKubernetesFault = true;
            return;
        }
        var path = line.Split('/');
        var at = Array.IndexOf(path, Kinds.Policies.Plural);
        if (_bench.Kubernetes.Find(new NamespacedName(path[at - 1], path[at + 1])) is { } policy)
            Stored(policy);
    }

    /// <summary>The original of a bucket that the policy has written, by policy and bucket.</summary>
    private readonly Dictionary<ClaimKey, OriginalRow> _originals = [];

    private void Stored(BucketEncryptionPolicy policy)
    {
        if (policy.Status is not { } status)
            return;
        Leaks(JsonSerializer.Serialize(status, Wire.Default.PolicyStatus), policy.Metadata.Namespace, $"the status of {policy.Metadata.Name}");
        if (status.Buckets.Length > 512)
            _oracle.Violations.Add($"{policy.Metadata.Key} has {status.Buckets.Length} rows");
        var rows = status.Buckets.Where(r => r is { Partition: not null, Original.State: OriginalRow.Recorded })
            .ToDictionary(r => new ClaimKey(policy.Metadata.Uid, new BucketId(r.Partition!, r.Name)), r => r.Original!);
        foreach (var (key, original) in _originals.Where(o => o.Key.Uid == policy.Metadata.Uid).ToList())
        {
            if (!rows.TryGetValue(key, out var now))
                _originals.Remove(key);
            else if (now != original)
                _oracle.Violations.Add($"{policy.Metadata.Key}: the original of {key.Bucket} was {original.Encryption}, and is {now.Encryption}");
        }
        foreach (var (key, original) in rows.Where(r => _oracle.HasWritten(r.Key)))
            _originals[key] = original;
    }
}
