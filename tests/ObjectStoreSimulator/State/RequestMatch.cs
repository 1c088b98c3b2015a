using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>Which requests a rule is about; what is null or empty matches all.</summary>
internal record RequestMatch
{
    public string? Bucket { get; set; }

    /// <summary>Names of <see cref="Operations"/>.</summary>
    public ImmutableArray<string> Operations { get; set; } = [];

    /// <summary>As the request claims it: rules work before the signature is checked.</summary>
    public string? AccessKeyId { get; set; }

    public bool Matches(StoreCall call) =>
        (Bucket is null || Bucket == call.Bucket)
        && (Operations.IsDefaultOrEmpty || Operations.Contains(call.Operation, StringComparer.Ordinal))
        && (AccessKeyId is null || AccessKeyId == call.AccessKeyId);
}
