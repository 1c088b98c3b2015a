using Integration.Tests.Harness;
using KubeRuntime.Client;

namespace Integration.Tests.Chaos;

/// <summary>
/// One client's way to the API server, which can be cut, stalled, and led to another server, while the client knows of
/// one address only.
/// </summary>
internal sealed class Line : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("beo-line-");

    /// <param name="certificateAuthorities">Of every server that it is led to, as PEM.</param>
    /// <param name="tokenFile">Whose content may change.</param>
    public Line(int target, string certificateAuthorities, string tokenFile)
    {
        Tcp = new TcpProxy(target);
        Trust(certificateAuthorities);
        File.WriteAllText(
            Kubeconfig,
            $$"""
            apiVersion: v1
            kind: Config
            current-context: line
            contexts: [{name: line, context: {cluster: line, user: line} }]
            clusters:
            - name: line
              cluster: {server: "https://127.0.0.1:{{Tcp.Port}}", certificate-authority: {{Authorities}} }
            users: [{name: line, user: {tokenFile: {{tokenFile}} } }]
            """
        );
    }

    public TcpProxy Tcp { get; }

    public string Kubeconfig => Path.Combine(_folder.FullName, "kubeconfig");

    private string Authorities => Path.Combine(_folder.FullName, "ca.crt");

    public KubeClient Connect() =>
        new(
            KubeConfig.Load(Kubeconfig, context: null, _ => null, TimeProvider.System),
            "chaos-mirror/1.0",
            TimeProvider.System
        );

    /// <summary>Replaces the file of the authorities, as a kubelet does: at once or not at all.</summary>
    public void Trust(string certificateAuthorities)
    {
        File.WriteAllText(Authorities + ".new", certificateAuthorities);
        File.Move(Authorities + ".new", Authorities, overwrite: true);
    }

    /// <summary>What is open breaks, and is opened again elsewhere.</summary>
    public void LeadTo(int target)
    {
        Tcp.Target = target;
        Tcp.CutAll();
    }

    public async ValueTask DisposeAsync()
    {
        await Tcp.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
