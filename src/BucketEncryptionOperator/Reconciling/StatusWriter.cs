using System.Text.Json;
using BucketEncryptionOperator.Policies;
using KubeRuntime.Api;
using KubeRuntime.Watching;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Writes a status: one patch bound to the version that it was made from, and none at all when nothing changed. All parts of the
/// status are always present, so that a merge patch leaves nothing old behind.
/// </summary>
internal sealed class StatusWriter(KubeClient client, Mirror<BucketEncryptionPolicy> mirror)
{
    /// <returns>Whether something was written.</returns>
    /// <exception cref="KubeApiException">Conflict: the policy has changed since it was read.</exception>
    public async Task<bool> WriteAsync(BucketEncryptionPolicy policy, PolicyStatus status, CancellationToken cancellationToken)
    {
        if (policy.Status is { } current && IsSame(current, status))
            return false;
        var version = policy.Metadata.ResourceVersion;
        var patch = new StatusPatch { Metadata = new PatchMeta { ResourceVersion = version }, Status = status };
        var written = await client.PatchStatusAsync(Kinds.Policies, policy.Metadata.Key, JsonSerializer.SerializeToUtf8Bytes(patch, Wire.Default.StatusPatch), cancellationToken);
        mirror.Replace(version, written);
        return true;
    }

    /// <summary>By value, and without writing either down: most reconciles change nothing. (A record compares its lists by reference.)</summary>
    internal static bool IsSame(PolicyStatus a, PolicyStatus b) =>
        a.ObservedGeneration == b.ObservedGeneration && a.Summary == b.Summary
        && a.Conditions.AsSpan().SequenceEqual(b.Conditions.AsSpan()) && a.Buckets.AsSpan().SequenceEqual(b.Buckets.AsSpan());
}
