using BucketEncryptionOperator.Hosting;
using TestKit;

namespace BucketEncryptionOperator.Tests.Hosting;

public sealed class PeriodicFullCollectionTests
{
    [Fact]
    public async Task It_collects_in_each_interval_in_which_the_runtime_did_not()
    {
        var clock = new ManualTimeProvider();
        var (counted, asked, looks) = (0, 0, 0);
        using var service = new PeriodicFullCollection(
            clock,
            () =>
            {
                Interlocked.Increment(ref looks);
                return counted;
            },
            () => (counted, asked) = (counted + 1, asked + 1)
        );
        await service.StartAsync(CancellationToken.None);
        await clock.TimersScheduledAsync(1).Within();
        await LookedAsync(1);

        Assert.Equal(1, await AfterAnIntervalAsync());
        Assert.Equal(2, await AfterAnIntervalAsync());
        counted++; // the runtime
        Assert.Equal(2, await AfterAnIntervalAsync());
        Assert.Equal(3, await AfterAnIntervalAsync());

        await service.StopAsync(CancellationToken.None);

        async Task<int> AfterAnIntervalAsync()
        {
            var before = Volatile.Read(ref looks);
            clock.Advance(PeriodicFullCollection.Interval);
            await LookedAsync(before + 2);
            return asked;
        }

        Task LookedAsync(int times) => Waiting.UntilAsync(() => Volatile.Read(ref looks) == times);
    }

    [Fact]
    public async Task The_runtime_is_asked_for_all_generations()
    {
        var clock = new ManualTimeProvider();
        using var service = PeriodicFullCollection.OfRuntime(clock);
        var before = GC.CollectionCount(2);
        await service.StartAsync(CancellationToken.None);
        await clock.TimersScheduledAsync(1).Within();

        clock.Advance(PeriodicFullCollection.Interval);

        await Waiting.UntilAsync(() => GC.CollectionCount(2) > before);
        await service.StopAsync(CancellationToken.None);
    }
}
