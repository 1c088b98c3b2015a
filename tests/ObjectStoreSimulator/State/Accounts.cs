using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>Who may sign. Secrets leave this class only for a signature check.</summary>
internal sealed class Accounts
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Account> _byKeyId = new(StringComparer.Ordinal);

    public ImmutableArray<KeyValuePair<string, Account>> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _byKeyId];
            }
        }
    }

    public Account? Find(string accessKeyId)
    {
        lock (_lock)
        {
            return _byKeyId.GetValueOrDefault(accessKeyId);
        }
    }

    public void Set(string accessKeyId, Account account)
    {
        lock (_lock)
        {
            _byKeyId[accessKeyId] = account;
        }
    }

    public bool Remove(string accessKeyId)
    {
        lock (_lock)
        {
            return _byKeyId.Remove(accessKeyId);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _byKeyId.Clear();
        }
    }
}

internal record Account
{
    public required string Secret { get; init; }

    /// <summary>Set for temporary (STS) keys: every request must bring exactly this token.</summary>
    public string? SecurityToken { get; set; }

    /// <summary>The id of the account: its key lists the buckets with this owner.</summary>
    public string Owner { get; set; } = BucketSettings.UsualOwner;

    public DateTimeOffset? TokenExpiresAt { get; set; }

    public bool Enabled { get; set; } = true;

    /// <summary>False: the account has not turned the vendor's key management on.</summary>
    public bool KmsEnabled { get; set; } = true;

    /// <summary>False: SM4 is not open to this account (OSS keeps a list).</summary>
    public bool Sm4Enabled { get; set; } = true;

    /// <summary>Never the secret, never the token.</summary>
    public override string ToString() => $"Account {{ Enabled = {Enabled}, Temporary = {SecurityToken is not null} }}";
}
