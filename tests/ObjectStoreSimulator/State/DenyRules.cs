using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Who may not do what to which bucket, although the signature is right. The first rule that matches speaks.
/// </summary>
internal sealed class DenyRules
{
    private readonly Lock _lock = new();
    private ImmutableArray<DenyRule> _rules = [];
    private int _lastId;

    public ImmutableArray<DenyRule> All
    {
        get
        {
            lock (_lock)
            {
                return _rules;
            }
        }
    }

    public DenyRule? Find(StoreCall call) => All.FirstOrDefault(rule => rule.Matches(call));

    public DenyRule Add(DenyRule rule)
    {
        lock (_lock)
        {
            DenyRule added = rule with { Id = $"deny-{++_lastId}" };
            _rules = _rules.Add(added);
            return added;
        }
    }

    public bool Remove(string id)
    {
        lock (_lock)
        {
            int before = _rules.Length;
            _rules = _rules.RemoveAll(rule => rule.Id == id);
            return _rules.Length < before;
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _rules = [];
        }
    }
}

internal sealed record DenyRule : RequestMatch
{
    public string? Id { get; set; }

    // Null: as the vendor usually refuses.

    public int? Status { get; set; }

    public string? Code { get; set; }

    public string? Message { get; set; }

    public string? Ec { get; set; }

    /// <summary>
    /// The form that the vendor uses when a KMS right is missing; OSS: AccessDenied, "This request is forbidden by
    /// kms".
    /// </summary>
    public bool ByKms { get; set; }

    /// <summary>What is left out comes from the vendor's usual refusal.</summary>
    public StoreError AsError(StoreError usual, StoreError usualByKms)
    {
        StoreError like = ByKms ? usualByKms : usual;
        string code = Code ?? like.Code;
        return new StoreError(
            Status ?? like.Status,
            code,
            Message ?? like.Message,
            Ec ?? (code == like.Code ? like.Ec : null)
        );
    }
}
