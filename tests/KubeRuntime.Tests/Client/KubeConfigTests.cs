using System.Text;
using KubeRuntime.Client;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Client;

public sealed partial class KubeConfigTests : IDisposable
{
    private const string Secret = "s3cr3t";
    private static readonly TestCertificates Certificates = new("kube-ca");
    private readonly ITestOutputHelper _output;
    private readonly ManualTimeProvider _clock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("kubeconfig-test-").FullName;
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);

    public KubeConfigTests(ITestOutputHelper output) => _output = output;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Certificates_are_read_from_inside_the_file()
    {
        var (certificate, key) = Certificates.Client("someone");
        var path = Write(
            "config",
            Config(
                $"certificate-authority-data: {Base64(Certificates.AuthorityPem)}",
                $"{{client-certificate-data: {Base64(certificate)}, client-key-data: {Base64(key)}}}"
            )
        );

        var connection = Load(path);

        Assert.Equal(
            Certificates.Authority.Thumbprint,
            Assert.Single(connection.CertificateAuthorities.Current).Thumbprint
        );
        Assert.Equal("CN=someone", connection.ClientCertificate?.Current.Subject);
        Assert.True(connection.ClientCertificate?.Current.HasPrivateKey);
        Assert.Equal("https://api.test:6443/", connection.Server.ToString());
    }

    [Fact]
    public void Certificates_and_token_are_read_from_files_named_relative_to_the_config()
    {
        var (certificate, key) = Certificates.Client("someone");
        Write("pki/ca.crt", Certificates.AuthorityPem + "\n" + Certificates.AuthorityPem);
        Write("pki/me.crt", certificate);
        Write("pki/me.key", key);
        Write("pki/token", Secret + "\n");
        var path = Write(
            "config",
            Config(
                "certificate-authority: pki/ca.crt",
                $"{{client-certificate: pki/me.crt, client-key: {_folder}/pki/me.key, tokenFile: ./pki/token, "
                    + "token: other}"
            )
        );

        var connection = Load(path);

        Assert.Equal(2, connection.CertificateAuthorities.Current.Count);
        Assert.True(connection.ClientCertificate?.Current.HasPrivateKey);
        Assert.Equal(Secret, connection.Token?.Current);
    }

    [Fact]
    public void A_config_written_as_JSON_is_read_too()
    {
        var path = Write(
            "config",
            """
            {"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
             "clusters":[{"name":"k","cluster":{"server":"https://api.test:6443","tls-server-name":"name.test"}}],
             "users":[{"name":"u","user":{"token":"t0"}}]}
            """
        );

        var connection = Load(path);

        Assert.Equal(("t0", "name.test"), (connection.Token?.Current, connection.TlsServerName));
    }

    [Fact]
    public void A_token_from_a_file_is_read_again_after_a_minute_and_bad_content_keeps_the_last()
    {
        var tokenFile = Write("token", "one\n");
        var token = Assert.IsType<BearerToken>(Load(Write("config", Config("", "{tokenFile: token}"))).Token);
        var minute = TimeSpan.FromMinutes(1);

        Write("token", "two");
        Assert.Equal("one", token.Current);
        _clock.Advance(minute);
        Assert.Equal("two", token.Current);

        foreach (var bad in (string[])["", " \n", "two\nlines", "ünicode", "\0"])
        {
            Write("token", bad);
            _clock.Advance(minute);
            Assert.Equal("two", token.Current);
        }
        File.Delete(tokenFile);
        _clock.Advance(minute);
        Assert.Equal("two", token.Current);
        Write("token", "three");
        _clock.Advance(minute);
        Assert.Equal("three", token.Current);
    }

    [Fact]
    public void The_context_that_is_asked_for_is_taken()
    {
        var path = Write(
            "config",
            """
            current-context: one
            contexts: [{name: one, context: {cluster: k1, user: u}}, {name: two, context: {cluster: k2}}]
            clusters:
            - {name: k1, cluster: {server: "https://one.test"}}
            - {name: k2, cluster: {server: "https://two.test"}}
            users: [{name: u, user: {token: t0}}]
            """
        );

        var (current, asked) = (Load(path), Load(path, "two"));

        Assert.Equal(("one.test", "t0"), (current.Server.Host, current.Token?.Current));
        Assert.Equal("two.test", asked.Server.Host);
        Assert.Null(asked.Token);
    }

    [Fact]
    public void Of_several_files_the_first_to_name_an_entry_wins_and_missing_files_are_passed_over()
    {
        var first = Write(
            "first",
            """
            clusters: [{name: k, cluster: {server: "https://first.test"}}]
            contexts: [{name: other, context: {cluster: k}}]
            """
        );
        var second = Write(
            "second",
            """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://second.test"}}]
            """
        );
        var third = Write(
            "third/config",
            """
            current-context: other
            users: [{name: u, user: {tokenFile: token}}]
            """
        );
        Write("third/token", "of-the-third");
        _environment["KUBECONFIG"] = string.Join(
            Path.PathSeparator,
            first,
            Path.Combine(_folder, "missing"),
            second,
            third
        );

        var connection = Load(null);

        Assert.Equal(("first.test", "of-the-third"), (connection.Server.Host, connection.Token?.Current));
    }

    [Fact]
    public void The_order_is_the_flag_then_the_variable_then_the_pod_then_home()
    {
        var flag = Write("flag", Config("", "{}", "flag.test"));
        _environment["HOME"] = _folder;
        Write(".kube/config", Config("", "{}", "home.test"));

        Assert.Equal("home.test", Load(null).Server.Host);
        _environment["KUBERNETES_SERVICE_HOST"] = "192.0.2.1";
        Assert.Contains("in-cluster", Assert.Throws<KubeConfigException>(() => Load(null)).Message);
        _environment["KUBECONFIG"] = Write("variable", Config("", "{}", "variable.test"));
        Assert.Equal("variable.test", Load(null).Server.Host);
        Assert.Equal("flag.test", Load(flag).Server.Host);
    }

    [Theory]
    [InlineData("10.96.0.1", "443", "https://10.96.0.1/")]
    [InlineData("fd00::1", "6443", "https://[fd00::1]:6443/")]
    public void In_a_pod_the_service_accounts_files_are_taken(string host, string port, string server)
    {
        Write("ca.crt", Certificates.AuthorityPem);
        Write("token", Secret);

        var connection = KubeConfig.InCluster(host, port, _folder, _clock);

        Assert.Equal(server, connection.Server.ToString());
        Assert.Equal(Secret, connection.Token?.Current);
        Assert.Single(connection.CertificateAuthorities.Current);
        Assert.DoesNotContain(Secret, connection.ToString());
    }

    /// <summary>
    /// The environment's proxy is for the way out of the cluster; a kubeconfig's own is for its server, as with
    /// kubectl.
    /// </summary>
    [Theory]
    [InlineData("outside of a cluster the environment's", "api.test:6443", "", "", "", "http://proxy.test:3128/")]
    [InlineData("but for what needs none", "10.1.2.3:6443", "", "", "10.0.0.0/8,.svc", null)]
    [InlineData(
        "the kubeconfig's own first",
        "api.test:6443",
        "proxy-url: http://own.test:1",
        "",
        "",
        "http://own.test:1/"
    )]
    [InlineData("whatever needs none", "api.test:6443", "proxy-url: http://own.test:1", "", "*", "http://own.test:1/")]
    [InlineData(
        "and in a cluster",
        "10.96.0.1:443",
        "proxy-url: http://own.test:1",
        "10.96.0.1",
        "",
        "http://own.test:1/"
    )]
    [InlineData("never to the cluster's own address", "10.96.0.1:443", "", "10.96.0.1", "", null)]
    [InlineData("however it is spelled", "[fd00:0::1]:443", "", "fd00::1", "", null)]
    [InlineData("nor to its host name", "cluster.example:443", "", "cluster.example", "", null)]
    [InlineData("nor to its service's name", "kubernetes.default.svc.cluster.local", "", "10.96.0.1", "", null)]
    [InlineData("nor to a short form of it", "kubernetes.default", "", "10.96.0.1", "", null)]
    [InlineData("another cluster's server is outside", "api.test:6443", "", "10.96.0.1", "", "http://proxy.test:3128/")]
    [InlineData(
        "a name that only begins alike, too",
        "kubernetes.default.example",
        "",
        "10.96.0.1",
        "",
        "http://proxy.test:3128/"
    )]
    public void A_server_is_reached_through_a_proxy_only_where_somebody_has_said_so(
        string sentence,
        string host,
        string cluster,
        string serviceHost,
        string except,
        string? proxy
    )
    {
        _environment["HTTPS_PROXY"] = "http://proxy.test:3128";
        _environment["NO_PROXY"] = except;
        _environment["KUBERNETES_SERVICE_HOST"] = serviceHost;

        var connection = Load(Write("config", Config(cluster, "{token: t0}", host)));

        var used =
            connection.Proxy is { } proxies && !proxies.IsBypassed(connection.Server)
                ? proxies.GetProxy(connection.Server)?.ToString()
                : null;
        Assert.True(proxy == used, $"{sentence}: {used}");
    }

    [Fact]
    public void In_a_pod_no_proxy_is_used()
    {
        Write("ca.crt", Certificates.AuthorityPem);
        Write("token", Secret);
        _environment["HTTPS_PROXY"] = "http://proxy.test:3128";
        _environment["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
        _environment["KUBERNETES_SERVICE_ACCOUNT_FOLDER"] = _folder;

        Assert.Null(Load(null).Proxy);
    }

    [Theory]
    [InlineData("as a kubelet writes it", "operators\n", "operators")]
    [InlineData("no such file", null, null)]
    [InlineData("an empty file", "\n", null)]
    public void A_pods_namespace_is_known_where_its_folder_names_it(string sentence, string? text, string? expected)
    {
        Write("ca.crt", Certificates.AuthorityPem);
        Write("token", Secret);
        if (text is not null)
            Write("namespace", text);

        var connection = KubeConfig.InCluster("10.0.0.1", "443", _folder, _clock);

        Assert.True(expected == connection.PodNamespace, sentence);
    }

    [Theory]
    [InlineData("no CA", null, "t", "443", "ca.crt")]
    [InlineData("a CA that is none", "x", "t", "443", "PEM")]
    [InlineData("no token", "", null, "443", "token")]
    [InlineData("an empty token", "", "", "443", "token is empty")]
    [InlineData("a port that is none", "", "t", "https", "KUBERNETES_SERVICE_PORT")]
    [InlineData("a port out of range", "", "t", "99999", "KUBERNETES_SERVICE_PORT")]
    public void In_a_pod_what_is_missing_is_named(string rule, string? ca, string? token, string port, string named)
    {
        if (ca is not null)
            Write("ca.crt", ca.Length == 0 ? Certificates.AuthorityPem : ca);
        if (token is not null)
            Write("token", token);

        var e = Assert.Throws<KubeConfigException>(() => KubeConfig.InCluster("10.0.0.1", port, _folder, _clock));

        Assert.True(
            e.Message.Contains(named, StringComparison.Ordinal)
                && e.Message.Contains(_folder, StringComparison.Ordinal),
            $"{rule}: {e.Message}"
        );
    }

    private static string Config(string cluster, string user, string host = "api.test:6443") =>
        $$"""
            apiVersion: v1
            kind: Config
            current-context: c
            contexts:
            - name: c
              context:
                cluster: k
                user: u
            clusters:
            - name: k
              cluster:
                server: https://{{host}}
                {{cluster}}
            users:
            - name: u
              user: {{user}}
            """;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private KubeConnection Load(string? path, string? context = null) =>
        KubeConfig.Load(path, context, name => _environment.GetValueOrDefault(name), _clock);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path) ?? _folder);
        File.WriteAllText(path, text);
        return path;
    }
}
