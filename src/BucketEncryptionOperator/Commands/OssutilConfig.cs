using System.Collections.Frozen;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// What the file <c>~/.ossutilconfig</c> says, as ossutil 1.7 reads it: INI; a line is <c>name=value</c> (or
/// <c>name: value</c> where there is no <c>=</c>), a comment begins with <c>#</c> or <c>;</c> at the start of the line,
/// later lines win. Names are known in many spellings (<c>accessKeyID</c>, <c>access-key-id</c>, <c>access_id</c>), so
/// they are compared without case, hyphens and underscores. What is not known is left alone. Never printed: the
/// record's own form is replaced.
/// </summary>
internal sealed record OssutilConfig
{
    /// <summary>Maximum length. A real file has a few lines.</summary>
    public const int MaxLength = 1024 * 1024;

    private const string CredentialsSection = "credentials";
    private const string DefaultSection = "default";

    private static readonly FrozenDictionary<string, string> Aliases = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["host"] = "endpoint",
        ["accessid"] = "accesskeyid",
        ["accesskey"] = "accesskeysecret",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly Dictionary<string, string> _values;

    private OssutilConfig(Dictionary<string, string> values) => _values = values;

    public static OssutilConfig Empty { get; } = Parse("");

    public string? Endpoint => Value(CredentialsSection, "endpoint");

    public string? AccessKeyId => Value(CredentialsSection, "accesskeyid");

    public string? AccessKeySecret => Value(CredentialsSection, "accesskeysecret");

    public string? StsToken => Value(CredentialsSection, "ststoken");

    public string? Mode => Value(CredentialsSection, "mode");

    /// <summary>URL of a service that returns keys.</summary>
    public string? KeyService => Value("akservice", "ecsak");

    public string? ProxyHost => Value(DefaultSection, "proxyhost");

    public string? Region => Value(CredentialsSection, "region") ?? Value(DefaultSection, "region");

    public string? SignVersion => Value(CredentialsSection, "signversion") ?? Value(DefaultSection, "signversion");

    public string? CloudBoxId => Value(CredentialsSection, "cloudboxid") ?? Value(DefaultSection, "cloudboxid");

    /// <summary>Endpoint of one bucket.</summary>
    public string? EndpointOf(string bucket) => Value("bucket-endpoint", bucket);

    /// <summary>Host name that is bound to the bucket.</summary>
    public string? CnameOf(string bucket) => Value("bucket-cname", bucket);

    public static OssutilConfig Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var section = "";
        foreach (var line in text.TrimStart('\uFEFF').Split('\n').Select(l => l.Trim()))
        {
            if (line.Length == 0 || line[0] is '#' or ';')
                continue;
            if (line[0] == '[')
            {
                section = line.Trim('[', ']').Trim().ToLowerInvariant();
                continue;
            }
            var at = line.IndexOf('=', StringComparison.Ordinal) is var equals and >= 0
                ? equals
                : line.IndexOf(':', StringComparison.Ordinal);
            if (at > 0)
                values[Name(section, line[..at].Trim())] = line[(at + 1)..].Trim();
        }
        return new OssutilConfig(values);
    }

    public override string ToString() => "OssutilConfig (redacted)";

    /// <summary>Returns the value; null if it is empty.</summary>
    private string? Value(string section, string name) =>
        _values.GetValueOrDefault($"{section}\n{name}") is { Length: > 0 } value ? value : null;

    /// <summary>
    /// Returns the name in its one spelling. In the sections of buckets a name is that of a bucket, and stays as it is.
    /// </summary>
    private static string Name(string section, string name)
    {
        if (section.StartsWith("bucket-", StringComparison.Ordinal))
            return $"{section}\n{name}";
        var bare = string.Concat(name.Where(c => c is not ('-' or '_'))).ToLowerInvariant();
        return $"{section}\n{Aliases.GetValueOrDefault(bare, bare)}";
    }
}
