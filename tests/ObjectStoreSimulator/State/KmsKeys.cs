using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace ObjectStoreSimulator.State;

/// <summary>
/// The keys of the vendor's key service. A key that nobody has set exists and is enabled, in every region, project and
/// account, unless <see cref="SettingValues.KmsKeys"/> lists others; a key that was removed does not exist.
/// </summary>
internal sealed class KmsKeys(Settings settings)
{
    private const string AliasPrefix = "alias/";

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, KmsKey> _byId = new(StringComparer.Ordinal);
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);

    public ImmutableSortedDictionary<string, KmsKey> All
    {
        get
        {
            lock (_lock)
            {
                return _byId.ToImmutableSortedDictionary(StringComparer.Ordinal);
            }
        }
    }

    public void Set(string id, KmsKey key)
    {
        lock (_lock)
        {
            _removed.Remove(id);
            _byId[id] = key;
        }
    }

    /// <summary>From here on the key does not exist, whether it was set or not.</summary>
    public void Remove(string id)
    {
        lock (_lock)
        {
            _byId.Remove(id);
            _removed.Add(id);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _byId.Clear();
            _removed.Clear();
        }
    }

    /// <summary>Finds a key by its id or one of its aliases (<c>alias/name</c>). Null: there is no such key.</summary>
    public FoundKey? Find(string idOrAlias)
    {
        lock (_lock)
        {
            if (_byId.TryGetValue(idOrAlias, out KmsKey? key))
            {
                return new FoundKey(idOrAlias, key, IsSet: true);
            }

            foreach ((string id, KmsKey aliased) in _byId)
            {
                if (aliased.Aliases.Contains(idOrAlias, StringComparer.Ordinal))
                {
                    return new FoundKey(id, aliased, IsSet: true);
                }
            }

            return _removed.Contains(idOrAlias) || !settings.Values.HasKmsKey(idOrAlias)
                ? null
                : new FoundKey(IdOf(idOrAlias), new KmsKey(), IsSet: false);
        }
    }

    /// <summary>
    /// What a request names, without what stands before it: the id or <c>alias/name</c> of an ARN
    /// (<c>arn:aws:kms:…:key/id</c>, <c>acs:kms:…:alias/name</c>) and of OBS's long form (<c>region:domain:key/id</c>).
    /// </summary>
    public static string NameOf(string named)
    {
        string last = named[(named.LastIndexOf(':') + 1)..];
        return last.StartsWith("key/", StringComparison.Ordinal) ? last["key/".Length..] : last;
    }

    /// <summary>An alias that nobody has set leads to a key with an id that is always the same.</summary>
    private static string IdOf(string idOrAlias) =>
        idOrAlias.StartsWith(AliasPrefix, StringComparison.Ordinal)
            ? new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(idOrAlias)).AsSpan(0, 16)).ToString()
            : idOrAlias;
}

/// <param name="IsSet">False: nobody has set it, and it is everybody's.</param>
internal sealed record FoundKey(string Id, KmsKey Key, bool IsSet);

/// <summary>One key, as <c>PUT /_admin/kms/{id}</c> sets it.</summary>
internal sealed record KmsKey
{
    public const string Enabled = "Enabled";

    /// <summary>With their prefix: <c>alias/finance</c>.</summary>
    public ImmutableArray<string> Aliases { get; set; } = [];

    /// <summary>
    /// <c>Enabled</c>, <c>Disabled</c>, <c>PendingDeletion</c>, <c>PendingImport</c>, or any other word of the
    /// vendor's. Vendors with numbers translate those that they have, and send every other one as it is. At MinIO it
    /// only says that the key cannot be used.
    /// </summary>
    public string State { get; set; } = Enabled;

    public DateTimeOffset? DeletionDate { get; set; }

    /// <summary>Null: the vendor's word for a key that encrypts.</summary>
    public string? Usage { get; set; }

    /// <summary>Null: the vendor's word for a symmetric key of 256 bits.</summary>
    public string? Spec { get; set; }

    /// <summary>Null: the vendor's word for a key that it made itself.</summary>
    public string? Origin { get; set; }

    /// <summary>Where the key is; elsewhere there is none with its id. Null: everywhere.</summary>
    public string? Region { get; set; }

    /// <summary>Huawei: the project that the key is in. Null: in all.</summary>
    public string? ProjectId { get; set; }

    /// <summary>The account that the key belongs to. Others find it by its ARN only.</summary>
    public string Owner { get; set; } = BucketSettings.UsualOwner;

    /// <summary>Access keys that may ask for it. Null: all of the owner's.</summary>
    public ImmutableArray<string>? MayDescribe { get; set; }

    /// <summary>The vendor's own key, such as the one of <c>alias/aws/s3</c>.</summary>
    public bool Managed { get; set; }

    public bool MultiRegion { get; set; }

    /// <summary>MinIO: what the attempt to encrypt says. Null: nothing, or what follows from the state.</summary>
    public string? EncryptionError { get; set; }

    /// <summary>MinIO: what the attempt to decrypt says.</summary>
    public string? DecryptionError { get; set; }
}
