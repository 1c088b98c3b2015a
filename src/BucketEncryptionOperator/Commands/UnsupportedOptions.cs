using System.Collections.Frozen;

namespace BucketEncryptionOperator.Commands;

/// <summary>Known options of ossutil that are not supported, with what to do instead.</summary>
internal static class UnsupportedOptions
{
    private const string Role = "assume the role elsewhere, and pass its temporary keys with -i, -k and -t";
    private const string Proxy = "set HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment";

    private static readonly FrozenDictionary<string, string> Instead = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["--ecs-role-name"] = Role,
        ["--ram-role-arn"] = Role,
        ["--role-session-name"] = Role,
        ["--token-timeout"] = Role,
        ["--sts-region"] = Role,
        ["--proxy-host"] = Proxy,
        ["--proxy-user"] = Proxy,
        ["--proxy-pwd"] = Proxy,
        ["--skip-verify-cert"] =
            "certificates are always checked; name a file with the authority's certificate in SSL_CERT_FILE",
        ["--user-agent"] = "leave it out, the operator's own is sent",
        ["--loglevel"] = "leave it out, no log file is written",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IEnumerable<string> Names => Instead.Keys.Order(StringComparer.Ordinal);

    public static string Describe(string name) => $"option {name} is not supported: {Instead[name]}";
}
