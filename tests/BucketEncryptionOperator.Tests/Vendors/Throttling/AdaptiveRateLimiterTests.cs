using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Vendors.Throttling;

public sealed partial class AdaptiveRateLimiterTests(ITestOutputHelper output) : IDisposable
{
    private static readonly RateLimit Limit = new(RequestsPerSecond: 20, Burst: 40, MaxConcurrency: 8);
    private static readonly Failure SlowDown = new(FailureKind.Throttled, "Get", "SlowDown");

    private readonly ManualTimeProvider _time = new();
    private AdaptiveRateLimiter? _pace;

    private AdaptiveRateLimiter Pace => _pace ??= new AdaptiveRateLimiter(Limit, _time);

    private RateLimiterState State => Pace.State("key", "endpoint");

    public void Dispose() => _pace?.Dispose();

    [Fact]
    public async Task A_burst_goes_at_once_and_then_as_many_a_second_as_the_limit_says()
    {
        await SendAsync(40);
        var next = Enumerable.Range(0, 20).Select(_ => SendAsync(1)).ToList();

        var before = State;
        await PassAsync(TimeSpan.FromSeconds(1), () => next.TrueForAll(n => n.IsCompleted));

        Assert.Equal((40, 20), (before.Requests, before.Waiting));
        Assert.Equal((60, 0, 0), (State.Requests, State.Waiting, State.InFlight));
    }

