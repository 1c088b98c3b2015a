using System.Net;

namespace KubeRuntime.Client;

/// <summary>
/// A proxy setting that cannot be used. The message names the setting, and never its value, which may hold a password.
/// </summary>
public sealed class ProxyFormatException(string message) : FormatException(message);

/// <summary>
/// The proxies that the environment names: HTTPS_PROXY for https, HTTP_PROXY for http, ALL_PROXY where the one for the
/// scheme is absent, and NO_PROXY for what needs none. Each variable is read in lower case, then in upper case; an
/// empty variable counts as absent.
/// </summary>
/// <remarks>.NET's own reader compares NO_PROXY as text: it knows no address ranges and no ports.</remarks>
public sealed class EnvironmentProxy : IWebProxy
{
    private const string Http = "HTTP_PROXY";
    private const string Https = "HTTPS_PROXY";
    private const string Any = "ALL_PROXY";
    private const string None = "NO_PROXY";
    private const int SocksPort = 1080;

    private static readonly string[] Schemes = ["http", "https", "socks4", "socks4a", "socks5"];

    private readonly WebProxy? _http;
    private readonly WebProxy? _https;
    private readonly NoProxyList _exceptions;

    private EnvironmentProxy(WebProxy? http, WebProxy? https, NoProxyList exceptions) =>
        (_http, _https, _exceptions) = (http, https, exceptions);

    /// <summary>Those of the proxies, each for itself.</summary>
    public ICredentials? Credentials
    {
        get => new ByProxy([.. ((WebProxy?[])[_http, _https]).OfType<WebProxy>()]);
        set => throw new NotSupportedException("the environment's proxies bring their own credentials");
    }

    /// <param name="environment">From a variable's name to its value.</param>
    /// <exception cref="ProxyFormatException">A variable does not name a proxy.</exception>
    public static EnvironmentProxy Read(Func<string, string?> environment)
    {
        var any = Proxy(Any);
        return new EnvironmentProxy(Proxy(Http) ?? any, Proxy(Https) ?? any, NoProxyList.Parse(Variable(None)));

        WebProxy? Proxy(string name) => Variable(name) is { } text ? Parse(text, name) : null;

        string? Variable(string name) =>
            NullIfEmpty(environment(name.ToLowerInvariant())) ?? NullIfEmpty(environment(name));
    }

    /// <summary>Reads <c>[scheme://][user:password@]host[:port]</c>; the scheme is http unless given.</summary>
    /// <param name="setting">Where the text is from, for the message.</param>
    /// <exception cref="ProxyFormatException">The text does not name a proxy.</exception>
    public static WebProxy Parse(string text, string setting)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text.Trim() : "http://" + text.Trim();
        var isUri = Uri.TryCreate(full, UriKind.Absolute, out var given);
        if (!isUri || given is not { Host.Length: > 0 } || !Schemes.Contains(given.Scheme, StringComparer.Ordinal))
        {
            throw new ProxyFormatException(
                $"{setting} does not name a proxy: set it to [scheme://]host:port, for example "
                    + $"http://proxy.example:3128; schemes are {string.Join(", ", Schemes)}"
            );
        }
        var address = new UriBuilder(given.Scheme, given.IdnHost, given.Port < 0 ? SocksPort : given.Port).Uri;
        return new WebProxy(address) { Credentials = CredentialOf(given.UserInfo) };
    }

    public Uri? GetProxy(Uri destination) => ProxyFor(destination)?.Address;

    public bool IsBypassed(Uri host) => ProxyFor(host) is null;

    private WebProxy? ProxyFor(Uri target) =>
        (_exceptions.Contains(target), target.Scheme) switch
        {
            (true, _) => null,
            (_, "https" or "wss") => _https,
            _ => _http,
        };

    private static NetworkCredential? CredentialOf(string userInfo)
    {
        if (userInfo.Length == 0)
            return null;
        var colon = userInfo.IndexOf(':', StringComparison.Ordinal);
        var (user, password) = colon < 0 ? (userInfo, "") : (userInfo[..colon], userInfo[(colon + 1)..]);
        return new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password));
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>A proxy's name and password are for that proxy alone.</summary>
    private sealed class ByProxy(IReadOnlyList<WebProxy> proxies) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType) =>
            proxies.FirstOrDefault(p => p.Address == uri)?.Credentials?.GetCredential(uri, authType);
    }
}
