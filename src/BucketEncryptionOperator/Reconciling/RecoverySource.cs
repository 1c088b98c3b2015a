using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Enqueues the policies of an endpoint that answers again, and of an identity that has a key again, so that none of
/// them waits for the rest of its back-off. While the endpoint does not answer, it enqueues one of them whenever a
/// probe is due. Only policies whose last reconcile failed are enqueued: the others have not noticed.
/// </summary>
/// <param name="failures">Number of a policy's failures in a row, as the queue has counted them.</param>
internal sealed class RecoverySource(
    EndpointCircuitBreakers breakers,
    TemporaryKeys keys,
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
        breakers.Listen(OnEndpoint);
        keys.Listen(OnIdentity);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        finally
        {
            breakers.StopListening(OnEndpoint);
            keys.StopListening(OnIdentity);
        }

        void OnEndpoint(Uri endpoint, EndpointChange change)
        {
            var failing = Failing(store => store.Place.Endpoint == endpoint);
            if (change == EndpointChange.ProbeDue && failing.Count > 0)
                failing = [failing[(Interlocked.Increment(ref _asked) & int.MaxValue) % failing.Count]];
            failing.ForEach(enqueue);
        }

        void OnIdentity(TemporaryIdentity identity) =>
            Failing(store => store.Keys.Parts.Contains(new KeySource.FromIdentity(identity))).ForEach(enqueue);
    }

    private List<NamespacedName> Failing(Func<Store, bool> isConcerned) =>
        [
            .. from policy in policies.Snapshot()
            where failures(policy.Metadata.Key) > 0
            let store = stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value
            where store is not null && isConcerned(store)
            select policy.Metadata.Key,
        ];
}
