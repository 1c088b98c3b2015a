namespace KubeRuntime.Instrumentation;

/// <summary>
/// The pulse of one loop. The loop says when it will be heard of again; if that passes in silence it hangs, for every
/// wait in it is bounded. A loop that waits for work, however long, rests.
/// </summary>
/// <param name="name">Of the loop, for whoever reads that it hangs.</param>
public sealed class Watchdog(string name, TimeProvider time)
{
    private const long Resting = long.MaxValue;

    /// <summary>Elapsed ticks since <see cref="_start"/>.</summary>
    private long _due = Resting;
    private readonly long _start = time.GetTimestamp();

    public string Name => name;

    public bool IsOverdue => time.GetElapsedTime(_start).Ticks > Volatile.Read(ref _due);

    /// <summary>Alive, and again within the time given.</summary>
    public void Arm(TimeSpan within) => Volatile.Write(ref _due, (time.GetElapsedTime(_start) + within).Ticks);

    /// <summary>Waits for something that may never come, or has ended.</summary>
    public void Disarm() => Volatile.Write(ref _due, Resting);
}
