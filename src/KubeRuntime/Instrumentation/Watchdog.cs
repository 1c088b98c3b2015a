namespace KubeRuntime.Instrumentation;

/// <summary>
/// Finds out whether one loop hangs. The loop says when it will report again. If that time passes, it hangs, because
/// every wait in it is bounded. A loop that waits for work disarms its watchdog.
/// </summary>
/// <param name="name">Name of the loop, for people.</param>
public sealed class Watchdog(string name, TimeProvider time)
{
    private const long Resting = long.MaxValue;

    /// <summary>Elapsed ticks since <see cref="_start"/>.</summary>
    private long _due = Resting;
    private readonly long _start = time.GetTimestamp();

    public string Name => name;

    public bool IsOverdue => time.GetElapsedTime(_start).Ticks > Volatile.Read(ref _due);

    /// <summary>The loop is alive, and reports again within the given time.</summary>
    public void Arm(TimeSpan within) => Volatile.Write(ref _due, (time.GetElapsedTime(_start) + within).Ticks);

    /// <summary>The loop waits for something that may never come, or has ended.</summary>
    public void Disarm() => Volatile.Write(ref _due, Resting);
}
