using System.Text;
using KubeRuntime.Client;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Client;

public sealed class KubeConfigTests : IDisposable
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

    [Theory]
    [InlineData("no such context", "c2", "", "{}", "\"c2\"|contexts")]
    [InlineData(
        "a plugin of another version",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: login}}",
        "user \"u\"|context \"c\"|exec.apiVersion|v1alpha1|v1beta1"
    )]
    [InlineData(
        "a plugin without a program",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1}}",
        "user \"u\"|exec.command is missing"
    )]
    [InlineData(
        "a plugin that has to ask",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Always}}",
        "\"login\"|interactiveMode Always"
    )]
    [InlineData(
        "a plugin of an unknown mode",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Maybe}}",
        "interactiveMode \"Maybe\"|IfAvailable"
    )]
    [InlineData(
        "a variable without a name",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: login, env: [{value: s3cr3t}]}}",
        "exec.env has no name"
    )]
    [InlineData(
        "a plugin that is not installed",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, args: [s3cr3t], "
            + "installHint: get it at login.example}}",
        "context \"c\"|\"no-such-login\" is not installed|get it at login.example"
    )]
    [InlineData(
        "a plugin that is not where it should be",
        null,
        "",
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/no-such-login}}",
        "\"bin/no-such-login\" is not installed"
    )]
    [InlineData(
        "auth-provider",
        null,
        "",
        "{auth-provider: {name: s3cr3t}}",
        "user \"u\"|auth-provider is not supported|token"
    )]
    [InlineData("password", null, "", "{username: a, password: s3cr3t}", "user \"u\"|username is not supported")]
    [InlineData("impersonation of nobody", null, "", "{token: s3cr3t, as-groups: [a]}", "user \"u\"|as-groups|need as")]
    [InlineData("a token of two lines", null, "", "{token: \"s3cr3t\\ns3cr3t\"}", "user \"u\"|token")]
    [InlineData("a token file that is missing", null, "", "{tokenFile: nowhere}", "user \"u\"|nowhere")]
    [InlineData(
        "a certificate without its key",
        null,
        "",
        "{client-certificate-data: czNjcjN0}",
        "user \"u\"|client-key|give both"
    )]
    [InlineData(
        "a certificate that is no base64",
        null,
        "",
        "{client-certificate-data: 's3cr3t!', client-key-data: 's3cr3t!'}",
        "user \"u\"|client-certificate-data is not base64"
    )]
    [InlineData(
        "a certificate that is no PEM",
        null,
        "",
        "{client-certificate-data: czNjcjN0, client-key-data: czNjcjN0}",
        "user \"u\"|PEM"
    )]
    [InlineData("a CA that is no PEM", null, "certificate-authority-data: czNjcjN0", "{}", "cluster \"k\"|PEM")]
    [InlineData("a CA of damaged PEM", null, "certificate-authority: damaged", "{}", "cluster \"k\"|PEM")]
    [InlineData("a CA file that is missing", null, "certificate-authority: nowhere", "{}", "cluster \"k\"|nowhere")]
    [InlineData(
        "checks switched off",
        null,
        "insecure-skip-tls-verify: true",
        "{}",
        "cluster \"k\"|insecure-skip-tls-verify is not supported|certificate-authority-data"
    )]
    [InlineData(
        "a proxy that is none",
        null,
        "proxy-url: 'gopher://me:s3cr3t@x'",
        "{}",
        "cluster \"k\"|proxy-url does not name a proxy|http://proxy.example:3128"
    )]
    public void Each_mistake_is_told_with_file_entry_and_remedy_and_without_secrets(
        string rule,
        string? context,
        string cluster,
        string user,
        string named
    )
    {
        Write("damaged", "-----BEGIN CERTIFICATE-----\nczNjcjN0\n-----END CERTIFICATE-----");
        var path = Write("config", Config(cluster, user));

        var e = Assert.Throws<KubeConfigException>(() => Load(path, context));

        Assert.Contains(path, e.Message);
        Assert.All(
            named.Split('|'),
            n => Assert.True(e.Message.Contains(n, StringComparison.Ordinal), $"{rule}: {e.Message}")
        );
        Assert.DoesNotContain(Secret, e.ToString());
        Assert.DoesNotContain("czNjcjN0", e.ToString());
    }

    [Theory]
    [InlineData("a file that is missing", null, "no such file")]
    [InlineData("an empty file", "", "not a YAML mapping")]
    [InlineData("a list", "[s3cr3t]", "not a YAML mapping")]
    [InlineData("no YAML", "a: [s3cr3t\nb: {", "not valid YAML")]
    [InlineData("no YAML, with a line", "a: 's3cr3t", "not valid YAML at line 1")]
    [InlineData("a key twice", "s3cr3t: 1\ns3cr3t: 2", "YAML")]
    [InlineData("no current context", "contexts: []", "no current-context, name one with --context")]
    [InlineData(
        "a context that names no cluster",
        "current-context: c\ncontexts: [{name: c, context: {user: u}}]",
        "names no cluster"
    )]
    [InlineData(
        "a context that is none",
        "current-context: c\ncontexts: [{name: c, context: s3cr3t}]",
        "no entry \"c\" in contexts"
    )]
    [InlineData(
        "a cluster that is missing",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]",
        "no entry \"k\" in clusters"
    )]
    [InlineData(
        "a user that is missing",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
            + "clusters: [{name: k, cluster: {server: 'https://x'}}]",
        "no entry \"u\" in users"
    )]
    [InlineData(
        "a server that is no URL",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
            + "clusters: [{name: k, cluster: {server: 'x:1'}}]",
        "is not an http or https URL"
    )]
    [InlineData(
        "no server",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\nclusters: [{name: k, cluster: {}}]",
        "is not an http or https URL"
    )]
    [InlineData(
        "a password in the URL",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
            + "clusters: [{name: k, cluster: {server: 'https://a:s3cr3t@x'}}]",
        "password in the server's URL"
    )]
    public void A_file_that_says_too_little_is_told(string rule, string? text, string named)
    {
        var path = text is null ? Path.Combine(_folder, "missing") : Write("config", text);

        var e = Assert.Throws<KubeConfigException>(() => Load(path));

        Assert.True(
            e.Message.Contains(named, StringComparison.Ordinal) && e.Message.Contains(path, StringComparison.Ordinal),
            $"{rule}: {e.Message}"
        );
        Assert.DoesNotContain(Secret, e.ToString());
    }

    [Fact]
    public void Nothing_at_all_says_where_it_looked()
    {
        _environment["HOME"] = _folder;

        var e = Assert.Throws<KubeConfigException>(() => Load(null));

        Assert.All((string[])["--kubeconfig", "KUBECONFIG", _folder], n => Assert.Contains(n, e.Message));
    }

    [Fact]
    public void No_bytes_bring_another_exception_than_ours()
    {
        var random = RandomSeed.NewRandom(_output.WriteLine);
        var valid = Encoding.UTF8.GetBytes(
            Config($"certificate-authority-data: {Base64(Certificates.AuthorityPem)}", "{token: t0}")
        );
        string[] junk =
        [
            "\n",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a ",
            "!!int ",
            "|",
            ">\n",
            "\t",
            "'",
            "\"",
            "#",
            "%YAML 9\n",
            "---\n",
            "...",
            "? ",
            "\0",
            "<<: *a",
            "\ufeff",
            "\\x",
        ];
        var (read, refused) = (0, 0);

        for (var i = 0; i < 1000; i++)
        {
            var bytes = valid.ToList();
            for (var n = random.Next(1, 5); n > 0; n--)
            {
                var at = random.Next(bytes.Count);
                if (random.Next(3) == 0)
                    bytes[at] = (byte)random.Next(256);
                else if (random.Next(8) == 0)
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at - 1, random.Next(30)));
                else
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(junk[random.Next(junk.Length)]));
            }
            var path = Path.Combine(_folder, "fuzz");
            File.WriteAllBytes(path, [.. bytes]);
            try
            {
                Load(path);
                read++;
            }
            catch (KubeConfigException)
            {
                refused++;
            }
            catch (Exception e) when (e is not KubeConfigException)
            {
                Assert.Fail($"case {i}: {e.GetType()} on {Convert.ToBase64String([.. bytes])}\n{e}");
            }
        }

        Assert.True(read > 20 && refused > 100, $"{read} read, {refused} refused");
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
