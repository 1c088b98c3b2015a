namespace KubeRuntime.LeaderElection;

/// <param name="Begun">Completes when the process leads.</param>
/// <param name="Lost">Cancelled when it has lost that again: what is under way must end at once.</param>
public sealed record Leadership(Task Begun, CancellationToken Lost)
{
    /// <summary>Of a process that nobody competes with.</summary>
    public static Leadership Unquestioned { get; } = new(Task.CompletedTask, CancellationToken.None);
}

/// <summary>Decides which one of several processes works.</summary>
public interface IElection
{
    /// <summary>Ask right before each write that a second process must not make at the same time.</summary>
    bool MayWrite { get; }

    /// <summary>
    /// How long a write that is sent now may take and still end before a second process may write. Zero when
    /// <see cref="MayWrite"/> is false.
    /// </summary>
    TimeSpan WriteTime { get; }

    /// <summary>
    /// Runs <paramref name="work"/>, which starts at once and waits for <see cref="Leadership.Begun"/> itself, so that
    /// a standby is warm.
    /// </summary>
    /// <exception cref="LeadershipLostException">
    /// The process led, and does no longer: it must end, and may start anew.
    /// </exception>
    Task RunAsync(Func<Leadership, CancellationToken, Task> work, CancellationToken cancellationToken);
}

/// <summary>For one replica: it leads always.</summary>
public sealed class NoElection : IElection
{
    public bool MayWrite => true;

    public TimeSpan WriteTime => TimeSpan.MaxValue;

    public Task RunAsync(Func<Leadership, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        work(Leadership.Unquestioned, cancellationToken);
}

/// <summary>Another process leads, or may soon.</summary>
public sealed class LeadershipLostException(string reason) : Exception(reason);
