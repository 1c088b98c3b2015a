using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>Which requests a rule is about; what is null or empty matches all.</summary>
internal record RequestMatch
{
    public string? Bucket { get; set; }

    /// <summary>
    /// The KMS key that a key service is asked for: its id, or <c>alias/name</c>, as the request names it.
    /// </summary>
    public string? KmsKey { get; set; }

    /// <summary>Names of <see cref="Operations"/>.</summary>
    public ImmutableArray<string> Operations { get; set; } = [];

    /// <summary>As the request claims it: rules work before the signature is checked.</summary>
    public string? AccessKeyId { get; set; }

    public bool Matches(StoreCall call) =>
        (KmsKey is null || KmsKey == call.KmsKey) && Matches(call.Bucket, call.Operation, call.AccessKeyId);

    public bool Matches(string? bucket, string operation, string? accessKeyId) =>
        (Bucket is null || Bucket == bucket)
        && (Operations.IsDefaultOrEmpty || Operations.Contains(operation, StringComparer.Ordinal))
        && (AccessKeyId is null || AccessKeyId == accessKeyId);
}
