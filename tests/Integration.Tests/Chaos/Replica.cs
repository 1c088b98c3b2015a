using System.Text.RegularExpressions;
using Integration.Tests.Harness;

namespace Integration.Tests.Chaos;

/// <summary>
/// One process of the operator, with a line of its own to Kubernetes and a way of its own to the vendor: so each
/// request at the vendor has a known sender.
/// </summary>
internal sealed partial class Replica : IAsyncDisposable
{
    /// <summary>
    /// A real name: requests to it go through the proxy of the environment, which is this replica's own.
    /// </summary>
    public static readonly Uri Endpoint = new("http://oss-cn-hangzhou.aliyuncs.com");

    private readonly TcpProxy _vendor;

    public Replica(Line line, Uri vendor, params string[] flags)
    {
        Line = line;
        _vendor = new TcpProxy(vendor.Port);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["http_proxy"] = $"http://127.0.0.1:{_vendor.Port}",
            ["no_proxy"] = "",
        };
        Process = OperatorProcess.Launch(line.Kubeconfig, Endpoint, environment, flags);
    }

    public OperatorProcess Process { get; }

    public Line Line { get; }

    /// <summary>The test has sent a signal that ends it.</summary>
    public bool EndIsWanted { get; set; }

    /// <summary>As it is named in the lease, or null while it has never led.</summary>
    public string? Identity =>
        LeadingAs().Match(Process.Log) is { Success: true } match ? match.Groups["identity"].Value : null;

    public bool StandsBy => Process.Log.Contains("Standing by", StringComparison.Ordinal) && Identity is null;

    /// <summary>Its end, if that was neither wanted nor the one of a leader that has lost.</summary>
    public string? Crash =>
        Process.IsRunning
        || EndIsWanted
        || (Process.ExitCode == 1 && Process.Log.Contains("Leadership lost", StringComparison.Ordinal))
            ? null
            : $"a replica ended with {Process.ExitCode}: {Process.Log[^Math.Min(Process.Log.Length, 8000)..]}";

    public bool HasAskedVendor => _vendor.Connections > 0;

    public bool Sent(int clientPort) => _vendor.HasUsed(clientPort);

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await _vendor.DisposeAsync();
        await Line.DisposeAsync();
    }

    [GeneratedRegex(@"Leading, as (?<identity>\S+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LeadingAs();
}
