using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Enqueues the policies of an endpoint that answers again, so that none of them waits for the rest of its back-off.
/// While the endpoint does not answer, it enqueues one of them whenever a probe is due. Only policies whose last
/// reconcile failed are enqueued: the others have not noticed.
/// </summary>
/// <param name="failures">Number of a policy's failures in a row, as the queue has counted them.</param>
internal sealed class EndpointStateSource(
    EndpointCircuitBreakers breakers,
    ObjectCache<BucketEncryptionPolicy> policies,
    Stores stores,
    Func<NamespacedName, int> failures
) : IInformer
{
    /// <summary>Each probe takes the next policy, for the last may have had no request to send.</summary>
    private int _asked;

    public bool IsSynced => true;

    public Task WhenSynced => Task.CompletedTask;

    public IReadOnlyList<Watchdog> Heartbeats => [];

    public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
    {
        breakers.Listen(OnTurn);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        finally
        {
            breakers.StopListening(OnTurn);
        }

        void OnTurn(Uri endpoint, EndpointChange change)
        {
            var failing = policies
                .Snapshot()
                .Where(p => failures(p.Metadata.Key) > 0 && IsAt(endpoint, p))
                .Select(p => p.Metadata.Key)
                .ToList();
            if (failing.Count == 0)
                return;
            if (change == EndpointChange.ProbeDue)
                failing = [failing[(Interlocked.Increment(ref _asked) & int.MaxValue) % failing.Count]];
            failing.ForEach(enqueue);
        }
    }

    private bool IsAt(Uri endpoint, BucketEncryptionPolicy policy) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value?.Place.Endpoint == endpoint;
}
