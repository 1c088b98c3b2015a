using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="Policy">The policy as it is stored now.</param>
/// <param name="Written">Whether a patch was sent: an equal status is not.</param>
internal sealed record StatusWriteResult(BucketEncryptionPolicy Policy, bool Written);

/// <summary>
/// Writes a status: one patch bound to the version that it was made from, and none at all when nothing changed. Parts
/// of the status that may go are present, or named with null, so that a merge patch leaves nothing old behind.
/// </summary>
internal sealed class StatusWriter(KubeClient client, ObjectCache<BucketEncryptionPolicy> policies)
{
    /// <summary>
    /// By uid: the version that a patch without an answer was made from. The patch may be stored, and the cache may
    /// not have it yet. So the next status is sent even if it is equal: if the patch is stored, that is a conflict, and
    /// the policy is reconciled again.
    /// </summary>
    private readonly ConcurrentDictionary<string, string> _unanswered = new(StringComparer.Ordinal);

    /// <exception cref="KubeApiException">Conflict: the policy has changed since it was read.</exception>
    public async Task<StatusWriteResult> WriteAsync(
        BucketEncryptionPolicy policy,
        PolicyStatus status,
        CancellationToken cancellationToken
    )
    {
        var (uid, version) = (policy.Metadata.Uid, policy.Metadata.ResourceVersion);
        if (policy.Status is { } current && IsSame(current, status) && _unanswered.GetValueOrDefault(uid) != version)
            return new StatusWriteResult(policy, Written: false);
        _unanswered[uid] = version;
        var patch = new StatusPatch
        {
            Metadata = new PatchMeta { ResourceVersion = version },
            Status = status,
        };
        var json = Removing(
            policy.Status,
            status,
            JsonSerializer.SerializeToUtf8Bytes(patch, ApiJsonContext.Default.StatusPatch)
        );
        var written = await client.PatchStatusAsync(
            ApiResources.Policies,
            policy.Metadata.Key,
            json,
            cancellationToken
        );
        _unanswered.TryRemove(uid, out _);
        policies.Replace(version, written);
        return new StatusWriteResult(written, Written: true);
    }

    /// <summary>A merge patch leaves what it does not name: what a status has no more is named with null.</summary>
    private static byte[] Removing(PolicyStatus? before, PolicyStatus now, byte[] patch)
    {
        string[] gone =
        [
            .. before?.Discovery is not null && now.Discovery is null ? ["discovery"] : Array.Empty<string>(),
            .. before?.Problems is not null && now.Problems is null ? ["problems"] : Array.Empty<string>(),
        ];
        if (gone.Length == 0 || JsonNode.Parse(patch) is not { } node || node["status"] is not JsonObject status)
            return patch;
        foreach (var name in gone)
            status[name] = null;
        return Encoding.UTF8.GetBytes(node.ToJsonString());
    }

    /// <summary>The policy is gone.</summary>
    public void Forget(string uid) => _unanswered.TryRemove(uid, out _);

    /// <summary>
    /// Compares by value, and without serializing either: most reconciles change nothing. (A record compares its lists
    /// by reference.)
    /// </summary>
    internal static bool IsSame(PolicyStatus a, PolicyStatus b) =>
        a.ObservedGeneration == b.ObservedGeneration
        && a.LastHandledReconcileAt == b.LastHandledReconcileAt
        && a.LastVerifiedTime == b.LastVerifiedTime
        && a.Inputs == b.Inputs
        && a.Summary == b.Summary
        && a.Discovery == b.Discovery
        && (a.Problems ?? []).AsSpan().SequenceEqual((b.Problems ?? []).AsSpan())
        && a.Conditions.AsSpan().SequenceEqual(b.Conditions.AsSpan())
        && a.Buckets.AsSpan().SequenceEqual(b.Buckets.AsSpan());
}
