namespace KubeRuntime.WorkQueues;

/// <summary>Whose work a key is, and what it may have to wait for.</summary>
/// <param name="Tenant">For example a namespace. Null: nobody's in particular, and without a limit.</param>
/// <param name="Target">For example a host. Null: nothing that others wait for too, and without a limit.</param>
public readonly record struct WorkGroup(string? Tenant, string? Target)
{
    internal bool IsNone => Tenant is null && Target is null;
}

/// <summary>
/// How several tenants share the workers. Of the workers no tenant and no target holds more than half while a key of
/// others waits, and never more than all of them. Work that takes longer than <see cref="SlowAfter"/> (slow work) is
/// waiting for somebody outside, so while others wait it no longer counts as one of the workers, and another key is
/// taken in its place. It still counts for its tenant and its target. So a fault at one tenant or target occupies what
/// that one holds, and not the workers of the others.
/// </summary>
/// <param name="Workers">Keys that are worked on at a time, those that have become slow left out.</param>
/// <param name="GroupOf">Called without a lock, when a key is added; cheap, and thread-safe.</param>
public sealed record WorkShares<TKey>(int Workers, Func<TKey, WorkGroup> GroupOf)
    where TKey : struct
{
    /// <summary>How long one key may hold a worker that another key waits for.</summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Slow keys at a time, which bounds memory and connections. Beyond it the others wait until one of them is done.
    /// </summary>
    public int MostSlow { get; init; } = 8 * Workers;

    /// <summary>Of the workers, what one tenant or target holds while others wait.</summary>
    internal int Share => Math.Max(1, Workers / 2);
}
