namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// Compares names of KMS keys. One key has several names: its id alone, an alias, or a qualified name, which also says
/// where the key is: an ARN (<c>arn:PARTITION:kms:REGION:ACCOUNT:key/ID</c>, <c>acs:kms:REGION:ACCOUNT:key/ID</c>) or
/// <c>REGION:DOMAIN:key/ID</c>. A store answers one key in another form than it was given.
/// </summary>
internal static class KmsKeyId
{
    private const string KeyPrefix = "key/";
    private const string AliasPrefix = "alias/";

    /// <summary>
    /// The alias of the key that AWS manages for S3 in every account and region. Nobody else can own an alias that
    /// begins with <c>alias/aws/</c>. AWS's console writes this name where an API call names no key: both are the same
    /// key.
    /// </summary>
    private const string VendorsAlias = "alias/aws/s3";

    /// <summary>Region and account (or domain).</summary>
    private const int ShortestPlace = 2;

    /// <summary>
    /// Tells whether two names can be one key. A bare id or alias equals every name with the same id or alias. Two
    /// qualified names must agree in all that both say: keys of two regions may have one id (multi-Region keys), and
    /// they are two keys.
    /// </summary>
    public static bool Same(string? a, string? b)
    {
        if (a is null || b is null)
            return false;
        var (first, second) = (Parse(a), Parse(b));
        return first.Resource == second.Resource && Agree(first.Place, second.Place);
    }

    /// <summary>Tells whether a name is that of the key which the vendor manages itself.</summary>
    public static bool IsVendors(string? id) => id is not null && Parse(id).Resource == VendorsAlias;

    /// <summary>Returns the region that a qualified name says; null for every other name.</summary>
    public static string? RegionOf(string id) => Parse(id).Place is [.., { Length: > 0 } region, _] ? region : null;

    /// <summary>Returns <c>key/ID</c> or <c>alias/NAME</c>, without the place.</summary>
    public static string ResourceOf(string id) => Parse(id).Resource;

    /// <summary>Returns whether the name is an alias, which can be another key tomorrow.</summary>
    public static bool IsAlias(string id) => IsNamed(ResourceOf(id), AliasPrefix);

    /// <summary>Returns the id alone; of an alias, <c>alias/NAME</c>.</summary>
    public static string IdAlone(string id) =>
        ResourceOf(id) is var resource && resource.StartsWith(KeyPrefix, StringComparison.Ordinal)
            ? resource[KeyPrefix.Length..]
            : resource;

    /// <summary>A place that is not said agrees with any. <c>REGION:DOMAIN</c> is the end of a longer place.</summary>
    private static bool Agree(string[] a, string[] b)
    {
        var (shorter, longer) = a.Length <= b.Length ? (a, b) : (b, a);
        return shorter.Length == 0
            || (shorter.Length == longer.Length && shorter.SequenceEqual(longer, StringComparer.Ordinal))
            || (shorter.Length == ShortestPlace && longer.AsSpan()[^ShortestPlace..].SequenceEqual(shorter));
    }

    private static (string[] Place, string Resource) Parse(string id)
    {
        var parts = id.Split(':');
        return parts switch
        {
            [var bare] => ([], Resource(bare)),
            [.. var place, var last] when IsResource(last) => (place, last),
            // MinIO takes its own key names in this form
            ["arn", _, "kms", var name] when name.Length > 0 => ([], Resource(name)),
            _ => ([], id), // a form that nobody has described: equal only to itself
        };
    }

    private static string Resource(string bare) => IsResource(bare) ? bare : KeyPrefix + bare;

    private static bool IsResource(string text) => IsNamed(text, KeyPrefix) || IsNamed(text, AliasPrefix);

    private static bool IsNamed(string text, string prefix) =>
        text.Length > prefix.Length && text.StartsWith(prefix, StringComparison.Ordinal);
}
