using BucketEncryptionOperator.Api;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// By a bucket's name: the policies that name it, those that have to release it, and those whose selector has selected
/// it. What a selector selects follows from its status, not from its spec.
/// </summary>
internal sealed class BucketIndex
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<NamespacedName>> _keysByBucket = new(StringComparer.Ordinal);

    /// <summary>Policies with a selector, and the names under which each is in the index.</summary>
    private readonly Dictionary<NamespacedName, HashSet<string>> _selected = [];

    /// <summary>All policies with a selector.</summary>
    public NamespacedName[] Selectors
    {
        get
        {
            lock (_gate)
                return [.. _selected.Keys];
        }
    }

    public NamespacedName[] KeysOf(string bucket)
    {
        lock (_gate)
            return _keysByBucket.TryGetValue(bucket, out var keys) ? [.. keys] : [];
    }

    /// <summary>A policy was created, changed or deleted.</summary>
    /// <returns>The names under which it was or is in the index.</returns>
    public IReadOnlyCollection<string> Track(Change<BucketEncryptionPolicy> change)
    {
        var (before, now) = (Names(change.Old), Names(change.New));
        lock (_gate)
        {
            if (_selected.Remove(change.Key, out var selected))
                before.UnionWith(selected);
            if (change.New?.Spec.BucketSelector is not null)
                _selected[change.Key] = now;
            Move(change.Key, before, now);
        }
        before.UnionWith(now);
        return before;
    }

    /// <summary>A policy has found a bucket that it selects, and no status has it yet.</summary>
    public void AddSelected(NamespacedName policy, string bucket)
    {
        lock (_gate)
        {
            if (_selected.TryGetValue(policy, out var selected) && selected.Add(bucket))
                Add(policy, bucket);
        }
    }

    /// <summary>The status of a policy was written.</summary>
    public void SetSelected(BucketEncryptionPolicy policy)
    {
        lock (_gate)
        {
            if (!_selected.TryGetValue(policy.Metadata.Key, out var before))
                return;
            var now = Names(policy);
            _selected[policy.Metadata.Key] = now;
            Move(policy.Metadata.Key, before, now);
        }
    }

    private void Move(NamespacedName policy, HashSet<string> before, HashSet<string> now)
    {
        foreach (var bucket in before)
        {
            if (now.Contains(bucket))
                continue;
            if (_keysByBucket.TryGetValue(bucket, out var keys) && keys.Remove(policy) && keys.Count == 0)
                _keysByBucket.Remove(bucket);
        }
        foreach (var bucket in now)
            Add(policy, bucket);
    }

    private void Add(NamespacedName policy, string bucket)
    {
        if (!_keysByBucket.TryGetValue(bucket, out var keys))
            _keysByBucket[bucket] = keys = [];
        keys.Add(policy);
    }

    private static HashSet<string> Names(BucketEncryptionPolicy? policy)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (policy is null)
            return names;
        names.UnionWith(policy.Spec.Buckets.Select(b => b.Name));
        var isSelector = policy.Spec.BucketSelector is not null;
        names.UnionWith(
            (policy.Status?.Buckets ?? []).Where(b => isSelector || b.HeldTime is not null).Select(b => b.Name)
        );
        return names;
    }
}
