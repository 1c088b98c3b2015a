using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Holds the start up until the API server's CRDs have every field that this binary reads and writes. An upgrade of the
/// CRDs ends the wait. Looked at once: who takes CRDs back under a running operator is not found out.
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

    private const string Outdated = "CRDOutdated";

    /// <summary>All of a CRD that is years old would be a page.</summary>
    private const int MostNamed = 5;

    private volatile string? _problem = "the CRDs of the cluster have not been looked at yet";

    /// <summary>For /readyz; null once all is there.</summary>
    public string? Problem => _problem;

    /// <summary>For metrics.</summary>
    public bool IsOutdated => _problem?.StartsWith(Outdated, StringComparison.Ordinal) == true;

    /// <summary>Ends when all is there, or when it is cancelled.</summary>
    public async Task PassAsync(CancellationToken cancellationToken)
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
        string? told = null;
        while (await FindProblemAsync(cancellationToken) is { } problem)
        {
            _problem = problem;
            if (problem != told)
                Log.SchemaProblem(logger, problem);
            told = problem;
            await Task.Delay(Period, time, cancellationToken);
        }
    }

    private async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var document = JsonDocument.Parse(await read(cancellationToken));
            var missing = ServedSchema.Missing(document.RootElement, kinds);
            if (missing.Count == 0)
                return null;
            var named = string.Join(", ", missing.Take(MostNamed));
            var more = missing.Count > MostNamed ? $" and {missing.Count - MostNamed} more" : "";
            return $"{Outdated}: the API server does not know {named}{more}; apply the CRDs of this version of the "
                + "operator";
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
        {
            return $"{Outdated}: the API server does not serve {ApiResources.Group}/{ApiResources.Version}; "
                + "apply the CRDs of this "
                + "version of the operator";
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.Denied)
        {
            Log.SchemaUnchecked(logger, e.Message);
            return null; // somebody has taken away what every account has by default; that must not stop encryption
        }
        catch (Exception e) when (e is KubeApiException or JsonException)
        {
            return $"the CRDs of the cluster could not be looked at: {e.Message}";
        }
    }
}
