using System.Text;
using System.Text.RegularExpressions;

namespace Integration.Tests.Harness;

/// <summary>
/// A kubeconfig whose user has a credential plugin: a shell script that prints what the test gives it.
/// </summary>
internal sealed partial class ExecPluginFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beo-exec-").FullName;

    public string Kubeconfig => Path.Combine(_folder, "config");

    /// <summary>How often the plugin has run.</summary>
    public int Runs => File.Exists(InFolder("runs")) ? File.ReadAllLines(InFolder("runs")).Length : 0;

    public static async Task<ExecPluginFolder> CreateAsync(ApiServer server)
    {
        var folder = new ExecPluginFolder();
        await File.WriteAllTextAsync(folder.InFolder("ca.crt"), await server.AuthorityAsync());
        await File.WriteAllTextAsync(
            folder.Kubeconfig,
            $$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "{{{server.Url}}}", certificate-authority: ca.crt}}]
            users:
            - name: u
              user:
                exec:
                  apiVersion: client.authentication.k8s.io/v1
                  command: ./login
                  args: [two words]
                  interactiveMode: Never
            """
        );
        const string Script = """
            #!/bin/sh
            cd "$(dirname "$0")" || exit 1
            echo "$1" >>runs
            . ./answer
            """;
        var path = folder.InFolder("login");
        await File.WriteAllTextAsync(path, Script);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    /// <param name="seconds">From the run on, until the token expires.</param>
    public Task GiveTokenAsync(string token, int seconds) =>
        AnswerAsync(
            $$"""
            expires=$(date -u -d "+{{seconds}} seconds" +%Y-%m-%dT%H:%M:%SZ)
            printf '%s' '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", '
            printf '%s' '"status": {"token": "{{token}}", '
            printf '"expirationTimestamp": "%s"} }' "$expires"
            """
        );

    /// <summary>That of a kubeconfig.</summary>
    public async Task GiveCertificateAsync(string kubeconfig)
    {
        var text = await File.ReadAllTextAsync(kubeconfig);
        string Pem(string field) =>
            Encoding
                .ASCII.GetString(
                    Convert.FromBase64String(
                        Data().Matches(text).Single(m => m.Groups["field"].Value == field).Groups["data"].Value
                    )
                )
                .ReplaceLineEndings("\\n");
        await AnswerAsync(
            $$"""
            printf '%s' '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
            printf '%s' '{"clientCertificateData": "{{Pem("client-certificate")}}", "clientKeyData": "{{Pem(
                "client-key"
            )}}"} }'
            """
        );
    }

    public Task FailAsync(string said) => AnswerAsync($"echo '{said}' >&2; exit 1");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task AnswerAsync(string script)
    {
        await File.WriteAllTextAsync(InFolder("answer.next"), script);
        File.Move(InFolder("answer.next"), InFolder("answer"), overwrite: true);
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    [GeneratedRegex(
        "(?<field>client-certificate|client-key)-data: *(?<data>[A-Za-z0-9+/=]+)",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Data();
}
