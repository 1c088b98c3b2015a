using BucketEncryptionOperator.Policies;
using KubeRuntime.Api;
using KubeRuntime.Watching;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One bucket, whatever stores lead to it.</summary>
internal readonly record struct BucketId(string Partition, string Name);

/// <summary>
/// Which policy keeps a bucket that several name. A policy claims a bucket when its own keys have opened it, and as long as they do; of all claims the oldest
/// policy's counts (creationTimestamp, then uid), and only its holder writes. A policy in mode Audit claims nothing; a suspended one keeps what it has; one that is
/// being deleted, or that has taken the bucket out of its spec, has given its claim up.
/// <para>
/// Claims are read from statuses, so that they outlive the process; what a look has found since is added to them here, before the status can say it. A write takes
/// the bucket's turn and asks once more who holds it: no two policies write one bucket at a time.
/// </para>
/// </summary>
/// <param name="partitionOf">Of the policy's store; null while the policy has none.</param>
internal sealed class BucketClaims(Mirror<BucketEncryptionPolicy> policies, Func<BucketEncryptionPolicy, string?> partitionOf)
{
    private readonly Lock _gate = new();

    /// <summary>By a bucket's name: the policies that name it.</summary>
    private readonly Dictionary<string, HashSet<NamespacedName>> _naming = new(StringComparer.Ordinal);

    /// <summary>What looks have found and no status says yet.</summary>
    private readonly Dictionary<(string Uid, BucketId Bucket), bool> _news = [];
    private readonly Dictionary<BucketId, Turn> _turns = [];

    /// <summary>Takes in a change of what policies name.</summary>
    /// <returns>The other policies whose claims it may raise or lower.</returns>
    public IReadOnlyCollection<NamespacedName> Track(Change<BucketEncryptionPolicy> change)
    {
        HashSet<NamespacedName> naming;
        lock (_gate)
        {
            var (before, now) = (Names(change.Old), Names(change.New));
            foreach (var name in before.Except(now, StringComparer.Ordinal))
            {
                if (_naming.TryGetValue(name, out var keys) && keys.Remove(change.Key) && keys.Count == 0)
                    _naming.Remove(name);
            }
            foreach (var name in now)
            {
                if (!_naming.TryGetValue(name, out var keys))
                    _naming[name] = keys = [];
                keys.Add(change.Key);
            }
            if (change.Old is { Metadata.Uid: var uid } && change.New?.Metadata.Uid != uid)
                Forget(uid);
            naming = Naming(change.Key, before.Union(now, StringComparer.Ordinal));
        }
        return Sharers(change.New ?? change.Old, naming);
    }

    /// <summary>The other policies that name one of the buckets.</summary>
    public IReadOnlyCollection<NamespacedName> SharersOf(BucketEncryptionPolicy policy, IEnumerable<string> buckets)
    {
        HashSet<NamespacedName> naming;
        lock (_gate)
            naming = Naming(policy.Metadata.Key, buckets);
        return Sharers(policy, naming);
    }

    /// <summary>A look has told whether the policy's keys open the bucket.</summary>
    public void Found(BucketEncryptionPolicy policy, BucketId bucket, bool opened)
    {
        lock (_gate)
            _news[(policy.Metadata.Uid, bucket)] = opened;
    }

    /// <summary>The policy's status says now what its looks have found.</summary>
    public void Told(BucketEncryptionPolicy policy)
    {
        lock (_gate)
            Forget(policy.Metadata.Uid);
    }

    /// <returns>Null when nobody holds the bucket.</returns>
    public BucketEncryptionPolicy? HolderOf(BucketId bucket)
    {
        List<NamespacedName> naming;
        lock (_gate)
            naming = _naming.TryGetValue(bucket.Name, out var keys) ? [.. keys] : [];
        return naming.Select(policies.Find).OfType<BucketEncryptionPolicy>().Where(p => Claims(p, bucket))
            .OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Uid, StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>Nobody has asked the policy for something else meanwhile, or for nothing at all.</summary>
    public bool IsCurrent(BucketEncryptionPolicy policy) =>
        policies.Find(policy.Metadata.Key)?.Metadata is { } now && (now.Uid, now.Generation, now.DeletionTimestamp) == (policy.Metadata.Uid, policy.Metadata.Generation, policy.Metadata.DeletionTimestamp);

    /// <summary>Waits until no other policy writes the bucket. The turn ends when it is disposed.</summary>
    public async Task<IDisposable> EnterAsync(BucketId bucket, CancellationToken cancellationToken)
    {
        Turn turn;
        lock (_gate)
        {
            if (!_turns.TryGetValue(bucket, out turn!))
                _turns[bucket] = turn = new Turn(this, bucket);
            turn.Wanted++;
        }
        var entered = false;
        try
        {
            await turn.Free.WaitAsync(cancellationToken);
            entered = true;
            return turn;
        }
        finally
        {
            if (!entered)
                Leave(turn);
        }
    }

    private bool Claims(BucketEncryptionPolicy policy, BucketId bucket)
    {
        if (policy.Metadata.DeletionTimestamp is not null || PolicyReader.IsAudit(policy.Spec) || !policy.Spec.Buckets.Any(b => b.Name == bucket.Name) || partitionOf(policy) != bucket.Partition)
            return false;
        lock (_gate)
        {
            if (_news.TryGetValue((policy.Metadata.Uid, bucket), out var opened))
                return opened;
        }
        return policy.Status?.Buckets.FirstOrDefault(b => b.Name == bucket.Name)?.ClaimedTime is not null;
    }

    private static HashSet<string> Names(BucketEncryptionPolicy? policy) => policy is null || policy.Spec.Buckets.IsDefault ? [] : [.. policy.Spec.Buckets.Select(b => b.Name)];

    private HashSet<NamespacedName> Naming(NamespacedName policy, IEnumerable<string> buckets) =>
        [.. buckets.SelectMany(b => _naming.GetValueOrDefault(b) ?? []).Where(k => k != policy)];

    /// <summary>Without those that are known to mean a bucket of another partition. Outside of the lock: others are asked.</summary>
    private HashSet<NamespacedName> Sharers(BucketEncryptionPolicy? policy, HashSet<NamespacedName> naming)
    {
        if (naming.Count > 0 && policy is not null && partitionOf(policy) is { } partition)
            naming.RemoveWhere(k => policies.Find(k) is { } other && partitionOf(other) is { } its && its != partition);
        return naming;
    }

    private void Forget(string uid)
    {
        foreach (var known in _news.Keys.Where(k => k.Uid == uid).ToList())
            _news.Remove(known);
    }

    private void Leave(Turn turn)
    {
        lock (_gate)
        {
            if (--turn.Wanted == 0)
                _turns.Remove(turn.Bucket);
        }
    }

    private sealed class Turn(BucketClaims claims, BucketId bucket) : IDisposable
    {
        public BucketId Bucket => bucket;

        public SemaphoreSlim Free { get; } = new(1, 1);

        /// <summary>Who has it or waits for it.</summary>
        public int Wanted { get; set; }

        public void Dispose()
        {
            Free.Release();
            claims.Leave(this);
        }
    }
}
