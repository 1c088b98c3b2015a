using System.Net;
using System.Net.Sockets;

namespace Integration.Tests.Harness;

/// <summary>The operator as its users run it: a process of its own, built in the same configuration as the tests.</summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private readonly Child _child;

    private OperatorProcess(Child child, Uri probes)
    {
        _child = child;
        Probes = probes;
    }

    public string Log => _child.Output;

    public Uri Probes { get; }

    /// <summary>Starts it and waits until /readyz says ok.</summary>
    public static async Task<OperatorProcess> StartAsync(string kubeconfig, Uri allowedEndpoint, params string[] flags)
    {
        var started = Launch(kubeconfig, allowedEndpoint, environment: null, flags);
        await started.WhenReadyAsync();
        return started;
    }

    public static OperatorProcess Launch(string kubeconfig, Uri allowedEndpoint, IReadOnlyDictionary<string, string>? environment, params string[] flags)
    {
        var address = $"127.0.0.1:{FreePort()}";
        var endpoint = allowedEndpoint.GetLeftPart(UriPartial.Authority);
        var child = Child.Start(
            "dotnet",
            [Repository.Operator, "run", "--kubeconfig", kubeconfig, "--allowed-endpoints", endpoint, "--http-address", address, "--log-format", "plain", "--log-level", "debug", .. flags],
            environment);
        return new OperatorProcess(child, new Uri("http://" + address));
    }

    public async Task WhenReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Probes };
        await Eventually.TrueAsync(
            "the operator is ready",
            async () =>
            {
                if (!_child.IsRunning)
                    throw new InvalidOperationException("the operator ended: " + Log);
                try
                {
                    using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative));
                    return answer.StatusCode == HttpStatusCode.OK;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            () => Log);
    }

    public Task KillAsync() => _child.KillAsync();

    public Task<int> TerminateAsync() => _child.TerminateAsync();

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
