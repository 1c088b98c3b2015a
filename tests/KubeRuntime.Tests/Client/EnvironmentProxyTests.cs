using System.Net;
using System.Net.Sockets;
using KubeRuntime.Client;
using TestKit;

namespace KubeRuntime.Tests.Client;

public sealed class EnvironmentProxyTests
{
    /// <summary>What NO_PROXY says → a target → whether it goes without a proxy, as with curl and Go.</summary>
    [Theory]
    [InlineData("nothing is listed", "", "https://store.example", false)]
    [InlineData("everything", "*", "https://store.example", true)]
    [InlineData("everything, among others", "a.example, *", "https://10.0.0.1", true)]
    [InlineData("a name", "store.example", "https://store.example", true)]
    [InlineData("a name in another case", "STORE.example", "https://store.EXAMPLE", true)]
    [InlineData("a name covers the names below it", "example", "https://a.store.example", true)]
    [InlineData("a name is not the end of another one", "store.example", "https://megastore.example", false)]
    [InlineData("nor the beginning", "store.example", "https://store.example.org", false)]
    [InlineData("with a leading dot: the names below it", ".store.example", "https://a.store.example", true)]
    [InlineData("and the name itself, as with curl", ".store.example", "https://store.example", true)]
    [InlineData("with a star: the names below it", "*.store.example", "https://a.b.store.example", true)]
    [InlineData("and not the name itself, as with Go", "*.store.example", "https://store.example", false)]
    [InlineData("the names of a cluster's services", ".svc,.cluster.local", "http://minio.storage.svc:9000", true)]
    [InlineData("and their long form", ".svc,.cluster.local", "http://minio.storage.svc.cluster.local:9000", true)]
    [InlineData("a dot at the end of the target", "store.example", "https://store.example.", true)]
    [InlineData("a dot at the end of the entry", "store.example.", "https://store.example", true)]
    [InlineData("a name in its own letters", "b\u00fccher.example", "https://xn--bcher-kva.example", true)]
    [InlineData("a port that fits", "store.example:8443", "https://store.example:8443", true)]
    [InlineData("the scheme's own port", "store.example:443", "https://store.example", true)]
    [InlineData("another port", "store.example:8443", "https://store.example", false)]
    [InlineData("a port after a leading dot", ".store.example:8443", "https://a.store.example:8443", true)]
    [InlineData("an address", "10.0.0.5", "http://10.0.0.5:9000", true)]
    [InlineData("another address", "10.0.0.5", "http://10.0.0.6:9000", false)]
    [InlineData("an address is no suffix", "0.0.5", "http://10.0.0.5", false)]
    [InlineData("an address in another spelling", "10.0.0.5", "http://0x0a.5", true)]
    [InlineData("an address with a port that fits", "10.0.0.5:9000", "http://10.0.0.5:9000", true)]
    [InlineData("an address with another port", "10.0.0.5:9000", "http://10.0.0.5:9001", false)]
    [InlineData("a range", "10.0.0.0/8", "https://10.255.0.1", true)]
    [InlineData("a range whose address has more bits", "10.1.2.3/8", "https://10.255.0.1", true)]
    [InlineData("outside of a range", "10.0.0.0/8", "https://11.0.0.1", false)]
    [InlineData("a range that ends within a byte", "172.16.0.0/12", "https://172.31.255.255", true)]
    [InlineData("just outside of it", "172.16.0.0/12", "https://172.32.0.0", false)]
    [InlineData("a range of one address", "172.30.0.1/32", "https://172.30.0.1", true)]
    [InlineData("a range of all", "0.0.0.0/0", "https://8.8.8.8", true)]
    [InlineData("a range of IPv4 has no IPv6", "0.0.0.0/0", "https://[2001:db8::1]", false)]
    [InlineData("a range too long", "10.0.0.0/33", "https://10.0.0.0", false)]
    [InlineData("a range of no number", "10.0.0.0/x", "https://10.0.0.0", false)]
    [InlineData("a range names no host", "10.0.0.0/8", "https://store.example", false)]
    [InlineData("an IPv6 address", "fd00::5", "http://[fd00::5]:9000", true)]
    [InlineData("an IPv6 address in brackets", "[fd00::5]", "http://[fd00::5]:9000", true)]
    [InlineData("an IPv6 address written out", "fd00:0:0::0005", "http://[fd00::5]:9000", true)]
    [InlineData("an IPv6 address in brackets with a port", "[fd00::5]:9000", "http://[fd00::5]:9000", true)]
    [InlineData("an IPv6 address in brackets with another port", "[fd00::5]:9000", "http://[fd00::5]:9001", false)]
    [InlineData("an IPv6 range", "fd00::/8", "http://[fd12:3456::1]", true)]
    [InlineData("outside of an IPv6 range", "fd00::/8", "http://[fe80::1]", false)]
    [InlineData("IPv4 inside of IPv6", "10.0.0.0/8", "http://[::ffff:10.0.0.5]", true)]
    [InlineData("blanks between entries", "a.example  10.0.0.0/8\tstore.example", "https://store.example", true)]
    [InlineData("blanks and commas", " a.example , store.example ,", "https://store.example", true)]
    [InlineData("a number alone is no address", "10", "https://0.0.0.10", false)]
    [InlineData("a scheme is no part of an entry", "https://store.example", "https://store.example", false)]
    [InlineData("nonsense is passed over", ":,/,[,:80,..,store.example", "https://store.example", true)]
    [InlineData("loopback is always listed", "", "https://127.0.0.1:6443", true)]
    [InlineData("all of it", "", "https://127.8.9.10", true)]
    [InlineData("IPv6's, too", "", "https://[::1]:6443", true)]
    [InlineData("and its name", "", "https://localhost:6443", true)]
    [InlineData("a name that ends like it is not", "", "https://notlocalhost", false)]
    public void NO_PROXY_is_read_as_curl_and_Go_read_it(string sentence, string except, string target, bool direct)
    {
        var proxies = Read(("HTTP_PROXY", "proxy:3128"), ("HTTPS_PROXY", "proxy:3128"), ("NO_PROXY", except));

        Assert.True(direct == proxies.IsBypassed(new Uri(target)), sentence);
        Assert.Equal(direct, proxies.GetProxy(new Uri(target)) is null);
    }

