using System.Text;
using KubeRuntime.Client;
using TestKit;

namespace KubeRuntime.Tests.Client;

public sealed partial class KubeConfigTests
{
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
}
