namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Has all generations collected every few minutes, unless the runtime has done it. A settled operator allocates so
/// little that the runtime would not for hours: the heap would keep what the first pass left, and grow by what each
/// read replaces. Figures: docs/benchmarks.md.
/// </summary>
/// <param name="collections">Number of collections of all generations so far.</param>
internal sealed class PeriodicFullCollection(TimeProvider time, Func<int> collections, Action collect)
    : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    public static PeriodicFullCollection OfRuntime(TimeProvider time) =>
        new(
            time,
            () => GC.CollectionCount(GC.MaxGeneration),
            () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true)
        );

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var seen = collections();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (collections() == seen)
                collect();
            seen = collections();
        }
    }
}