    [Theory]
    [InlineData(
        "https has its own",
        "https://a.example",
        "http://secure:1/",
        "HTTPS_PROXY=http://secure:1",
        "HTTP_PROXY=http://plain:2"
    )]
    [InlineData(
        "http has its own",
        "http://a.example",
        "http://plain:2/",
        "HTTPS_PROXY=http://secure:1",
        "HTTP_PROXY=http://plain:2"
    )]
    [InlineData("neither stands in for the other", "https://a.example", null, "HTTP_PROXY=http://plain:2")]
    [InlineData(
        "one for all",
        "https://a.example",
        "http://any:3/",
        "ALL_PROXY=http://any:3",
        "HTTP_PROXY=http://plain:2"
    )]
    [InlineData(
        "lower case first",
        "https://a.example",
        "http://lower:1/",
        "https_proxy=http://lower:1",
        "HTTPS_PROXY=http://upper:1"
    )]
    [InlineData(
        "an empty one is none",
        "https://a.example",
        "http://upper:1/",
        "https_proxy=",
        "HTTPS_PROXY=http://upper:1"
    )]
    [InlineData(
        "exceptions in lower case",
        "https://a.example",
        null,
        "no_proxy=a.example",
        "HTTPS_PROXY=http://upper:1"
    )]
    [InlineData(
        "lower-case exceptions first",
        "https://a.example",
        "http://upper:1/",
        "no_proxy=b.example",
        "NO_PROXY=a.example",
        "HTTPS_PROXY=http://upper:1"
    )]
    [InlineData("http is the scheme unless given", "https://a.example", "http://proxy:3128/", "HTTPS_PROXY=proxy:3128")]
    [InlineData("with its own port", "https://a.example", "http://proxy/", "HTTPS_PROXY=proxy")]
    [InlineData("TLS to the proxy", "https://a.example", "https://proxy:3128/", "HTTPS_PROXY=https://proxy:3128")]
    [InlineData("SOCKS", "https://a.example", "socks5://proxy:1080/", "ALL_PROXY=socks5://proxy")]
    [InlineData("an IPv6 address", "https://a.example", "http://[fd00::1]:3128/", "HTTPS_PROXY=http://[fd00::1]:3128")]
    [InlineData("none", "https://a.example", null)]
    public void A_proxy_goes_by_the_targets_scheme(
        string sentence,
        string target,
        string? proxy,
        params string[] environment
    )
    {
        var proxies = Read([
            .. environment.Select(e =>
                (e[..e.IndexOf('=', StringComparison.Ordinal)], e[(e.IndexOf('=', StringComparison.Ordinal) + 1)..])
            ),
        ]);

        Assert.True(proxy == proxies.GetProxy(new Uri(target))?.ToString(), sentence);
    }

