using KubeRuntime.Client;

namespace KubeRuntime.Controllers;

/// <summary>
/// Brings the world in line with one object. Level-triggered: it gets a key, reads everything, and may be called at any
/// time.
/// </summary>
public interface IReconciler
{
    /// <param name="key">Key of the object, which may be deleted.</param>
    /// <param name="attempt">
    /// Number of times in a row that this key has ended in <see cref="ReconcileResult.Retry"/> or an exception before,
    /// from 0.
    /// </param>
    /// <param name="cancellationToken">Cancelled at the timeout, and when a drain has waited long enough.</param>
    Task<ReconcileResult> ReconcileAsync(NamespacedName key, int attempt, CancellationToken cancellationToken);
}
