using System.Text;
using TestKit;

namespace Integration.Tests.Harness;

/// <summary>
/// A Kubernetes API server of the tests' own (tests/apiserver), with its audit log. It can be killed and started again
/// on the same data and port.
/// </summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly string _data;
    private Child? _process;

    private ApiServer(string data, int port)
    {
        _data = data;
        Port = port;
    }

    public int Port { get; }

    private Child Process => _process ?? throw new InvalidOperationException("not started");

    public string Kubeconfig => Path.Combine(_data, "admin.kubeconfig");

    public string AuditLog => Path.Combine(_data, "audit.log");

    /// <summary>PEM of the public key by which it signs tokens of service accounts.</summary>
    public string TokenKey => File.ReadAllText(Path.Combine(_data, "sa.pub"));

    public Uri Url => new($"https://127.0.0.1:{Port}");

    private string Tokens => Path.Combine(_data, "tokens.csv");

    public static async Task<ApiServer> StartAsync()
    {
        var server = new ApiServer(Directory.CreateTempSubdirectory("beo-apiserver-").FullName, FreePorts.Take());
        server.KnowOnly();
        await server.RunAsync();
        return server;
    }

    /// <summary>SIGKILL, etcd included, and a new start on what was stored.</summary>
    public async Task KillAndRestartAsync()
    {
        await KillAsync();
        await RunAsync();
    }

    /// <summary>
    /// Bearer tokens that count from now on, each with its service account, as namespace:name. All others are unknown
    /// (401).
    /// </summary>
    public void KnowOnly(params IEnumerable<(string Token, string Account)> tokens)
    {
        var next = Tokens + ".next";
        File.WriteAllLines(
            next,
            tokens.Select((t, i) => $"{t.Token},system:serviceaccount:{t.Account},{i},system:serviceaccounts")
        );
        File.Move(next, Tokens, overwrite: true);
    }

    /// <summary>PEM of the authority that has signed the server's certificate.</summary>
    public async Task<string> AuthorityAsync()
    {
        const string Field = "certificate-authority-data: ";
        var line = (await File.ReadAllLinesAsync(Kubeconfig)).Single(l => l.Contains(Field, StringComparison.Ordinal));
        return Encoding.ASCII.GetString(
            Convert.FromBase64String(line[(line.IndexOf(Field, StringComparison.Ordinal) + Field.Length)..])
        );
    }

    /// <summary>SIGKILL, and a new start on the same data with certificates of a new authority.</summary>
    public async Task KillAndRestartWithNewAuthorityAsync()
    {
        await KillAsync();
        Directory.Delete(Path.Combine(_data, "pki"), recursive: true);
        await RunAsync();
    }

    public Task KillAsync() => _process?.KillAsync() ?? Task.CompletedTask;

    /// <summary>A signal to the API server alone.</summary>
    public Task SignalAsync(string signal) => Child.SignalAsync(Process.Id, signal);

    /// <summary>A signal to its etcd alone. The end of etcd ends the API server.</summary>
    public async Task SignalEtcdAsync(string signal)
    {
        // The server's only child, by the kernel's list: a name could be that of somebody else's etcd. Any thread may
        // have started it.
        var children = "";
        foreach (var thread in Directory.GetDirectories($"/proc/{Process.Id}/task"))
            children += await File.ReadAllTextAsync(Path.Combine(thread, "children"));
        await Child.SignalAsync(
            children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).Single(),
            signal
        );
    }

    public Task ExitAsync() => Process.ExitAsync();

    public async Task RunAsync()
    {
        var ready = Path.Combine(_data, "ready");
        File.Delete(ready);
        if (_process is not null)
            await _process.DisposeAsync();
        var process = _process = Child.Start(
            Repository.ApiServerScript,
            [
                _data,
                "--secure-port",
                Port.ToString(),
                "--audit-log-path",
                AuditLog,
                "--token-auth-file",
                Tokens,
                "--exit-with-parent",
            ]
        );
        await Eventually.TrueAsync(
            "the API server is ready",
            () => File.Exists(ready) || !process.IsRunning,
            () => process.Output
        );
        if (!process.IsRunning)
            throw new InvalidOperationException("the API server ended: " + process.Output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
