using KubeRuntime.Client;
using KubeRuntime.LeaderElection;

namespace KubeRuntime.Tests.LeaderElection;

/// <summary>
/// The one lease as an API server keeps it: versions, conflicts, and no change where nothing changes.
/// </summary>
internal sealed class LeaseStore
{
    private int _version;

    public List<Action> Watchers { get; } = [];

    public Lease? Stored { get; private set; }

    public int Writes { get; private set; }

    /// <summary>What every watch ends with.</summary>
    public Exception? WatchBug { get; set; }

    public Lease Create(LeaseRecord record) => Stored is null ? Store(record) : throw Failure(KubeFailureKind.Conflict);

    public Lease Update(string version, LeaseRecord record)
    {
        if (Stored is null)
            throw Failure(KubeFailureKind.NotFound);
        if (Stored.Metadata.ResourceVersion != version)
            throw Failure(KubeFailureKind.Conflict);
        return Stored.Spec == record ? Stored : Store(record);
    }

    public void Delete()
    {
        Stored = null;
        Watchers.ForEach(tell => tell());
    }

    /// <summary>Somebody changes a label: another version, the same record.</summary>
    public void Touch() => Store((Stored ?? throw Failure(KubeFailureKind.NotFound)).Spec);

    public static KubeApiException Failure(KubeFailureKind failure) => new(failure, failure.ToString());

    public Lease Store(LeaseRecord record)
    {
        Stored = new Lease
        {
            Metadata = new ObjectMeta
            {
                Name = "l",
                Namespace = "ns",
                ResourceVersion = $"{++_version}",
            },
            Spec = record,
        };
        Writes++;
        Watchers.ForEach(tell => tell());
        return Stored;
    }
}

/// <summary>
/// One process's way to the store. <paramref name="road"/> decides when, and whether, a call arrives and its answer
/// comes back.
/// </summary>
internal sealed class SimulatedLease(
    LeaseStore store,
    Func<Func<Lease?>, CancellationToken, Task<Lease?>> road,
    Action<Action> toldLater
) : ILease
{
    public Task<Lease?> GetAsync(CancellationToken cancellationToken) => road(() => store.Stored, cancellationToken);

    public async Task<Lease> CreateAsync(LeaseRecord record, CancellationToken cancellationToken) =>
        await road(() => store.Create(record), cancellationToken) ?? throw new InvalidOperationException();

    public async Task<Lease> UpdateAsync(
        string resourceVersion,
        LeaseRecord record,
        CancellationToken cancellationToken
    ) =>
        await road(() => store.Update(resourceVersion, record), cancellationToken)
        ?? throw new InvalidOperationException();

    public async Task WatchAsync(Action<Lease?> sink, CancellationToken cancellationToken)
    {
        if (store.WatchBug is { } bug)
            throw bug;
        void Tell()
        {
            var lease = store.Stored;
            toldLater(() =>
            {
                if (!cancellationToken.IsCancellationRequested)
                    sink(lease);
            });
        }
        Tell();
        store.Watchers.Add(Tell);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.UnsafeRegister(
            _ => ended.TrySetCanceled(cancellationToken),
            null
        );
        try
        {
            await ended.Task;
        }
        finally
        {
            store.Watchers.Remove(Tell);
        }
    }
}
