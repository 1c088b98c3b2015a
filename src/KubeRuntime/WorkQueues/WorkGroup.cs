namespace KubeRuntime.WorkQueues;

/// <summary>The tenant that a key belongs to, and the target that its work may wait for.</summary>
/// <param name="Tenant">For example a namespace. Null: no tenant, and no limit.</param>
/// <param name="Target">For example a host. Null: no target, and no limit.</param>
public readonly record struct WorkGroup(string? Tenant, string? Target)
{
    internal bool IsNone => Tenant is null && Target is null;
}

/// <summary>
/// How several tenants share the workers. While a key of others waits, no tenant and no target has more than half of
/// the workers; at any time no more than all of them. Work that takes longer than <see cref="SlowAfter"/> waits for
/// something outside. So while others wait it does not count as one of the workers, and another key is taken in its
/// place; it still counts for its tenant and its target. So the trouble of one tenant or target blocks its own share,
/// and not the workers of the others.
/// </summary>
/// <param name="Workers">Maximum number of keys in work at a time, without those that have become slow.</param>
/// <param name="GroupOf">Called without a lock when a key is added. It must be fast and thread-safe.</param>
public sealed record WorkShares<TKey>(int Workers, Func<TKey, WorkGroup> GroupOf)
    where TKey : struct
{
    /// <summary>Time for which one key may have a worker that another key waits for.</summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Maximum number of slow keys at a time, which bounds memory and connections. Beyond it the others wait until one
    /// of them is done.
    /// </summary>
    public int MostSlow { get; init; } = 8 * Workers;

    /// <summary>Maximum number of workers of one tenant or target while others wait.</summary>
    internal int Share => Math.Max(1, Workers / 2);
}
