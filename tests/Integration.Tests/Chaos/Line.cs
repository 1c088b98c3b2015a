using Integration.Tests.Harness;
using KubeRuntime.Api;

namespace Integration.Tests.Chaos;

/// <summary>One client's way to the API server, which can be cut, stalled, and led to another server, while the client knows of one address only.</summary>
internal sealed class Line : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("beo-line-");

    /// <param name="certificateAuthorities">Of every server that it is led to, as PEM.</param>
    /// <param name="tokenFile">Whose content may change.</param>
    public Line(int target, string certificateAuthorities, string tokenFile)
    {
        Tcp = new TcpProxy(target);
        var authorities = Path.Combine(_folder.FullName, "ca.crt");
        File.WriteAllText(authorities, certificateAuthorities);
        File.WriteAllText(Kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: line
            contexts: [{name: line, context: {cluster: line, user: line} }]
            clusters: [{name: line, cluster: {server: "https://127.0.0.1:{{Tcp.Port}}", certificate-authority: {{authorities}} } }]
            users: [{name: line, user: {tokenFile: {{tokenFile}} } }]
            """);
    }

    public TcpProxy Tcp { get; }

    public string Kubeconfig => Path.Combine(_folder.FullName, "kubeconfig");

    public KubeClient Connect() => new(KubeConfig.Load(Kubeconfig, context: null, _ => null, TimeProvider.System), "chaos-mirror/1.0", TimeProvider.System);

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
