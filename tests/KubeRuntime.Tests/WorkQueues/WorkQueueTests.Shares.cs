using KubeRuntime.WorkQueues;
using TestKit;

namespace KubeRuntime.Tests.WorkQueues;

/// <summary>
/// Whose key is taken, where several tenants share the workers. A key's name is tenant/target/number.
/// </summary>
public sealed partial class WorkQueueTests
{
    [Theory]
    [InlineData("no tenant", "a/1/0 a/2/0 a/3/0 a/4/0 b/5/0", "a/1/0 a/2/0 b/5/0 a/3/0")]
    [InlineData("no target", "a/1/0 b/1/0 c/1/0 d/1/0 e/2/0", "a/1/0 e/2/0 b/1/0 c/1/0")]
    [InlineData("alone it has them all", "a/1/0 a/1/1 a/1/2 a/1/3 a/1/4", "a/1/0 a/1/1 a/1/2 a/1/3")]
    [InlineData("keys of nobody are not limited", "// //1 //2 //3 //4", "// //1 //2 //3")]
    public void While_others_wait_no_tenant_and_no_target_holds_more_than_half_of_the_workers(
        string rule,
        string added,
        string taken
    )
    {
        using var shared = new SharedQueue(_clock, workers: 4);
        shared.Add(added.Split(' '));

        Assert.True(string.Join(' ', shared.TakeAll()) == taken, rule);
    }

    [Fact]
    public void One_worker_goes_from_tenant_to_tenant()
    {
        using var shared = new SharedQueue(_clock, workers: 1);
        shared.Add("a/1/0", "a/1/1", "a/1/2", "b/1/0", "b/2/0", "c/2/0");

        var order = new List<string>();
        while (shared.TakeAll() is [{ } key])
        {
            order.Add(key);
            shared.Done(key);
        }

        Assert.Equal(["a/1/0", "b/2/0", "b/1/0", "c/2/0", "a/1/1", "a/1/2"], order);
    }

    [Fact]
    public void Of_one_target_the_tenants_take_turns_however_many_keys_one_of_them_has()
    {
        using var shared = new SharedQueue(_clock, workers: 1);
        shared.Add([.. Enumerable.Range(0, 1000).Select(i => $"a/1/{i}")]);
        shared.Add("b/1/0");

        var first = shared.TakeOneAndEndIt();
        var second = shared.TakeOneAndEndIt();

        Assert.Equal(("a/1/0", "b/1/0"), (first, second));
    }

    [Fact]
    public void A_key_that_holds_its_worker_for_two_seconds_makes_room_for_others_and_for_others_only()
    {
        using var shared = new SharedQueue(_clock, workers: 2);
        shared.Add("a/1/0", "a/1/1", "a/1/2");
        var before = shared.TakeAll();
        _clock.Advance(60 * Second);
        var later = shared.TakeAll();

        shared.Add("b/2/0");
        var others = shared.TakeAll();

        Assert.Equal(["a/1/0", "a/1/1"], before);
        Assert.Empty(later); // one tenant never has more than all workers
        Assert.Equal(["b/2/0"], others);
    }

    [Fact]
    public async Task A_worker_that_waits_gets_the_key_in_the_moment_when_there_is_room()
    {
        using var shared = new SharedQueue(_clock, workers: 2);
        shared.Add("a/1/0", "b/1/1", "c/2/0");
        Assert.Equal(2, shared.TakeAll().Count);
        var waiting = shared.Queue.TakeAsync(CancellationToken.None).AsTask();

        _clock.Advance(1.999 * Second);
        var early = waiting.IsCompleted;
        _clock.Advance(0.002 * Second);
        var taken = await waiting.Within();

        Assert.False(early);
        Assert.NotNull(taken);
    }

    /// <summary>
    /// Timers and timestamps are two clocks: the room must not be missed for good because one of them was a moment
    /// ahead.
    /// </summary>
    [Fact]
    public async Task A_timer_that_fires_a_moment_too_early_is_set_again()
    {
        using var shared = new SharedQueue(new EarlyTimers(_clock), workers: 1);
        shared.Add("a/1/0", "b/2/0");
        Assert.Single(shared.TakeAll());
        var waiting = shared.Queue.TakeAsync(CancellationToken.None).AsTask();

        _clock.Advance(2 * Second - EarlyTimers.Early);
        var early = waiting.IsCompleted;
        _clock.Advance(0.1 * Second);

        Assert.NotNull(await waiting.Within());
        Assert.False(early);
    }

    [Fact]
    public void So_many_keys_are_slow_at_a_time_and_no_more()
    {
        using var shared = new SharedQueue(_clock, workers: 1, mostSlow: 3);
        var taken = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            shared.Add($"{i}/{i}/0");
            taken.AddRange(shared.TakeAll());
            _clock.Advance(2 * Second);
        }
        taken.AddRange(shared.TakeAll());

