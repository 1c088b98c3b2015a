using System.Collections.Concurrent;
using KubeRuntime.WorkQueues;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.WorkQueues;

public sealed partial class WorkQueueTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ITestOutputHelper _output;
    private readonly ManualTimeProvider _clock = new();
    private readonly WorkQueue<int> _queue;

    public WorkQueueTests(ITestOutputHelper output)
    {
        _output = output;
        _queue = NewQueue(_clock);
    }

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task A_key_added_twice_while_it_waits_is_taken_once()
    {
        _queue.Add(1);
        _queue.Add(2);
        _queue.Add(1);

        Assert.Equal(2, _queue.Depth);
        Assert.Equal(1, await TakeAsync());
        Assert.Equal(2, await TakeAsync());
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_key_added_while_a_worker_has_it_waits_until_that_worker_is_done()
    {
        _queue.Add(1);
        await TakeAsync();

        _queue.Add(1);
        _queue.Add(1);

        var second = _queue.TakeAsync(CancellationToken.None).AsTask();
        Assert.Equal(0, _queue.Depth);
        Assert.False(second.IsCompleted);
        _queue.Done(1);
        Assert.Equal(1, await second.Within());
        _queue.Done(1);
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_delayed_key_comes_when_due()
    {
        _queue.AddAfter(1, 5 * Second);
        var taken = _queue.TakeAsync(CancellationToken.None).AsTask();

        _clock.Advance(5 * Second - TimeSpan.FromTicks(1));
        Assert.False(taken.IsCompleted);
        _clock.Advance(TimeSpan.FromTicks(10_000));

        Assert.Equal(1, await taken.Within());
    }

    [Theory]
    [InlineData("zero", 0)]
    [InlineData("negative", -5)]
    public void A_delay_that_is_over_adds_at_once(string rule, int seconds)
    {
        _queue.AddAfter(1, seconds * Second);

        Assert.True(_queue.Depth == 1, rule);
    }

    [Fact]
    public async Task Taking_a_key_cancels_its_delayed_add()
    {
        _queue.AddAfter(1, 5 * Second);
        _queue.Add(1);
        await TakeAsync();
        _queue.Done(1);

        _clock.Advance(10 * Second);

        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_delayed_add_asked_for_by_the_worker_that_has_the_key_is_kept()
    {
        _queue.Add(1);
        await TakeAsync();
        _queue.AddAfter(1, 5 * Second);
        _queue.Done(1);

        _clock.Advance(5 * Second);

        Assert.Equal(1, await TakeAsync());
    }

    [Fact]
    public async Task Back_off_grows_to_its_cap_never_gives_up_and_starts_anew_when_forgotten()
    {
        var waits = new List<double>();
        for (var i = 0; i < 40; i++)
            waits.Add((await WaitOfNextRetryAsync(TimeSpan.Zero)).TotalSeconds);
        Assert.Equal(40, _queue.Failures(1));
        _queue.Forget(1);

        var first = await WaitOfNextRetryAsync(TimeSpan.Zero);

        for (var i = 0; i < waits.Count; i++)
            Assert.InRange(waits[i], Math.Min(Math.Pow(2, i), 60) / 2, Math.Min(Math.Pow(2, i), 60) + 0.05);
        Assert.InRange(first.TotalSeconds, 0.5, 1.05);
        Assert.Equal(1, _queue.Failures(1));
    }

    [Fact]
    public async Task A_retry_does_not_come_before_the_least_wait_that_was_asked_for()
    {
        var wait = await WaitOfNextRetryAsync(atLeast: 45 * Second);

        Assert.InRange(wait, 45 * Second, 45.05 * Second);
    }

    [Fact]
    public async Task Shut_down_releases_all_workers_and_drops_what_waits()
    {
        var workers = Enumerable.Range(0, 5).Select(_ => _queue.TakeAsync(CancellationToken.None).AsTask()).ToList();
        _queue.AddAfter(7, Second);

        _queue.ShutDown();
        _queue.ShutDown();
        _queue.Add(8);
        _clock.Advance(5 * Second);

        Assert.All(await Task.WhenAll(workers).Within(), taken => Assert.Null(taken));
        Assert.Null(await TakeAsync());
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task What_waits_at_shut_down_is_not_handed_out_and_a_worker_may_still_say_done()
    {
        _queue.Add(1);
        _queue.Add(2);
        _queue.AddAfter(3, TimeSpan.Zero);
        await TakeAsync();
        _queue.Add(1);

        _queue.ShutDown();
        _queue.Done(1);

        Assert.Null(await TakeAsync());
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_cancelled_take_costs_no_key()
    {
        using var cancel = new CancellationTokenSource();
        var given = _queue.TakeAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.Within());

        _queue.Add(1);

        Assert.Equal(1, await TakeAsync());
    }

    [Fact]
    public void A_key_that_falls_due_after_disposal_ends_nothing()
    {
        _queue.AddAfter(1, Second);
        _queue.Dispose();

        _queue.Add(2);
        _queue.AddAfter(3, Second);
        _clock.Advance(5 * Second);

        Assert.Equal(0, _queue.Depth);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    /// <summary>One thread, random calls, compared after each with a model that is too simple to be wrong.</summary>
    [Fact]
    public async Task Random_schedules_agree_with_the_model()
    {
        var random = RandomSeed.NewRandom(_output.WriteLine);
        var model = new Model();

        for (var step = 0; step < 20_000; step++)
        {
            var key = random.Next(8);
            switch (random.Next(9))
            {
                case 0 or 1:
                    _queue.Add(key);
                    model.Add(key);
                    break;
                case 2:
                    var delay = random.Next(1, 50) * Second;
                    while (model.IsTaken(_clock.GetElapsedTime(0) + delay))
                        delay += TimeSpan.FromMilliseconds(1); // two keys due in one instant have no promised order
                    _queue.AddAfter(key, delay);
                    model.AddAt(key, _clock.GetElapsedTime(0) + delay);
                    break;
                case 3 when model.Waiting.Count > 0:
                    var taken = await TakeAsync();
                    Assert.Equal(model.Take(), taken);
                    break;
                case 4 or 5 when model.Processing.Count > 0:
                    var done = model.Processing[random.Next(model.Processing.Count)];
                    _queue.Done(done);
                    model.Done(done);
                    break;
                case 6:
                    _clock.Advance(random.Next(1, 20) * Second);
                    model.FireUntil(_clock.GetElapsedTime(0));
                    break;
                case 7:
                    _queue.AddAfter(key, TimeSpan.Zero);
                    model.AddDue(key);
                    break;
                case 8 when random.Next(2) == 0:
                    _queue.AddRateLimited(key, TimeSpan.FromDays(1000)); // the count matters here, not the wait
                    model.Failing.Add(key);
                    break;
                case 8:
                    _queue.Forget(key);
                    model.Failing.Remove(key);
                    break;
            }
            Assert.Equal(model.Waiting.Count, _queue.Depth);
        }
    }

    /// <summary>
    /// Many threads, real clock: every add is followed by a take, and no two workers ever meet on a key.
    /// </summary>
    [Fact]
    public async Task Under_many_threads_no_add_is_lost_and_no_two_workers_meet()
    {
        const int Keys = 16,
            Adders = 4,
            AddsEach = 3200;
        using var queue = NewQueue(TimeProvider.System);
        var seeds = RandomSeed.NewRandom(_output.WriteLine);
        var added = new int[Keys];
        var seen = new int[Keys];
        var inWork = new int[Keys];
        var meetings = new ConcurrentQueue<int>();
        var allSeen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var workers = Enumerable
            .Range(0, 6)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (await queue.TakeAsync(CancellationToken.None) is { } key)
                    {
                        if (Interlocked.Increment(ref inWork[key]) != 1)
                            meetings.Enqueue(key);
                        Volatile.Write(ref seen[key], Volatile.Read(ref added[key]));
                        await Task.Yield();
                        Interlocked.Decrement(ref inWork[key]);
                        queue.Done(key);
                        if (Enumerable.Range(0, Keys).All(k => Volatile.Read(ref seen[k]) == Adders * AddsEach / Keys))
                            allSeen.TrySetResult();
                    }
                })
            )
            .ToList();
        var adders = Enumerable
            .Range(0, Adders)
            .Select(a => (First: a, Random: new Random(seeds.Next())))
            .Select(a =>
                Task.Run(() =>
                {
                    for (var i = 0; i < AddsEach; i++)
                    {
                        var key = (a.First + i) % Keys;
                        Interlocked.Increment(ref added[key]);
                        if (a.Random.Next(4) == 0)
                            queue.AddAfter(key, TimeSpan.FromMilliseconds(a.Random.Next(3)));
                        else
                            queue.Add(key);
                    }
                })
            )
            .ToList();
        await Task.WhenAll(adders).Within();

        await allSeen.Task.Within();
        queue.ShutDown();
        await Task.WhenAll(workers).Within();

        Assert.Empty(meetings);
        Assert.Equal(added, seen);
    }

    private static WorkQueue<int> NewQueue(TimeProvider time) =>
        new(new Backoff(Second, 60 * Second, new Random(1)), time);

    private async Task<List<int>> TakeAllAsync()
    {
        var taken = new List<int>();
        while (_queue.Depth > 0)
            taken.Add(await TakeAsync() ?? throw new InvalidOperationException("shut down"));
        return taken;
    }

    private async Task<int?> TakeAsync() => await _queue.TakeAsync(CancellationToken.None).AsTask().Within();

    /// <summary>Lets key 1 fail once and measures by the clock's own steps when it is back.</summary>
    private async Task<TimeSpan> WaitOfNextRetryAsync(TimeSpan atLeast)
    {
        if (_queue.Depth == 0)
            _queue.Add(1);
        await TakeAsync();
        _queue.AddRateLimited(1, atLeast);
        _queue.Done(1);
        var from = _clock.GetTimestamp();
        while (_queue.Depth == 0)
            _clock.Advance(TimeSpan.FromMilliseconds(50));
        return _clock.GetElapsedTime(from);
    }

    private sealed class Model
    {
        private readonly Dictionary<int, bool> _dirty = [];
        private readonly Dictionary<int, TimeSpan> _due = [];
        private int _urgentInARow;

        /// <summary>In order of arrival, or of being raised.</summary>
        public List<(int Key, bool Urgent)> Waiting { get; } = [];

        public HashSet<int> Failing { get; } = [];

        public List<int> Processing { get; } = [];

        public void Add(int key) => Add(key, urgent: true);

        public void AddDue(int key) => Add(key, Failing.Contains(key));

        private void Add(int key, bool urgent)
        {
            if (_dirty.TryGetValue(key, out var before) && (before || !urgent))
                return;
            _dirty[key] = urgent;
            Waiting.Remove((key, false));
            if (!Processing.Contains(key))
                Waiting.Add((key, urgent));
        }

        public void AddAt(int key, TimeSpan at) =>
            _due[key] = _due.TryGetValue(key, out var known) && known < at ? known : at;

        public bool IsTaken(TimeSpan at) => _due.ContainsValue(at);

        public void FireUntil(TimeSpan now)
        {
            foreach (var (key, _) in _due.Where(d => d.Value <= now).OrderBy(d => d.Value).ToList())
            {
                _due.Remove(key);
                AddDue(key);
            }
        }

        public int Take()
        {
            var anyDue = Waiting.Exists(w => !w.Urgent);
            var urgent = Waiting.Exists(w => w.Urgent) && !(anyDue && _urgentInARow == 8);
            _urgentInARow = urgent && anyDue ? _urgentInARow + 1 : 0;
            var (key, _) = Waiting.Find(w => w.Urgent == urgent);
            Waiting.Remove((key, urgent));
            _dirty.Remove(key);
            _due.Remove(key);
            Processing.Add(key);
            return key;
        }

        public void Done(int key)
        {
            Processing.Remove(key);
            if (_dirty.TryGetValue(key, out var urgent))
                Waiting.Add((key, urgent));
        }
    }
}
