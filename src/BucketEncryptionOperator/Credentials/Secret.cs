using System.Collections.Immutable;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Credentials;

/// <summary>A <c>Secret</c> of the core group, as far as it is read. Never mirrored, never printed.</summary>
internal sealed record Secret : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }

    /// <summary>Values in base64; null is an empty value.</summary>
    public ImmutableDictionary<string, string?>? Data { get; init; }

    public override string ToString() => $"Secret {Metadata.Key}";
}
