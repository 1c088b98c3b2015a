using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using KubeRuntime.Client;
using TestKit;

namespace KubeRuntime.Tests.Client;

/// <summary>Real programs: shell scripts in a folder of the test's own.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ExecPluginTests : IDisposable
{
    private const string Token = "s3cr3t-t0k3n";
    private readonly ManualTimeProvider _clock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("exec-plugin-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Arguments_variables_and_the_cluster_reach_the_plugin_as_they_are_written()
    {
        using var certificates = new TestCertificates("cluster");
        var authority = Convert.ToBase64String(Encoding.UTF8.GetBytes(certificates.AuthorityPem));
        Script(
            $$"""
            printf '%s\n' "$#" "$1" "$2" "$GREETING" >"$(dirname "$0")/seen"
            printf '%s' "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"
            {{Print(Token)}}
            """
        );
        var plugin = Load(
            "args: [two words, \"a \\\"quoted\\\" one\"], env: [{name: GREETING, value: a b}], "
                + "provideClusterInfo: true",
            $$"""
            certificate-authority-data: {{authority}}
                extensions:
                - name: client.authentication.k8s.io/exec
                  extension: {audience: cluster-1, number: 7, flag: true, list: [a, "7"], nothing: null}
            """
        );

        var given = await plugin.GetAsync(CancellationToken.None);

        Assert.Equal(Token, given.Token);
        Assert.Equal(
            ["2", "two words", "a \"quoted\" one", "a b"],
            await File.ReadAllLinesAsync(Path.Combine(_folder, "seen"))
        );
        var expected = $$$"""
            {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "spec": {"interactive": false, "cluster": {"server": "https://api.test:6443",
            "certificate-authority-data": "{{{authority}}}",
            "config": {"audience": "cluster-1", "number": 7, "flag": true, "list": ["a", "7"], "nothing": null} } } }
            """;
        var info = await File.ReadAllTextAsync(Path.Combine(_folder, "info"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(info)), info);
    }

    [Fact]
    public async Task A_plugin_that_does_not_want_to_know_is_not_told_of_the_cluster()
    {
        Script(
            $$"""
            printf '%s' "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"
            {{Print(Token)}}
            """
        );

        await Load().GetAsync(CancellationToken.None);

        Assert.DoesNotContain(
            "cluster",
            await File.ReadAllTextAsync(Path.Combine(_folder, "info")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task It_runs_once_until_shortly_before_the_token_expires()
    {
        CountingScript(expires: _clock.GetUtcNow().AddMinutes(10));
        var plugin = Load();

        var first = await plugin.GetAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromMinutes(9));
        var still = await plugin.GetAsync(CancellationToken.None);
        CountingScript(expires: _clock.GetUtcNow().AddMinutes(10));
        _clock.Advance(TimeSpan.FromSeconds(31));
        var next = await plugin.GetAsync(CancellationToken.None);

        Assert.Equal(("token-1", "token-1", "token-2"), (first.Token, still.Token, next.Token));
    }

    [Fact]
    public async Task A_refused_token_is_asked_for_again_and_not_for_each_request()
    {
        CountingScript(expires: null);
        var plugin = Load();
        await plugin.GetAsync(CancellationToken.None);

        var tokens = new List<string?>();
        for (var i = 0; i < 12; i++)
        {
            plugin.Doubt();
            tokens.Add((await plugin.GetAsync(CancellationToken.None)).Token);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("token-1 token-2 token-3", string.Join(' ', tokens.Distinct(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Many_requests_at_once_run_it_once()
    {
        CountingScript(expires: null);
        var plugin = Load();

        var tokens = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => plugin.GetAsync(CancellationToken.None).AsTask())
        );

        Assert.All(tokens, t => Assert.Equal("token-1", t.Token));
    }

    [Fact]
    public async Task A_certificate_and_its_key_are_a_credential_too()
    {
        using var certificates = new TestCertificates("clients");
        var (certificate, key) = certificates.Client("login");
        using var issued = X509Certificate2.CreateFromPem(certificate, key);
        (certificate, key) = (certificate.ReplaceLineEndings("\\n"), key.ReplaceLineEndings("\\n"));
        Script(PrintStatus($$"""{"clientCertificateData": "{{certificate}}", "clientKeyData": "{{key}}"}"""));

        var given = await Load().GetAsync(CancellationToken.None);

        Assert.Null(given.Token);
        Assert.Equal(issued.Thumbprint, given.Certificate?.Thumbprint);
        Assert.True(given.Certificate?.HasPrivateKey);
    }

    [Theory]
    [InlineData(
        "it fails, and says why",
        "echo 'no session: log in first' >&2; exit 3",
        "exit code 3|no session: log in first"
    )]
    [InlineData("it fails in silence", "echo s3cr3t-t0k3n; exit 1", "failed with exit code 1")]
    [InlineData("it prints nothing", "exit 0", "did not print an ExecCredential: not JSON")]
    [InlineData("it prints rubbish", "echo s3cr3t-t0k3n", "did not print an ExecCredential: not JSON")]
    [InlineData(
        "it prints half of it",
        "printf '{\"kind\": \"ExecCredential\", \"status\": {\"token\": \"s3cr3t-t0k3n'",
        "not JSON"
    )]
    [InlineData(
        "it prints another kind",
        "echo '{\"kind\": \"Secret\", \"status\": {\"token\": \"s3cr3t-t0k3n\"}}'",
        "ExecCredential with a status"
    )]
    [InlineData(
        "it prints no status",
        "echo '{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1\"}'",
        "with a status"
    )]
    [InlineData(
        "it prints another version",
        "echo '{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1beta1\", "
            + "\"status\": {\"token\": \"s3cr3t-t0k3n\"}}'",
        "another apiVersion than client.authentication.k8s.io/v1"
    )]
    [InlineData("it prints without end", "head -c 3000000 /dev/zero | tr '\\\\0' s", "printed more than 1024 KiB")]
    public async Task What_went_wrong_is_told_with_plugin_context_and_hint_and_without_secrets(
        string rule,
        string script,
        string named
    )
    {
        Script(script);

        var e = await Assert.ThrowsAsync<KubeApiException>(() =>
            Load("installHint: see login.example").GetAsync(CancellationToken.None).AsTask()
        );

        Assert.Equal(KubeFailureKind.Transient, e.Failure);
        Assert.All(
            [.. named.Split('|'), "context \"c\"", "exec plugin \"", "/login", "see login.example"],
            part => Assert.True(e.ToString().Contains(part, StringComparison.Ordinal), $"{rule}: {e.Message}")
        );
        Assert.DoesNotContain("s3cr3t", e.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("no token and no certificate", "{}", "neither a token nor a client certificate")]
    [InlineData("a token of two lines", "{\"token\": \"s3cr3t\\ns3cr3t\"}", "not one line")]
    [InlineData("a certificate without its key", "{\"clientCertificateData\": \"s3cr3t\"}", "only one of")]
    [InlineData(
        "an invalid certificate",
        "{\"clientCertificateData\": \"s3cr3t\", \"clientKeyData\": \"s3cr3t\"}",
        "not PEM"
    )]
    [InlineData(
        "an expiry that is no time",
        "{\"token\": \"s3cr3t\", \"expirationTimestamp\": \"s3cr3t\"}",
        "not JSON"
    )]
    [InlineData(
        "a token that has expired",
        "{\"token\": \"s3cr3t\", \"expirationTimestamp\": \"2001-01-01T00:00:00Z\"}",
        "has expired"
    )]
    public async Task A_credential_that_is_none_is_told(string rule, string status, string named)
    {
        Script(PrintStatus(status));

        var e = await Assert.ThrowsAsync<KubeApiException>(() => Load().GetAsync(CancellationToken.None).AsTask());

        Assert.True(e.Message.Contains(named, StringComparison.Ordinal), $"{rule}: {e.Message}");
        Assert.DoesNotContain("s3cr3t", e.ToString(), StringComparison.Ordinal);
    }

    /// <summary>
    /// With the child that it waits for: a hanging plugin is a shell script around something that hangs.
    /// </summary>
    [Fact]
    public async Task A_plugin_that_hangs_is_ended_with_what_it_has_started()
    {
        Script(
            """
            sleep 600 &
            echo $! >"$(dirname "$0")/child"
            wait
            """
        );
        var plugin = Load();

        var asked = plugin.GetAsync(CancellationToken.None).AsTask();
        var child = Path.Combine(_folder, "child");
        await Waiting.UntilAsync(() => File.Exists(child) && File.ReadAllText(child).EndsWith('\n'));
        _clock.Advance(TimeSpan.FromSeconds(30));
        var e = await Assert.ThrowsAsync<KubeApiException>(() => asked).Within();

        Assert.Contains("did not end within 30 s", e.Message, StringComparison.Ordinal);
        var id = (await File.ReadAllTextAsync(child)).Trim();
        await Waiting.UntilAsync(() =>
            !File.Exists($"/proc/{id}/stat")
            || File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Whoever_gives_up_ends_it_and_the_next_runs_it_anew()
    {
        Script(
            $$"""
            if [ ! -e "$(dirname "$0")/ran" ]; then touch "$(dirname "$0")/ran"; sleep 600; fi
            {{Print(Token)}}
            """
        );
        var plugin = Load();
        using var giveUp = new CancellationTokenSource();

        var asked = plugin.GetAsync(giveUp.Token).AsTask();
        await Waiting.UntilAsync(() => File.Exists(Path.Combine(_folder, "ran")));
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.Within());

        Assert.Equal(Token, (await plugin.GetAsync(CancellationToken.None).AsTask().Within()).Token);
    }

    [Fact]
    public async Task A_plugin_that_fails_keeps_the_token_that_is_still_good_and_is_not_run_for_each_request()
    {
        var expires = _clock.GetUtcNow().AddMinutes(1);
        CountingScript(expires);
        var plugin = Load();
        await plugin.GetAsync(CancellationToken.None);
        Script(
            """
            echo x >>"$(dirname "$0")/failed"
            exit 1
            """
        );
        _clock.Advance(TimeSpan.FromSeconds(40));

        var kept = await plugin.GetAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(25));
        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<KubeApiException>(() => plugin.GetAsync(CancellationToken.None).AsTask());

        Assert.Equal("token-1", kept.Token);
        Assert.Equal(2, (await File.ReadAllLinesAsync(Path.Combine(_folder, "failed"))).Length);
    }

    [Fact]
    public async Task Requests_carry_the_token_and_whom_they_are_made_as()
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(Widget.Json("a", 5)),
            Answer.Whole(Widget.Status(401, "Unauthorized", "no"), 401),
            Answer.Whole(Widget.Json("a", 6))
        );
        CountingScript(expires: null);
        var connection = Connection(
            $"exec: {{apiVersion: client.authentication.k8s.io/v1, command: ./login}}, as: jane, as-uid: u-1, "
                + $"as-groups: [a, b], as-user-extra: {{\"example.com/x y\": [one, two]}}",
            server: server.Address
        );
        using var client = new KubeClient(connection, "test/1.0", _clock);

        await GetAsync(client);
        await Assert.ThrowsAsync<KubeApiException>(() => GetAsync(client));
        _clock.Advance(TimeSpan.FromSeconds(6));
        await GetAsync(client);

        var first = await server.NextRequestAsync();
        Assert.Equal("Bearer token-1", first.Headers["Authorization"]);
        Assert.Equal(("jane", "u-1"), (first.Headers["Impersonate-User"], first.Headers["Impersonate-Uid"]));
        Assert.Contains("b", first.Headers["Impersonate-Group"], StringComparison.Ordinal);
        Assert.Contains("two", first.Headers["Impersonate-Extra-example.com%2Fx%20y"], StringComparison.Ordinal);
        await server.NextRequestAsync();
        Assert.Equal("Bearer token-2", (await server.NextRequestAsync()).Headers["Authorization"]);
    }

    private static Task<Widget> GetAsync(KubeClient client) =>
        client.GetAsync(Widget.Resource, new NamespacedName("ns", "a"), CancellationToken.None).Within();

    private static string Print(string token) => PrintStatus($$"""{"token": "{{token}}"}""");

    /// <summary>A command that prints an ExecCredential with that status.</summary>
    private static string PrintStatus(string status) =>
        $"printf '%s' '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", "
        + $"\"status\": {status}}}'";

    /// <summary>Prints token-1 in its first run, token-2 in its second.</summary>
    private void CountingScript(DateTimeOffset? expires)
    {
        var expiry = expires is { } at ? $", \"expirationTimestamp\": \"{at:yyyy-MM-ddTHH:mm:ssZ}\"" : "";
        Script(
            $$"""
            echo x >>"$(dirname "$0")/runs"
            n=$(grep -c x "$(dirname "$0")/runs")
            printf '%s' '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", '
            printf '%s%s%s' '"status": {"token": "token-' "$n" '"{{expiry}} } }'
            """
        );
    }

    private void Script(string text)
    {
        var path = Path.Combine(_folder, "login");
        File.WriteAllText(path, "#!/bin/sh\n" + text + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private ExecPlugin Load(string more = "installHint: none", string cluster = "{}") =>
        Connection($"exec: {{apiVersion: client.authentication.k8s.io/v1, command: ./login, {more}}}", cluster).Plugin!;

    private KubeConnection Connection(string user, string cluster = "{}", Uri? server = null)
    {
        var path = Path.Combine(_folder, "config");
        File.WriteAllText(
            path,
            $$"""
            current-context: c
            contexts:
            - name: c
              context: {cluster: k, user: u}
            clusters:
            - name: k
              cluster:
                server: {{server?.ToString() ?? "https://api.test:6443"}}
                {{(cluster == "{}" ? "" : cluster)}}
            users:
            - name: u
              user: { {{user}} }
            """
        );
        return KubeConfig.Load(path, context: null, _ => null, _clock);
    }
}
