using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Delays the start until the API server's CRDs have every field that this binary reads and writes. An upgrade of the
/// CRDs ends the wait. The check runs once: it does not notice older CRDs that are installed under a running operator.
/// </summary>
/// <param name="read">The group's OpenAPI document.</param>
internal sealed class SchemaCheck(
    Func<CancellationToken, Task<byte[]>> read,
    IReadOnlyList<string> kinds,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>Documents come a moment after their CRDs, so a first installation passes here too.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Maximum number of missing fields in the message: of a CRD that is years old they would fill a page.
    /// </summary>
    private const int MostNamed = 5;

    private volatile SchemaProblem? _problem = new("the CRDs of the cluster have not been looked at yet");

    /// <summary>For /readyz; null once the check has passed.</summary>
    public string? Problem => _problem?.Message;

    /// <summary>The CRDs are known to be older than this binary. For metrics.</summary>
    public bool IsOutdated => _problem is { IsOutdated: true };

    /// <summary>Ends when the check has passed, or when it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WaitAsync(cancellationToken);
            _problem = null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        string? reported = null;
        while (await FindProblemAsync(cancellationToken) is { } problem)
        {
            _problem = problem;
            if (problem.Message != reported)
                Log.SchemaProblem(logger, problem.Message);
            reported = problem.Message;
            await Task.Delay(Period, time, cancellationToken);
        }
    }

    private async Task<SchemaProblem?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var document = JsonDocument.Parse(await read(cancellationToken));
            var missing = ServedSchema.Missing(document.RootElement, kinds);
            if (missing.Count == 0)
                return null;
            var named = string.Join(", ", missing.Take(MostNamed));
            var more = missing.Count > MostNamed ? $" and {missing.Count - MostNamed} more" : "";
            return OutdatedBecause($"does not know {named}{more}");
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
        {
            return OutdatedBecause($"does not serve {ApiResources.Group}/{ApiResources.Version}");
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.Denied)
        {
            Log.SchemaUnchecked(logger, e.Message);
            // Every account has this right by default. Encryption must not stop because somebody removed it.
            return null;
        }
        catch (Exception e) when (e is KubeApiException or JsonException)
        {
            return new SchemaProblem($"the CRDs of the cluster could not be looked at: {e.Message}");
        }
    }

    private static SchemaProblem OutdatedBecause(string what) =>
        new($"CRDOutdated: the API server {what}; apply the CRDs of this version of the operator")
        {
            IsOutdated = true,
        };

    private sealed record SchemaProblem(string Message)
    {
        public bool IsOutdated { get; init; }
    }
}
