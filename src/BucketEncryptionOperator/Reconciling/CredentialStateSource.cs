using System.Collections.Concurrent;
using BucketEncryptionOperator.Credentials;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Enqueues the stores that use an access key when a vendor starts or stops to reject it: policies ask vendors, and
/// stores report it.
/// </summary>
internal sealed class CredentialStateSource(AccessKeyCircuitBreakers breakers) : IInformer
{
    private readonly ConcurrentDictionary<NamespacedName, AccessKey> _keys = [];

    public bool IsSynced => true;

    public Task WhenSynced => Task.CompletedTask;

    public IReadOnlyList<Watchdog> Heartbeats => [];

    /// <summary>Call it before asking for the state of the key, so that no change between the two is missed.</summary>
    /// <param name="key">Null where there is no key, or the store is gone.</param>
    public void SetKey(NamespacedName store, AccessKey? key)
    {
        if (key is null)
            _keys.TryRemove(store, out _);
        else
            _keys[store] = key;
    }

    public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
    {
        breakers.Listen(Enqueue);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        finally
        {
            breakers.StopListening(Enqueue);
        }

        void Enqueue(AccessKey changed)
        {
            foreach (var (store, key) in _keys)
            {
                if (key == changed)
                    enqueue(store);
            }
        }
    }
}
