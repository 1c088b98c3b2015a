using System.Collections.Concurrent;
using BucketEncryptionOperator.Credentials;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Wakes the stores that use a key when a vendor's word on it turns: policies ask vendors, stores tell of it.
/// </summary>
internal sealed class CredentialStateSource(AccessKeyCircuitBreakers breakers) : IInformer
{
    private readonly ConcurrentDictionary<NamespacedName, AccessKey> _keys = [];

    public bool IsSynced => true;

    public Task WhenSynced => Task.CompletedTask;

    public IReadOnlyList<Watchdog> Heartbeats => [];

    /// <summary>To be said before the key's standing is asked, so that no turn between the two is missed.</summary>
    /// <param name="key">Null: none, or the store is gone.</param>
    public void Uses(NamespacedName store, AccessKey? key)
    {
        if (key is null)
            _keys.TryRemove(store, out _);
        else
            _keys[store] = key;
    }

    public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
    {
        breakers.Listen(Tell);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        finally
        {
            breakers.StopListening(Tell);
        }

        void Tell(AccessKey turned)
        {
            foreach (var (store, key) in _keys)
            {
                if (key == turned)
                    enqueue(store);
            }
        }
    }
}
