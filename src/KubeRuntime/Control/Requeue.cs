namespace KubeRuntime.Control;

/// <summary>When a key should come back, as its reconcile decided.</summary>
public abstract record Requeue
{
    private Requeue() { }

    /// <summary>Only on a change of what is watched.</summary>
    public static Requeue OnChange { get; } = new OnChangeOnly();

    /// <summary>At this time, or on a change; the back-off starts anew.</summary>
    public sealed record After(TimeSpan Delay) : Requeue;

    /// <summary>After the key's back-off, which grows with each in a row, and never before <paramref name="AtLeast"/>.</summary>
    public sealed record Retry(TimeSpan AtLeast) : Requeue;

    /// <summary>
    /// Soon, behind all keys that wait now: the work is not done, and it has given its worker to others. Neither a
    /// success nor a failure: the
    /// back-off and the count of attempts stay as they are.
    /// </summary>
    public static Requeue Behind { get; } = new BehindOthers();

    internal sealed record OnChangeOnly : Requeue;

    internal sealed record BehindOthers : Requeue;
}