        shared.Done(taken[0]);
        var afterOneEnded = shared.TakeAll();

        Assert.Equal(4, taken.Count);
        Assert.Single(afterOneEnded);
    }

    [Fact]
    public void A_target_that_nobody_works_on_goes_before_those_that_have_had_a_turn()
    {
        using var shared = new SharedQueue(_clock, workers: 4);
        shared.Add([.. Enumerable.Range(1, 4).SelectMany(t => Enumerable.Range(0, 5).Select(i => $"{t}/{t}/{i}"))]);
        Assert.Equal(4, shared.TakeAll().Count);
        shared.Add("new/new/0");

        _clock.Advance(2 * Second);

        Assert.Equal("new/new/0", shared.TakeAll()[0]);
    }

    [Fact]
    public void Urgent_keys_go_first_whosesoever_they_are()
    {
        using var shared = new SharedQueue(_clock, workers: 2);
        shared.AddDue([.. Enumerable.Range(0, 10).Select(i => $"{i}/{i}/0")]);
        shared.Add("z/z/0");

        Assert.Equal("z/z/0", shared.TakeAll()[0]);
    }

    [Fact]
    public void Work_should_end_early_when_it_has_had_its_time_and_others_wait_and_goes_behind_them()
    {
        using var shared = new SharedQueue(_clock, workers: 1, mostSlow: 0);
        shared.Add("a/1/0");
        shared.TakeAll();
        _clock.Advance(2 * Second);
        var alone = shared.ShouldYield("a/1/0");
        shared.Add("b/1/0");
        var othersWait = shared.ShouldYield("a/1/0");

        shared.Queue.AddBehind(shared.Number("a/1/0"));
        shared.AddDue("c/1/0");
        shared.Done("a/1/0");

        Assert.Equal((false, true), (alone, othersWait));
        Assert.Equal(
            "b/1/0 c/1/0 a/1/0",
            string.Join(' ', shared.TakeOneAndEndIt(), shared.TakeOneAndEndIt(), shared.TakeOneAndEndIt())
        );
        Assert.False(shared.ShouldYield("a/1/0"));
    }

    [Fact]
    public void Who_has_just_got_a_worker_need_not_give_it_back()
    {
        using var shared = new SharedQueue(_clock, workers: 1);
        shared.Add("a/1/0", "b/1/0");
        shared.TakeAll();

        _clock.Advance(1.9 * Second);

        Assert.False(shared.ShouldYield("a/1/0"));
    }

    /// <summary>Random adds, takes and ends, and after each what the shares promise.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void Random_schedules_keep_the_shares(int workers)
    {
        var random = RandomSeed.NewRandom(_output.WriteLine);
        using var shared = new SharedQueue(_clock, workers, mostSlow: 3);
        var (share, held) = (Math.Max(1, workers / 2), new List<string>());
        var (waiting, since) = (
            new HashSet<string>(StringComparer.Ordinal),
            new Dictionary<string, long>(StringComparer.Ordinal)
        );

        int Held(Func<string, string> of, string key) => held.Count(h => of(h) == of(key));
        bool Within(string key, int limit) => Held(TenantOf, key) < limit && Held(TargetOf, key) < limit;

        for (var step = 0; step < 20_000; step++)
        {
            var key = $"{(char)('a' + random.Next(4))}/{random.Next(4)}/{random.Next(3)}";
            switch (random.Next(6))
            {
                case 0 or 1 when !held.Contains(key):
                    shared.Add(key);
                    waiting.Add(key);
                    break;
                case 2 when !held.Contains(key) && !waiting.Contains(key):
                    shared.AddDue(key);
                    waiting.Add(key);
                    break;
                case 3 when held.Count > 0:
                    var ended = held[random.Next(held.Count)];
                    held.Remove(ended);
                    shared.Done(ended);
                    break;
                case 4:
                    _clock.Advance(random.Next(1, 1500) * TimeSpan.FromMilliseconds(1));
                    break;
                case 5 when shared.TakeOne() is { } taken:
                    Assert.True(waiting.Remove(taken), $"{taken} did not wait");
                    Assert.True(Within(taken, workers), $"{taken} is beyond all workers");
                    if (!Within(taken, share))
                        Assert.DoesNotContain(waiting, w => Within(w, share));
                    held.Add(taken);
                    since[taken] = _clock.GetTimestamp();
                    Assert.True(held.Count <= workers + 3);
                    Assert.True(
                        held.Count(h => _clock.GetElapsedTime(since[h]) < 2 * Second) <= workers,
                        "more than the workers are not slow yet"
                    );
                    break;
                case 5:
                    var young = held.Count(h => _clock.GetElapsedTime(since[h]) < 2 * Second);
                    Assert.True(
                        young >= workers || held.Count >= workers || !waiting.Any(w => Within(w, workers)),
                        "a worker is idle and a key waits"
                    );
                    break;
            }
            Assert.Equal(waiting.Count, shared.Queue.Depth);
        }
    }

    /// <summary>
    /// The order of magnitude, so that a take that looks at all keys is noticed; the figures are in docs/benchmarks.md.
    /// </summary>
    [Theory]
    [InlineData("one tenant, one target", 1, 1)]
    [InlineData("1000 tenants, one target", 1000, 1)]
    [InlineData("1000 tenants, each its own target", 1000, 1000)]
    [InlineData("one tenant, 1000 targets", 1, 1000)]
    public void A_take_costs_a_few_steps_however_many_keys_wait(string rule, int tenants, int targets)
    {
        const int Keys = 10_000,
            Rounds = 3;
        var fastest = TimeSpan.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            using var queue = new WorkQueue<int>(
                new Backoff(Second, Second, new Random(1)),
                TimeProvider.System,
                metrics: null,
                new WorkShares<int>(4, k => new WorkGroup($"{k % tenants}", $"{k % targets}"))
            );
            for (var key = 0; key < Keys; key++)
                queue.Add(key);
            var from = TimeProvider.System.GetTimestamp();
            var held = new Queue<int>();
            for (var taken = 0; taken < Keys; )
            {
                while (
                    queue.TakeAsync(CancellationToken.None).AsTask()
                        is { IsCompletedSuccessfully: true, Result: { } key }
                )
                {
                    held.Enqueue(key);
                    taken++;
                    if (held.Count == 4)
                        break;
                }
                queue.Done(held.Dequeue());
            }
            var took = TimeProvider.System.GetElapsedTime(from);
            fastest = took < fastest ? took : fastest;
        }

        _output.WriteLine($"{rule}: {fastest.TotalMicroseconds / Keys:0.00} µs for a take and its end");
        Assert.True(fastest < 3 * Second, $"{rule}: {fastest}");
    }

    private static string TenantOf(string key) => key.Split('/')[0];

    private static string TargetOf(string key) => key.Split('/')[1];

    /// <summary>Its timers fire before their time.</summary>
    private sealed class EarlyTimers(ManualTimeProvider clock) : TimeProvider
    {
        public static readonly TimeSpan Early = TimeSpan.FromMilliseconds(1);

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(clock.CreateTimer(callback, state, Before(dueTime), period));

        private static TimeSpan Before(TimeSpan dueTime) => dueTime > Early ? dueTime - Early : dueTime;

        private sealed class Timer(ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(Before(dueTime), period);

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }

    /// <summary>A queue of names, with takes that do not wait.</summary>
    private sealed class SharedQueue : IDisposable
    {
        private readonly List<string> _names = [];

        public SharedQueue(TimeProvider time, int workers, int? mostSlow = null)
        {
            var shares = new WorkShares<int>(workers, k => GroupOf(_names[k]));
            Queue = new WorkQueue<int>(
                new Backoff(Second, Second, new Random(1)),
                time,
                metrics: null,
                mostSlow is { } most ? shares with { MostSlow = most } : shares
            );
        }

        public WorkQueue<int> Queue { get; }

        public int Number(string name)
        {
            if (!_names.Contains(name))
                _names.Add(name);
            return _names.IndexOf(name);
        }

        public void Add(params string[] names) => Array.ForEach(names, n => Queue.Add(Number(n)));

        public void AddDue(params string[] names) =>
            Array.ForEach(names, n => Queue.AddAfter(Number(n), TimeSpan.Zero));

        public void Done(string name) => Queue.Done(Number(name));

        public bool ShouldYield(string name) => Queue.ShouldYield(Number(name));

        public string? TakeOne()
        {
            using var cancel = new CancellationTokenSource();
            var taking = Queue.TakeAsync(cancel.Token).AsTask();
            cancel.Cancel();
            return taking is { IsCompletedSuccessfully: true, Result: { } key } ? _names[key] : null;
        }

        /// <summary>All that workers would get at this moment.</summary>
        public List<string> TakeAll()
        {
            var taken = new List<string>();
            while (TakeOne() is { } name)
                taken.Add(name);
            return taken;
        }

        public string TakeOneAndEndIt()
        {
            var name = TakeOne() ?? throw new InvalidOperationException("nothing to take");
            Done(name);
            return name;
        }

        public void Dispose() => Queue.Dispose();

        private static WorkGroup GroupOf(string name) =>
            name.StartsWith("//", StringComparison.Ordinal) ? default : new WorkGroup(TenantOf(name), TargetOf(name));
    }
}
