using System.Net;
using TestKit;

namespace Integration.Tests.Harness;

/// <summary>
/// The operator as its users run it: a process of its own, the program that <see cref="Repository.Operator"/> names.
/// </summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private readonly Child _child;
    private readonly HttpClient _http;

    private OperatorProcess(Child child, Uri probes)
    {
        _child = child;
        _http = new HttpClient { BaseAddress = probes };
    }

    public string Log => _child.Output;

    public bool IsRunning => _child.IsRunning;

    public int ExitCode => _child.ExitCode;

    public int Id => _child.Id;

    /// <summary>Starts it and waits until /readyz says ok.</summary>
    public static async Task<OperatorProcess> StartAsync(string kubeconfig, Uri allowedEndpoint, params string[] flags)
    {
        var started = Launch(kubeconfig, allowedEndpoint, environment: null, flags);
        await started.WhenReadyAsync();
        return started;
    }

    /// <param name="kubeconfig">Null for what the environment says.</param>
    public static OperatorProcess Launch(
        string? kubeconfig,
        Uri allowedEndpoint,
        IReadOnlyDictionary<string, string>? environment,
        params string[] flags
    ) => LaunchIn(directory: null, kubeconfig, allowedEndpoint, environment, flags);

    /// <param name="directory">Its working directory; null for this process's.</param>
    /// <param name="kubeconfig">Null for what the environment says.</param>
    public static OperatorProcess LaunchIn(
        string? directory,
        string? kubeconfig,
        Uri allowedEndpoint,
        IReadOnlyDictionary<string, string>? environment,
        params string[] flags
    )
    {
        var address = $"127.0.0.1:{FreePorts.Take()}";
        var endpoint = allowedEndpoint.GetLeftPart(UriPartial.Authority);
        var child = Child.StartOperator(
            [
                "run",
                .. kubeconfig is null ? [] : (string[])["--kubeconfig", kubeconfig],
                "--allowed-endpoints",
                endpoint,
                "--http-address",
                address,
                "--log-format",
                "plain",
                "--log-level",
                "debug",
                .. flags,
            ],
            environment,
            directory
        );
        return new OperatorProcess(child, new Uri("http://" + address));
    }

    public Task WhenReadyAsync() =>
        Eventually.TrueAsync(
            "the operator is ready",
            async () =>
                _child.IsRunning
                    ? await IsReadyAsync()
                    : throw new InvalidOperationException("the operator ended: " + Log),
            () => Log
        );

    /// <summary>What /readyz says; false as well when nobody answers.</summary>
    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri("/readyz", UriKind.Relative));
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public Task KillAsync() => _child.KillAsync();

    public Task<int> TerminateAsync() => _child.TerminateAsync();

    public Task SignalAsync(string signal) => _child.SignalAsync(signal);

    /// <summary>Waits for its end by itself, and returns the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _child.ExitAsync();
        return _child.ExitCode;
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return _child.DisposeAsync();
    }
}
