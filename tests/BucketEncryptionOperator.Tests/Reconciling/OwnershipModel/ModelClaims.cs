using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>
/// For each policy and bucket, what the policy's claim may be: one value, or several while nobody can tell from
/// outside.
/// </summary>
internal sealed class ModelClaims
{
    private readonly Dictionary<ClaimKey, HashSet<Claim>> _possible = [];
    private readonly HashSet<ClaimKey> _everOpen = [];
    private readonly Dictionary<(string Uid, string Bucket), string> _looked = [];

    public IReadOnlySet<Claim> Of(ClaimKey key) => _possible.TryGetValue(key, out var possible) ? possible : Nothing;

    /// <returns>Null while several are possible.</returns>
    public Claim? Only(ClaimKey key) => Of(key) is { Count: 1 } one ? one.First() : null;

    public IReadOnlyList<ClaimKey> Keys => [.. _possible.Keys];

    public bool WasEverOpen(ClaimKey key) => _everOpen.Contains(key);

    public void Set(ClaimKey key, Claim found)
    {
        var before = Of(key);
        _possible[key] = found == Claim.Denied ? [.. before.Select(Denied)] : [found];
        if (found == Claim.Open)
            _everOpen.Add(key);
    }

    public void MayBecome(ClaimKey key, Claim found)
    {
        var before = Of(key);
        _possible[key] = found == Claim.Denied ? [.. before, .. before.Select(Denied)] : [.. before, found];
    }

    public void MayBe(ClaimKey key, Claim claim) => _possible[key] = [.. Of(key), claim];

    /// <summary>The claims were given up; where they come back, a read may have to come first.</summary>
    public void Doubt(Func<ClaimKey, bool> isGivenUp)
    {
        foreach (var (key, possible) in _possible.Where(p => isGivenUp(p.Key)))
            possible.Add(Claim.None);
    }

    /// <summary>As statuses have them, which outlive a process.</summary>
    public void ReadAgain(IEnumerable<BucketEncryptionPolicy> stored)
    {
        _possible.Clear();
        _looked.Clear();
        foreach (var policy in stored)
        {
            foreach (var row in (policy.Status?.Buckets ?? []).Where(r => r.Partition is not null))
            {
                var key = new ClaimKey(policy.Metadata.Uid, new BucketId(row.Partition!, row.Name));
                _possible[key] = [InRow(row)];
                if (InRow(row) == Claim.Open)
                    _everOpen.Add(key); // on record before the process was killed
                Looked(key);
            }
        }
    }

    public static Claim InRow(BucketStatus row) =>
        row.ClaimedTime is not null ? Claim.Open
        : row.ClaimDeniedTime is not null ? Claim.Denied
        : Claim.None;

    /// <summary>Records what a look has found about the claim.</summary>
    public void Looked(ClaimKey key) => _looked[(key.Uid, key.Bucket.Name)] = key.Bucket.Partition;

    /// <summary>Where the policy has looked at a bucket of that name last.</summary>
    public string? LookedAt(string uid, string bucket) => _looked.GetValueOrDefault((uid, bucket));

    private static HashSet<Claim> Nothing { get; } = [Claim.None];

    private static Claim Denied(Claim before) => before == Claim.None ? Claim.None : Claim.Denied;
}
