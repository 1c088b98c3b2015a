using Integration.Tests.Harness;

namespace Integration.Tests.Chaos;

public sealed partial class ChaosWorld
{
    /// <summary>The replica that leads, and the one that is ready to.</summary>
    internal async Task<(Replica Leader, Replica Standby)> RolesAsync()
    {
        var roles = await Eventually.GetAsync(
            "one replica leads and the other stands by",
            () =>
            {
                lock (_gate)
                {
                    var leader = _replicas.Find(r =>
                        r.Process.IsRunning && r.Identity is { } identity && identity == Leases.Holder
                    );
                    var standby = _replicas.Find(r => r.Process.IsRunning && r.StandsBy);
                    return Task.FromResult(leader is null || standby is null ? null : new[] { leader, standby });
                }
            },
            Logs
        );
        await Eventually.TrueAsync("the standby is ready", roles[1].Process.IsReadyAsync, Logs);
        return (roles[0], roles[1]);
    }

    private void Lead(int target)
    {
        foreach (var line in Lines)
            line.LeadTo(target);
        lock (_gate)
            _target = target;
    }

    private async Task KeepReplicasAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate)
            {
                foreach (var ended in _replicas.Where(r => !r.Process.IsRunning).ToList())
                {
                    _replicas.Remove(ended);
                    _ended.Add(ended);
                }
                while (_replicas.Count < Replicas)
                    _replicas.Add(NewReplica());
            }
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }
    }

    private Replica NewReplica()
    {
        var line = NewLine();
        line.Tcp.Target = _target;
        return new Replica(
            line,
            Scene.Endpoint,
            "--watch-namespaces",
            Namespace,
            "--leader-elect",
            "--lease-namespace",
            LeaseNamespace,
            "--lease-duration",
            LeaseDuration.TotalSeconds.ToString("0"),
            "--vendor-timeout",
            "120"
        ); // a row holds an answer back for longer than a lease
    }
}