    [Fact]
    public async Task No_more_than_the_limit_are_under_way_and_an_answer_makes_room()
    {
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => EnterAsync())).Within();
        var ninth = EnterAsync();
        var before = (State.InFlight, State.Waiting);

        turns[0].Dispose();
        using var last = await ninth.Within();

        Assert.Equal(((8, 1), 8), (before, State.InFlight));
    }

    [Fact]
    public async Task First_come_is_first_served()
    {
        await SendAsync(40);
        var order = new List<int>();
        var waiting = new List<Task>();
        for (var i = 0; i < 5; i++)
            waiting.Add(NoteAsync(i));

        while (order.Count < waiting.Count)
        {
            var done = order.Count;
            _time.Advance(TimeSpan.FromMilliseconds(51));
            await Waiting.UntilAsync(() => order.Count > done);
        }

        Assert.Equal([0, 1, 2, 3, 4], order);

        async Task NoteAsync(int i)
        {
            using var turn = await EnterAsync();
            turn.Send();
            order.Add(i);
        }
    }

    [Fact]
    public async Task Slower_counts_once_for_all_that_were_sent_before_it()
    {
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => EnterAsync())).Within();
        _time.Advance(TimeSpan.FromMilliseconds(30));

        foreach (var turn in turns)
        {
            turn.Send().Answered(SlowDown);
            turn.Dispose();
        }

        Assert.Equal((16.0, 8), (State.RequestsPerSecond, State.Throttled));
    }

    [Fact]
    public async Task Nothing_goes_out_while_the_vendor_asked_for_a_pause()
    {
        using (var turn = await EnterAsync())
            turn.Send().Answered(SlowDown with { RetryAfter = TimeSpan.FromSeconds(7) });
        var next = EnterAsync();

        _time.Advance(TimeSpan.FromSeconds(7) - TimeSpan.FromMilliseconds(1));
        var early = next.IsCompleted;
        _time.Advance(TimeSpan.FromMilliseconds(100));
        using var given = await next.Within();

        Assert.False(early);
    }

    [Fact]
    public async Task Who_would_wait_too_long_is_told_when_to_come_back()
    {
        using (var turn = await EnterAsync())
            turn.Send().Answered(SlowDown with { RetryAfter = TimeSpan.FromMinutes(1) });

        var refused = await Assert.ThrowsAsync<VendorException>(EnterAsync);

        Assert.Equal((FailureKind.Throttled, "RateLimited"), (refused.Failure.Kind, refused.Failure.Code));
        Assert.InRange(refused.Failure.RetryAfter!.Value, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1.1));
        Assert.Equal(0, State.Waiting);
    }

    /// <summary>
    /// An endpoint that swallows packets keeps its slots occupied for a timeout each: the next must not wait for
    /// several of them.
    /// </summary>
    [Fact]
    public async Task Who_would_wait_too_long_for_a_slot_is_told_at_once_by_how_long_the_others_have_taken()
    {
        using var cancelled = new CancellationTokenSource();
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => EnterAsync())).Within();
        var waiting = Enumerable
            .Range(0, 8)
            .Select(_ => Pace.EnterAsync(Limit, "Get", requests: 1, cancelled.Token))
            .ToList();
        _time.Advance(TimeSpan.FromSeconds(9));

        var refused = await Assert.ThrowsAsync<VendorException>(EnterAsync).Within();

        Assert.Equal(("RateLimited", true), (refused.Failure.Code, refused.Failure.NotSent));
        Assert.InRange(refused.Failure.RetryAfter!.Value.TotalSeconds, 10, 12);
        await cancelled.CancelAsync();
        Array.ForEach(turns, t => t.Dispose());
        foreach (var wait in waiting)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        Assert.Equal((0, 0), (State.InFlight, State.Waiting));
    }

    [Fact]
    public async Task Nobody_waits_for_a_slot_longer_than_for_a_permit()
    {
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => EnterAsync())).Within();
        var ninth = EnterAsync();

        _time.Advance(AdaptiveRateLimiter.LongestWait);

        var refused = await Assert.ThrowsAsync<VendorException>(() => ninth).Within();
        Assert.Equal(("RateLimited", 0), (refused.Failure.Code, State.Waiting));
        Array.ForEach(turns, t => t.Dispose());
        using var next = await EnterAsync().Within();
    }

    [Fact]
    public async Task A_pause_that_the_vendor_asks_for_while_somebody_waits_is_not_waited_for()
    {
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => EnterAsync())).Within();
        var ninth = EnterAsync();
        foreach (var turn in turns)
        {
            turn.Send().Answered(SlowDown with { RetryAfter = TimeSpan.FromHours(1) });
            turn.Dispose();
        }

        _time.Advance(AdaptiveRateLimiter.LongestWait);

        var refused = await Assert.ThrowsAsync<VendorException>(() => ninth).Within();
        Assert.InRange(refused.Failure.RetryAfter!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
    }

    [Fact]
    public async Task Short_turns_are_waited_for_however_many()
    {
        var fast = new RateLimit(RequestsPerSecond: 1000, Burst: 1000, MaxConcurrency: 8);
        using var pace = new AdaptiveRateLimiter(fast, _time);
        Task<AdaptiveRateLimiter.Permit> Enter() => pace.EnterAsync(fast, "Get", requests: 1, CancellationToken.None);
        (await Enter().Within()).Dispose();
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Enter())).Within();
        var waiting = Enumerable.Range(0, 500).Select(_ => Enter()).ToList();

        var before = pace.State("key", "endpoint").Waiting;
        Array.ForEach(turns, t => t.Dispose());

        Assert.Equal(500, before);
        foreach (var wait in waiting)
            (await wait.Within()).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_leaves_no_turn_behind()
    {
        using var cancelled = new CancellationTokenSource();
        var turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => EnterAsync())).Within();
        var waits = Pace.EnterAsync(Limit, "Get", requests: 1, cancelled.Token);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        foreach (var turn in turns)
            turn.Dispose();

        Assert.Equal((0, 0), (State.InFlight, State.Waiting));
    }

    [Fact]
    public async Task A_read_and_its_write_go_out_together_at_one_request_per_second_and_the_next_waits_for_both()
    {
        var limit = new RateLimit(RequestsPerSecond: 1, Burst: 1, MaxConcurrency: 1);
        using (var pair = await Pace.EnterAsync(limit, "Get", requests: 2, CancellationToken.None).Within())
        {
            pair.Send();
            pair.Send();
        }

        var next = Pace.EnterAsync(limit, "Get", requests: 1, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        var early = next.IsCompleted;
        _time.Advance(TimeSpan.FromSeconds(0.2));
        using var turn = await next.Within();

        Assert.False(early);
        Assert.Equal(2, State.Requests);
    }

    [Theory]
    [InlineData("none of the two", 0, 0)]
    [InlineData("one of the two", 1, 1)]
    [InlineData("both", 2, 2)]
    [InlineData("one more than there were permits for", 3, 3)]
    public async Task What_was_sent_is_paid_for_and_what_was_not_is_returned(string sentence, int sent, int seconds)
    {
        var limit = new RateLimit(RequestsPerSecond: 1, Burst: 1, MaxConcurrency: 8);
        using (var pair = await Pace.EnterAsync(limit, "Get", requests: 2, CancellationToken.None).Within())
        {
            for (var i = 0; i < sent; i++)
                pair.Send();
        }

        var next = Pace.EnterAsync(limit, "Get", requests: 1, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(Math.Max(0, seconds - 0.1)));
        var early = seconds > 0 && next.IsCompleted;
        _time.Advance(TimeSpan.FromSeconds(0.2));
        using var turn = await next.Within();

        Assert.False(early, sentence);
    }

    [Fact]
    public async Task A_read_and_its_write_occupy_one_slot_until_both_are_done()
    {
        var pair = await Pace.EnterAsync(Limit, "Get", requests: 2, CancellationToken.None).Within();
        pair.Send();
        pair.Send();
        var during = State.InFlight;
        pair.Dispose();
        pair.Dispose();

        Assert.Equal((1, 0), (during, State.InFlight));
    }

    [Fact]
    public async Task A_changed_limit_is_taken_and_a_higher_one_is_grown_into()
    {
        using (await Pace.EnterAsync(Limit with { RequestsPerSecond = 5 }, "Get", requests: 1, CancellationToken.None))
            Assert.Equal(5, State.RequestsPerSecond);

        using var turn = await Pace.EnterAsync(Limit, "Get", requests: 1, CancellationToken.None);
        var before = State.RequestsPerSecond;
        turn.Send().Answered(failure: null);

        Assert.Equal(5, before);
        Assert.InRange(State.RequestsPerSecond, 5.01, 5.5);
    }

    private Task<AdaptiveRateLimiter.Permit> EnterAsync() =>
        Pace.EnterAsync(Limit, "Get", requests: 1, CancellationToken.None);

    private async Task SendAsync(int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            using var turn = await EnterAsync();
            turn.Send();
        }
    }

    private async Task PassAsync(TimeSpan time, Func<bool> until)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(50))
        {
            var done = State.Requests;
            _time.Advance(TimeSpan.FromMilliseconds(51)); // a token, and what rounding may take of it
            await Waiting.UntilAsync(() => State.Requests > done && State.InFlight == 0);
        }
        await Waiting.UntilAsync(until);
    }
}
