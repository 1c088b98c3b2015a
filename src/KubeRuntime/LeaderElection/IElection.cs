namespace KubeRuntime.LeaderElection;

/// <param name="Begun">Completes when the process leads.</param>
/// <param name="Lost">Cancelled when leadership is lost: work must end at once.</param>
public sealed record Leadership(Task Begun, CancellationToken Lost)
{
    /// <summary>The leadership of a process without competitors.</summary>
    public static Leadership Unquestioned { get; } = new(Task.CompletedTask, CancellationToken.None);
}

/// <summary>Decides which one of several processes works.</summary>
public interface IElection
{
    /// <summary>
    /// Whether this process may write now. Ask right before each write that a second process must not make at the same
    /// time.
    /// </summary>
    bool MayWrite { get; }

    /// <summary>
    /// Time that a write which is sent now may take and still end before a second process may write. Zero if
    /// <see cref="MayWrite"/> is false.
    /// </summary>
    TimeSpan WriteTime { get; }

    /// <summary>
    /// Runs <paramref name="work"/>, which starts at once and waits for <see cref="Leadership.Begun"/> itself, so that
    /// a standby has everything in memory.
    /// </summary>
    /// <exception cref="LeadershipLostException">
    /// The process has lost leadership: it must end, and may start again.
    /// </exception>
    Task RunAsync(Func<Leadership, CancellationToken, Task> work, CancellationToken cancellationToken);
}

/// <summary>The election of a single replica, which always leads.</summary>
public sealed class NoElection : IElection
{
    public bool MayWrite => true;

    public TimeSpan WriteTime => TimeSpan.MaxValue;

    public Task RunAsync(Func<Leadership, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        work(Leadership.Unquestioned, cancellationToken);
}

/// <summary>Another process leads, or may soon.</summary>
public sealed class LeadershipLostException(string reason) : Exception(reason);
