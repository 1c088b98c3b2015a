using BucketEncryptionOperator.Reconciling;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class BucketLocksTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task On_many_threads_a_bucket_has_one_writer_at_a_time_and_every_one_has_his_turn()
    {
        const int writers = 400;
        var turns = new BucketLocks(_time);
        BucketId[] buckets = [new("there", "a"), new("there", "b"), new("elsewhere", "a")];
        var (inside, most, ended) = (new int[buckets.Length], new int[buckets.Length], new int[buckets.Length]);

        var sixteen = new ParallelOptions { MaxDegreeOfParallelism = 16 };
        await Parallel.ForAsync(
            0,
            writers * buckets.Length,
            sixteen,
            async (i, token) =>
            {
                var at = i % buckets.Length;
                using var turn = await turns.EnterAsync(buckets[at], token);
                var now = Interlocked.Increment(ref inside[at]);
                await Task.Yield(); // time for another to come in
                most[at] = Math.Max(most[at], now);
                ended[at]++; // loses counts where two do it at a time
                Interlocked.Decrement(ref inside[at]);
            }
        );

        Assert.Equal([1, 1, 1], most);
        Assert.All(ended, e => Assert.Equal(writers, e));
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_no_turn_away()
    {
        var turns = new BucketLocks(_time);
        var bucket = new BucketId("there", "a");
        using var stop = new CancellationTokenSource();
        var first = await turns.EnterAsync(bucket, CancellationToken.None);
        var gaveUp = turns.EnterAsync(bucket, stop.Token);
        var next = turns.EnterAsync(bucket, CancellationToken.None);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gaveUp);
        Assert.False(next.IsCompleted);
        first.Dispose();

        (await next).Dispose();
    }
}
