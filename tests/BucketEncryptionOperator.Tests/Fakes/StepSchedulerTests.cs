namespace BucketEncryptionOperator.Tests.Fakes;

public sealed class StepSchedulerTests
{
    private static readonly string[] Three = ["a", "b", "c"];
    private static readonly string[] Four = ["a", "b", "c", "d"];

    private readonly StepScheduler _steps = new();
    private readonly List<string> _log = [];
    private readonly HashSet<int> _threads = [];

    [Fact]
    public void Who_stands_at_a_gate_goes_on_when_that_gate_opens_and_nobody_else_does() =>
        OnAThread(() =>
        {
            var tasks = Three.Select(who => _steps.Start(() => WalkAsync(who, gates: 2))).ToList();
            Assert.Empty(_log); // nothing runs before it is asked for

            _steps.Drain();
            Assert.Equal(["a0", "b0", "c0"], _log);
            Assert.Equal(["a at 0", "b at 0", "c at 0"], _steps.Gates.Select(g => $"{g.Who} at {g.Where}"));

            _steps.Open(_steps.Gates[1]);
            Assert.Equal(["a at 0", "c at 0"], _steps.Gates.Select(g => $"{g.Who} at {g.Where}"));
            _steps.Drain();
            Assert.Equal(["a0", "b0", "c0", "b1"], _log);
            Assert.Equal(["a at 0", "c at 0", "b at 1"], _steps.Gates.Select(g => $"{g.Who} at {g.Where}"));

            _steps.Open(_steps.Gates[2]);
            _steps.Drain();
            Assert.Equal([false, true, false], tasks.Select(t => t.IsCompleted));
            Assert.Equal(2, _steps.Running);
        });

    [Fact]
    public void The_order_of_all_steps_is_that_in_which_a_seed_opens_gates()
    {
        var first = Played(seed: 1);

        Assert.Equal(first, Played(seed: 1));
        Assert.NotEqual(first, Played(seed: 2));
        Assert.Equal(4 * 6, first.Count);
        Assert.Equal(first.Count, first.Distinct().Count());
    }

    [Fact]
    public void Who_is_failed_at_a_gate_ends_and_the_others_stay() =>
        OnAThread(() =>
        {
            var cancelled = _steps.Start(() => WalkAsync("a", 1));
            var broken = _steps.Start(() => WalkAsync("b", 1));
            var other = _steps.Start(() => WalkAsync("c", 1));
            _steps.Drain();

            _steps.Open(_steps.Gates[0], new OperationCanceledException());
            _steps.Open(_steps.Gates[0], new InvalidOperationException("broken"));
            _steps.Drain();

            Assert.True(cancelled.IsCanceled);
            Assert.Equal("broken", Assert.IsType<InvalidOperationException>(broken.Exception?.InnerException).Message);
            Assert.False(other.IsCompleted);
            Assert.Equal("c", Assert.Single(_steps.Gates).Who);
            Assert.Equal(["a0", "b0", "c0"], _log);
        });

    [Fact]
    public void Every_step_runs_on_the_thread_that_asks_for_it_also_after_a_wait_for_another_task() =>
        OnAThread(() =>
        {
            using var turn = new SemaphoreSlim(1, 1);
            var tasks = Three
                .Select(who =>
                    _steps.Start(async () =>
                    {
                        await turn.WaitAsync();
                        await WalkAsync(who, gates: 1);
                        turn.Release();
                        await Task.Yield();
                        return Step(who, 9);
                    })
                )
                .ToList();

            for (var i = 0; i < tasks.Count; i++)
            {
                _steps.Drain();
                _steps.Open(Assert.Single(_steps.Gates)); // the others wait for the turn
            }
            _steps.Drain();

            Assert.All(tasks, t => Assert.True(t.IsCompletedSuccessfully));
            Assert.Equal([Environment.CurrentManagedThreadId], _threads);
            Assert.Equal(["a0", "a1", "b0", "b1", "c0", "c1"], _log.Where(l => l[1] != '9'));
        });

    private static List<string> Played(int seed)
    {
        var tests = new StepSchedulerTests();
        OnAThread(() =>
        {
            var random = new Random(seed);
            foreach (var who in Four)
                _ = tests._steps.Start(() => tests.WalkAsync(who, gates: 5));
            tests._steps.Drain();
            while (tests._steps.Gates.Count > 0)
            {
                tests._steps.Open(tests._steps.Gates[random.Next(tests._steps.Gates.Count)]);
                tests._steps.Drain();
            }
        });
        return tests._log;
    }

    private async Task<int> WalkAsync(string who, int gates)
    {
        for (var i = 0; i < gates; i++)
        {
            Step(who, i);
            await _steps.StopAsync(who, $"{i}");
        }
        return Step(who, gates);
    }

    private int Step(string who, int number)
    {
        _log.Add($"{who}{number}");
        _threads.Add(Environment.CurrentManagedThreadId);
        return number;
    }

    /// <summary>
    /// Runs the test on a thread of its own, without a synchronization context: that of the tests would take the steps
    /// elsewhere.
    /// </summary>
    private static void OnAThread(Action test) =>
        Task
            .Factory.StartNew(test, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .GetAwaiter()
            .GetResult();
}
