using System.Collections.Immutable;
using System.Globalization;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Who may have temporary keys, and the keys that were given. A key is an account of the store until its end, and after
/// it one whose token has expired.
/// </summary>
internal sealed class Identities(SimulatorClock clock, Accounts accounts)
{
    private readonly Lock _lock = new();
    private readonly List<IssuedKey> _issued = [];
    private volatile IdentityValues _values = new();
    private IssuedKey? _ofInstance;
    private int _lastNumber;

    public IdentityValues Values => _values;

    /// <summary>Oldest first.</summary>
    public ImmutableArray<IssuedKey> Issued
    {
        get
        {
            lock (_lock)
            {
                return [.. _issued];
            }
        }
    }

    public void Set(IdentityValues values)
    {
        lock (_lock)
        {
            (_values, _ofInstance) = (values, null);
        }
    }

    /// <param name="prefix">What ids of temporary keys begin with, at this vendor.</param>
    /// <param name="role">The role that the key is of.</param>
    public IssuedKey Issue(string prefix, string role)
    {
        lock (_lock)
        {
            return NewKey(prefix, role);
        }
    }

    /// <summary>An instance's key is the same for all who ask, until half of its life is over.</summary>
    public IssuedKey OfInstance(string prefix)
    {
        lock (_lock)
        {
            return _ofInstance is { } key && key.ExpiresAt - clock.UtcNow > (key.ExpiresAt - key.IssuedAt) / 2
                ? key
                : _ofInstance = NewKey(prefix, _values.EcsRole);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            (_values, _ofInstance) = (new IdentityValues(), null);
            _issued.Clear();
        }
    }

    private IssuedKey NewKey(string prefix, string? role)
    {
        string number = (++_lastNumber).ToString("D4", CultureInfo.InvariantCulture);
        DateTimeOffset now = clock.UtcNow;
        DateTimeOffset end = now + TimeSpan.FromSeconds(_values.KeySeconds);
        // Answers tell whole seconds, and a key ends when its answer says.
        IssuedKey key = new(
            $"{prefix}Key{number}",
            $"{_values.SecretMark}secret-{number}",
            $"{_values.SecretMark}token-{number}",
            now,
            new DateTimeOffset(end.Ticks - (end.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero)
        )
        {
            Role = role,
        };
        accounts.Set(
            key.AccessKeyId,
            new Account
            {
                Secret = key.Secret,
                SecurityToken = key.SecurityToken,
                TokenExpiresAt = key.ExpiresAt,
            }
        );
        _issued.Add(key);
        return key;
    }
}

internal sealed record IdentityValues
{
    /// <summary>The role that may be taken with a token. Null: none.</summary>
    public string? RoleArn { get; set; }

    /// <summary>Alibaba Cloud's name for who signed the token.</summary>
    public string? OidcProviderArn { get; set; }

    /// <summary>The token that is good.</summary>
    public string? OidcToken { get; set; }

    /// <summary>Roles that may be assumed, and those that tokens of <see cref="TokenKey"/> may be traded for.</summary>
    public ImmutableArray<AssumableRole> Roles
    {
        get;
        set => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>
    /// PEM of the public key (P-256) by which a cluster signs tokens of its service accounts. Null: no cluster is
    /// known.
    /// </summary>
    public string? TokenKey { get; set; }

    /// <summary>The role of the instance. Null: it has none.</summary>
    public string? EcsRole { get; set; }

    /// <summary>How long keys are good. The vendors' least is 900.</summary>
    public double KeySeconds { get; set; } = 3600;

    /// <summary>False: metadata have no session tokens.</summary>
    public bool MetadataVersion2 { get; set; } = true;

    /// <summary>False: metadata want a session token.</summary>
    public bool MetadataVersion1 { get; set; } = true;

    /// <summary>Stands in every secret and token that is given, for tests that search for them.</summary>
    public string SecretMark { get; set; } = "";
}

internal sealed record IssuedKey(
    string AccessKeyId,
    string Secret,
    string SecurityToken,
    DateTimeOffset IssuedAt,
    DateTimeOffset ExpiresAt
)
{
    /// <summary>The role that it is of, as others trust it.</summary>
    public string? Role { get; init; }

    public override string ToString() => $"IssuedKey {AccessKeyId} until {ExpiresAt:O}";
}
