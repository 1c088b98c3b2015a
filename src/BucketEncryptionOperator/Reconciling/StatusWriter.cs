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
        var version = policy.Metadata.ResourceVersion;
        var wanted = Serialize(version, status);
        if (policy.Status is { } current && wanted.AsSpan().SequenceEqual(Serialize(version, current)))
            return false;
        var written = await client.PatchStatusAsync(Kinds.Policies, policy.Metadata.Key, wanted, cancellationToken);
        mirror.Replace(version, written);
        return true;
    }

    private static byte[] Serialize(string version, PolicyStatus status) => JsonSerializer.SerializeToUtf8Bytes(
        new StatusPatch { Metadata = new PatchMeta { ResourceVersion = version }, Status = status }, Wire.Default.StatusPatch);
}
