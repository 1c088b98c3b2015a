namespace KubeRuntime.Control;

/// <summary>When a key should come back, as its reconcile decided.</summary>
public abstract record Requeue
{
    private Requeue()
    {
    }

    /// <summary>Only on a change of what is watched.</summary>
    public static Requeue OnChange { get; } = new OnChangeOnly();

    /// <summary>At this time, or on a change; the back-off starts anew.</summary>
    public sealed record After(TimeSpan Delay) : Requeue;

    /// <summary>After the key's back-off, which grows with each in a row, and never before <paramref name="AtLeast"/>.</summary>
    public sealed record Retry(TimeSpan AtLeast) : Requeue;

    internal sealed record OnChangeOnly : Requeue;
}
