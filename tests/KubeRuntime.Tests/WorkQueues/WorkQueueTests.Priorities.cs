namespace KubeRuntime.Tests.WorkQueues;

/// <summary>What is taken first.</summary>
public sealed partial class WorkQueueTests
{
    [Fact]
    public async Task What_changes_goes_before_what_only_falls_due()
    {
        _queue.AddAfter(1, Second);
        _clock.Advance(Second);
        _queue.Add(2);
        _queue.Add(3);

        Assert.Equal([2, 3, 1], await TakeAllAsync());
    }

    [Fact]
    public async Task What_falls_due_gets_its_turn_however_much_changes()
    {
        _queue.AddAfter(100, TimeSpan.Zero);
        _queue.AddAfter(101, TimeSpan.Zero);
        foreach (var key in Enumerable.Range(0, 20))
            _queue.Add(key);

        var order = await TakeAllAsync();

        Assert.Equal(
            [.. Enumerable.Range(0, 8), 100, .. Enumerable.Range(8, 8), 101, .. Enumerable.Range(16, 4)],
            order
        );
    }

    [Fact]
    public async Task What_was_taken_while_nothing_had_fallen_due_does_not_count_against_the_changes()
    {
        foreach (var key in Enumerable.Range(0, 20))
            _queue.Add(key);
        for (var i = 0; i < 10; i++)
            await TakeAsync();

        _queue.AddAfter(100, TimeSpan.Zero);

        Assert.Equal([.. Enumerable.Range(10, 8), 100, 18, 19], await TakeAllAsync());
    }

    [Fact]
    public async Task A_change_raises_a_key_that_waits_without_urgency_and_it_is_taken_once()
    {
        _queue.AddAfter(1, TimeSpan.Zero);
        _queue.AddAfter(2, TimeSpan.Zero);
        _queue.Add(3);

        _queue.Add(2);

        Assert.Equal(3, _queue.Depth);
        Assert.Equal([3, 2, 1], await TakeAllAsync());
    }

    [Fact]
    public async Task A_change_during_the_work_is_urgent_even_after_a_key_had_fallen_due()
    {
        _queue.Add(1);
        await TakeAsync();
        _queue.AddAfter(1, TimeSpan.Zero);
        _queue.Add(1);
        _queue.AddAfter(2, TimeSpan.Zero);

        _queue.Done(1);

        Assert.Equal([1, 2], await TakeAllAsync());
    }

    [Fact]
    public async Task A_retry_goes_before_a_resync_and_a_forgotten_failure_is_none()
    {
        _queue.AddRateLimited(1, TimeSpan.Zero);
        _queue.Forget(1);
        _queue.AddAfter(2, Second);
        _queue.AddRateLimited(3, 2 * Second);

        _clock.Advance(5 * Second);

        Assert.Equal(3, await TakeAsync());
    }
}
