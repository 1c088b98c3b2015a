using System.Collections.Immutable;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>What the API server was given, and what it may not hold.</content>
internal sealed partial class ModelSchedule
{
    /// <summary>What the API server has done: which key a Secret had, and what a status says.</summary>
    private void Served(string line, int status)
    {
        if (line.StartsWith("GET ", StringComparison.Ordinal))
        {
            foreach (var secret in SecretsOf(line))
            {
                _oracle.KeysGiven[secret] = _secrets.GetValueOrDefault(secret);
                _forbidden.Remove(secret);
            }
            return;
        }
        if (status != 200)
        {
            if (ModelRun.Current is { } run)
                run.HadKubernetesFault = true;
            return;
        }
        var path = line.Split('/');
        var at = Array.IndexOf(path, ApiResources.Policies.Plural);
        if (_bench.Kubernetes.Find(new NamespacedName(path[at - 1], path[at + 1])) is { } policy)
            Stored(policy);
    }

    /// <summary>The original of a bucket that the policy has written, by policy and bucket.</summary>
    private readonly Dictionary<ClaimKey, OriginalEncryption> _originals = [];

    /// <summary>Policies and buckets of which an original is on record.</summary>
    private readonly HashSet<ClaimKey> _recorded = [];

    private void Stored(BucketEncryptionPolicy policy)
    {
        if (policy.Status is not { } status)
            return;
        _oracle.Stored(ModelRun.Current, policy);
        var text = JsonSerializer.Serialize(status, ApiJsonContext.Default.PolicyStatus);
        Leaks(text, policy.Metadata.Namespace, $"the status of {policy.Metadata.Name}");
        if (status.Buckets.Length > 512)
            _oracle.Violations.Add($"{policy.Metadata.Key} has {status.Buckets.Length} rows");
        var rows = status
            .Buckets.Where(r => r is { Partition: not null, Original.State: OriginalEncryption.Recorded })
            .ToDictionary(r => new ClaimKey(policy.Metadata.Uid, new BucketId(r.Partition!, r.Name)), r => r.Original!);
        foreach (var (key, original) in rows.Where(r => !_recorded.Contains(r.Key)))
            Inherits(policy, key.Bucket, original);
        foreach (var key in _recorded.Where(k => k.Uid == policy.Metadata.Uid && IsGivenUp(policy, status, k.Bucket)))
            _oracle.GivenUp(key);
        _recorded.RemoveWhere(k => k.Uid == policy.Metadata.Uid);
        _recorded.UnionWith(rows.Keys);
        foreach (var (key, original) in _originals.Where(o => o.Key.Uid == policy.Metadata.Uid).ToList())
        {
            if (!rows.TryGetValue(key, out var now))
                _originals.Remove(key);
            else if (now != original)
                _oracle.Violations.Add(
                    $"{policy.Metadata.Key}: the original of {key.Bucket} was "
                        + $"{original.Encryption}, and is {now.Encryption}"
                );
        }
        foreach (var (key, original) in rows.Where(r => _oracle.HasWritten(r.Key)))
            _originals[key] = original;
    }

    /// <summary>
    /// Returns whether the policy has no row of the bucket because its store leads to another bucket of that name, or
    /// because it no longer names the bucket. A status that was lost gives nothing up.
    /// </summary>
    private bool IsGivenUp(BucketEncryptionPolicy policy, PolicyStatus status, BucketId bucket)
    {
        var row = status.Buckets.FirstOrDefault(r => r.Name == bucket.Name);
        return row is null
            ? policy.Spec.BucketSelector is not null || !_oracle.Means(policy, bucket.Name)
            : row.Partition is { } partition && partition != bucket.Partition;
    }

    /// <summary>
    /// Where a policy of the same namespace and vendor is about to give the bucket up, what the bucket has is that
    /// one's write: its successor records what was there before both. No policy records its own write.
    /// </summary>
    private void Inherits(BucketEncryptionPolicy policy, BucketId bucket, OriginalEncryption original)
    {
        var (meta, vendor) = (policy.Metadata, StoreOf(policy)?.Vendor);
        var inherited = _bench
            .Policies.Snapshot()
            .Where(p =>
                p.Metadata.Uid != meta.Uid
                && p.Metadata.Namespace == meta.Namespace
                && StoreOf(p) is { } store
                && store.Place.Partition == bucket.Partition
                && store.Vendor == vendor
                && _oracle.IsLeaving(p, bucket.Name)
                && OwnershipOracle.ReleasesBuckets(p)
            )
            .SelectMany(p => p.Status?.Buckets ?? [])
            .Where(r =>
                r is { HeldTime: not null, Original.State: OriginalEncryption.Recorded }
                && r.Name == bucket.Name
                && r.Partition == bucket.Partition
            )
            .Select(r => r.Original!.Encryption)
            .ToList();
        if (inherited.Count == 0 && _oracle.HasWritten(new ClaimKey(meta.Uid, bucket)))
        {
            _oracle.Violations.Add(
                $"{meta.Key} records {original.Encryption} as the original of {bucket}, after its own write"
            );
        }
        if (inherited.Count > 0 && !inherited.Contains(original.Encryption))
            _oracle.Violations.Add(
                $"{meta.Key} records {original.Encryption} as the original of {bucket}, "
                    + $"and inherits {inherited[0]}"
            );
    }

    private void Leaks(string text, string ns, string where)
    {
        foreach (var leak in _oracle.Leaks.In(text, ns))
            _oracle.Violations.Add($"{leak} is in {where} of {ns}: {text}");
        if (text.Contains(StatusRules.SecretMark, StringComparison.Ordinal))
            _oracle.Violations.Add($"a secret is in {where}: {text}");
    }
}
