namespace KubeRuntime.LeaderElection;

/// <summary>The times of an election.</summary>
/// <param name="Identity">Identifies this process, and no other: not a restarted one in the same pod either.</param>
public sealed record LeaderElectorOptions(string Identity)
{
    /// <summary>A lease that did not change for this time is free.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A leader that has not renewed for this time has lost. The difference to <see cref="LeaseDuration"/> is for
    /// clocks that run unevenly and for writes that are under way.
    /// </summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two renewals.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);
}
