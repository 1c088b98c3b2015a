using k8s;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace KubeRuntime.LeaderElection;

/// <summary>
/// A Lease on the API server. Reads and writes have a connection of their own, so that no other traffic delays a
/// renewal. They get a new one after each call without an answer: a connection whose other end is gone would lose every
/// renewal until a ping finds out.
/// </summary>
/// <param name="watcher">Reflector of the key's namespace; it may use any client.</param>
public sealed class LeaseLock(Func<KubeClient> connect, Reflector<Lease> watcher, NamespacedName key)
    : ILease,
        IDisposable
{
    private KubeClient _client = connect();

    public Task<Lease?> GetAsync(CancellationToken cancellationToken) =>
        CallAsync<Lease?>(async client =>
        {
            try
            {
                return Lease.Of(
                    await client.CallAsync(
                        $"GET leases {key}",
                        k =>
                            k.CoordinationV1.ReadNamespacedLeaseAsync(
                                key.Name,
                                key.Namespace,
                                cancellationToken: cancellationToken
                            ),
                        cancellationToken
                    )
                );
            }
            catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
            {
                return null;
            }
        });

    public Task<Lease> CreateAsync(LeaseRecord record, CancellationToken cancellationToken) =>
        CallAsync(async client =>
        {
            var lease = new V1Lease
            {
                ApiVersion = "coordination.k8s.io/v1",
                Kind = V1Lease.KubeKind,
                Metadata = new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace },
                Spec = record.ToSpec(),
            };
            return Lease.Of(
                await client.CallAsync(
                    $"POST leases {key}",
                    k =>
                        k.CoordinationV1.CreateNamespacedLeaseAsync(
                            lease,
                            key.Namespace,
                            cancellationToken: cancellationToken
                        ),
                    cancellationToken
                )
            );
        });

    public Task<Lease> UpdateAsync(string resourceVersion, LeaseRecord record, CancellationToken cancellationToken) =>
        CallAsync(async client =>
        {
            var lease = new V1Lease
            {
                Metadata = new V1ObjectMeta { ResourceVersion = resourceVersion },
                Spec = record.ToSpec(),
            };
            var patch = new V1Patch(ModelJson.Serialize(lease), V1Patch.PatchType.MergePatch);
            return Lease.Of(
                await client.CallAsync(
                    $"PATCH leases {key}",
                    k =>
                        k.CoordinationV1.PatchNamespacedLeaseAsync(
                            patch,
                            key.Name,
                            key.Namespace,
                            cancellationToken: cancellationToken
                        ),
                    cancellationToken
                )
            );
        });

    public Task WatchAsync(Action<Lease?> sink, CancellationToken cancellationToken)
    {
        var named = false;
        return watcher.RunAsync(
            e =>
            {
                switch (e)
                {
                    case WatchEvent<Lease>.Restarted:
                        named = false;
                        break;
                    case WatchEvent<Lease>.Listed listed:
                        named |= listed.Unreadable.Any(u => u.Key == key);
                        foreach (var lease in listed.Items.Where(l => l.Metadata.Key == key))
                        {
                            named = true;
                            sink(lease);
                        }
                        break;
                    case WatchEvent<Lease>.Synced when !named:
                        sink(null);
                        break;
                    case WatchEvent<Lease>.Applied applied when applied.Item.Metadata.Key == key:
                        sink(applied.Item);
                        break;
                    case WatchEvent<Lease>.Deleted deleted when deleted.Key == key:
                        sink(null);
                        break;
                }
            },
            cancellationToken
        );
    }

    public void Dispose() => _client.Dispose();

    private async Task<T> CallAsync<T>(Func<KubeClient, Task<T>> call)
    {
        try
        {
            return await call(_client);
        }
        catch (Exception e)
            when (e is OperationCanceledException or KubeApiException { Failure: KubeFailureKind.Transient })
        {
            _client.Dispose();
            _client = connect();
            throw;
        }
    }
}
