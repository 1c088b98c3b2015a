using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>A role, and whom its trust policy lets in.</summary>
internal sealed record AssumableRole
{
    public required string Arn { get; init; }

    /// <summary>Ids of access keys, and ARNs of roles, that may assume it.</summary>
    public ImmutableArray<string> By
    {
        get;
        set => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>What who assumes it must say; null: nothing.</summary>
    public string? ExternalId { get; set; }

    /// <summary>Whether its session may have tags.</summary>
    public bool TagSession { get; set; } = true;

    /// <summary>The subject of tokens that may be traded for it; null: none.</summary>
    public string? Subject { get; set; }
}