    [Fact]
    public void A_proxys_name_and_password_go_to_it_alone()
    {
        var proxies = Read(("HTTPS_PROXY", "http://me:p%40ss@secure:1"), ("HTTP_PROXY", "http://plain:2"));

        var secure = proxies.GetProxy(new Uri("https://a.example"));
        var known = proxies.Credentials?.GetCredential(secure!, "Basic");

        Assert.Equal("http://secure:1/", secure?.ToString());
        Assert.Equal(("me", "p@ss"), (known?.UserName, known?.Password));
        Assert.Null(proxies.Credentials?.GetCredential(new Uri("http://plain:2/"), "Basic"));
        Assert.Null(proxies.Credentials?.GetCredential(new Uri("https://a.example"), "Basic"));
    }

    [Theory]
    [InlineData("HTTPS_PROXY", "gopher://s3cr3t@proxy")]
    [InlineData("HTTP_PROXY", "http://")]
    [InlineData("ALL_PROXY", "me:s3cr3t@")]
    [InlineData("HTTPS_PROXY", "http://proxy:s3cr3t")]
    public void A_proxy_that_is_none_is_refused_by_the_variables_name(string variable, string text)
    {
        var e = Assert.Throws<ProxyFormatException>(() => Read((variable, text)));

        Assert.StartsWith(variable + " does not name a proxy", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", e.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The handlers that send are given it as any other proxy.</summary>
    [Fact]
    public async Task A_client_follows_it_and_says_its_name_when_it_is_asked()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var proxies = Read(
            ("http_proxy", $"me:p%40ss@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"),
            ("no_proxy", "10.0.0.0/8")
        );
        using var http = new HttpClient(new SocketsHttpHandler { Proxy = proxies });

        var asking = http.GetAsync(new Uri("http://store.example/"));
        using var connection = await listener.AcceptTcpClientAsync().Within();
        await using var stream = connection.GetStream();
        using var reader = new StreamReader(stream);
        var first = await HeadAsync(reader);
        await stream.WriteAsync(
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n"u8.ToArray()
        );
        var second = await HeadAsync(reader);
        await stream.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());

        Assert.Equal(
            ("GET http://store.example/ HTTP/1.1", "GET http://store.example/ HTTP/1.1"),
            (first[0], second[0])
        );
        Assert.DoesNotContain(first, h => h.StartsWith("Proxy-Authorization", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("Proxy-Authorization: Basic bWU6cEBzcw==", second, StringComparer.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await asking.Within()).StatusCode);
    }

    private static async Task<List<string>> HeadAsync(StreamReader reader)
    {
        var lines = new List<string>();
        while (
            await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System)
                is { Length: > 0 } line
        )
            lines.Add(line);
        return lines;
    }

    private static EnvironmentProxy Read(params (string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(e => e.Name, e => e.Value, StringComparer.Ordinal);
        return EnvironmentProxy.Read(variables.GetValueOrDefault);
    }
}
