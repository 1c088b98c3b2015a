using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>
/// Who may know what. Every name and KMS key of a schedule is a word of its own, none of them part of another, so that
/// a text can be searched for those that its namespace has never seen.
/// </summary>
internal sealed class ModelLeaks
{
    private readonly Dictionary<string, string> _owners = new(StringComparer.Ordinal);
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<(string Namespace, string Key)> _known = [];

    /// <summary>A name that means something inside of its namespace only.</summary>
    public string Name(string ns, string name)
    {
        _owners[name] = ns;
        return name;
    }

    public string Key(string key)
    {
        _keys.Add(key);
        return key;
    }

    public void Learn(string ns, BucketEncryption read)
    {
        if (read is BucketEncryption.Kms { KeyId: { } key })
            _known.Add((ns, key));
    }

    /// <summary>A policy of the namespace declares the key.</summary>
    public void Declared(string ns, string key) => _known.Add((ns, key));

    public IEnumerable<string> In(string text, string ns) =>
        [
            .. _owners.Where(o => o.Value != ns && text.Contains(o.Key, StringComparison.Ordinal)).Select(o => o.Key),
            .. _keys.Where(k => !_known.Contains((ns, k)) && text.Contains(k, StringComparison.Ordinal)),
        ];
}
