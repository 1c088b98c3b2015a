using KubeRuntime.LeaderElection;

namespace KubeRuntime.Controllers;

/// <summary>
/// Several controllers of one process, which start and end together: one term of leadership, one answer to a probe.
/// </summary>
public sealed class ControllerGroup(IReadOnlyList<Controller> controllers)
{
    /// <inheritdoc cref="Controller.IsReady"/>
    public bool IsReady => controllers.All(c => c.IsReady);

    /// <summary>The reason of the first controller that has one.</summary>
    public string? UnhealthyReason => controllers.Select(c => c.UnhealthyReason).FirstOrDefault(a => a is not null);

    /// <summary>
    /// Runs until cancelled. A controller that ends early ends the others: the process needs all of them. All have
    /// drained when it returns.
    /// </summary>
    /// <exception cref="InvalidOperationException">A loop has ended that should not.</exception>
    public async Task RunAsync(Leadership leadership, CancellationToken cancellationToken)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = controllers.Select(c => c.RunAsync(leadership, together.Token)).ToList();
        try
        {
            await await Task.WhenAny(running);
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
