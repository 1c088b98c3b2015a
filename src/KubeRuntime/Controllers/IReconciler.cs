using KubeRuntime.Client;

namespace KubeRuntime.Controllers;

/// <summary>
/// Brings the world in line with one object. Level-triggered: it gets a key, reads all, and may be called at any time,
/// again and again.
/// </summary>
public interface IReconciler
{
    /// <param name="key">The object; it may be gone.</param>
    /// <param name="attempt">
    /// How many times in a row this key has ended in <see cref="ReconcileResult.Retry"/> or an exception before, from
    /// 0.
    /// </param>
    /// <param name="cancellationToken">Cancelled at the time limit and when a drain has waited long enough.</param>
    Task<ReconcileResult> ReconcileAsync(NamespacedName key, int attempt, CancellationToken cancellationToken);
}
