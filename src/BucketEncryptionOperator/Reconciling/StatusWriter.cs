using System.Collections.Concurrent;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="Policy">The policy as it is stored now.</param>
/// <param name="Written">Whether a patch was sent: an equal status is not.</param>
internal sealed record StatusWriteResult(BucketEncryptionPolicy Policy, bool Written);

/// <summary>
/// Writes a status: one patch bound to the version that it was made from, and none at all when nothing changed. All
/// parts of the status that may go are always present, so that a merge patch leaves nothing old behind.
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
        var json = JsonSerializer.SerializeToUtf8Bytes(patch, ApiJsonContext.Default.StatusPatch);
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
        && a.Conditions.AsSpan().SequenceEqual(b.Conditions.AsSpan())
        && a.Buckets.AsSpan().SequenceEqual(b.Buckets.AsSpan());
}
