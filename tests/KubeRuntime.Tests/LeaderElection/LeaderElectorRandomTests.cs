using System.Globalization;
using KubeRuntime.Client;
using KubeRuntime.LeaderElection;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.LeaderElection;

public sealed class LeaderElectorRandomTests(ITestOutputHelper output)
{
    private static readonly int Seeds = RandomSeed.Cases(250);
    private static readonly TimeSpan Trouble = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Clocks run up to 5 % fast or slow: 15 s of the fastest, less 10 s of the slowest, less two ticks.
    /// </summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds((15 / 1.05) - (10 / 0.95) - 0.1);

    /// <summary>
    /// Processes are paused, killed, stopped and cut off, calls are lost on either way, late, refused; watches stall,
    /// and catch up in the middle of a decision; wall clocks jump. At no time may two write, and some time after the
    /// last fault one of them does.
    /// </summary>
    [Fact]
    public void Whatever_happens_never_two_may_write_and_in_the_end_one_does()
    {
        var only = int.TryParse(
            Environment.GetEnvironmentVariable("SEED"),
            NumberStyles.Integer,
            CultureInfo.InvariantCulture,
            out var given
        )
            ? given
            : (int?)null;
        var (writes, terms, losses, late) = (0, 0, 0, 0);
        foreach (var seed in only is { } one ? [one] : Enumerable.Range(1, Seeds))
        {
            var run = new Schedule(seed);
            var problem = run.Play();
            Assert.True(problem is null, $"SEED={seed}: {problem}");
            (writes, terms, losses, late) = (
                writes + run.Writes,
                terms + run.Terms,
                losses + run.Losses,
                late + run.LateInFlight
            );
        }
        output.WriteLine(
            $"{writes} writes in {terms} terms, {losses} of them lost; started after expiry: 0; still in flight when "
                + $"the next leader wrote: {late}"
        );
        Assert.True(
            only is not null || (terms > 5 * Seeds && losses > Seeds && late > 0),
            "the schedule is too tame to show anything"
        );
    }

    private sealed class Schedule(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly Random _interruptions = new(-seed);
        private readonly Simulation _simulation = new();
        private readonly Dictionary<SimulatedProcess, TimeSpan> _lastYes = [];
        private readonly HashSet<(SimulatedProcess Process, TimeSpan Until)> _late = [];
        private TimeSpan _serverDownUntil;
        private string? _problem;
        private int _started;

        public int Writes { get; private set; }

        public int Terms { get; private set; }

        public int Losses { get; private set; }

        /// <summary>
        /// Writes that were started in time, hung for longer than the margin, and so met the next leader's. No guard
        /// can call them back.
        /// </summary>
        public int LateInFlight { get; private set; }

        public string? Play()
        {
            _simulation.EachTick = Check;
            for (var i = 0; i < 3; i++)
                Start();
            while (_simulation.Now < Trouble && _problem is null)
            {
                Disturb();
                _simulation.RunUntil(() => _problem is not null, Between(0.1, 6));
            }
            foreach (var process in _simulation.Processes)
                (process.Paused, process.CutOffUntil, process.WatchStalledUntil, process.Fate) = (
                    false,
                    TimeSpan.Zero,
                    TimeSpan.Zero,
                    () => null
                );
            _simulation.RunUntil(() => _problem is not null, Calm);
            var before = Writes;
            _simulation.RunUntil(() => _problem is not null, Between(10, 10));
            return _problem
                ?? (
                    Writes > before && _simulation.Processes.Count(p => p.MayWrite) == 1
                        ? null
                        : "nobody leads though all is well"
                );
        }

        private void Start()
        {
            var process = _simulation.Start(
                $"p{++_started}",
                _random.Next(),
                0.95 + 0.1 * _random.NextDouble(),
                TimeSpan.FromHours(_random.Next(-48, 48))
            );
            process.OnWrite = OnWrite;
            process.MayHang = () => _simulation.Now < Trouble;
            process.WatchInterrupts = () => _simulation.Now < Trouble && _interruptions.Next(4) == 0;
            process.Fate = () => _simulation.Now < Trouble ? RandomFate() : null;
        }

        private Fate? RandomFate()
        {
            if (_simulation.Now < _serverDownUntil)
                return new Fate(Simulation.Tick, Simulation.Tick, Failure: KubeFailureKind.Transient);
            var (there, back) = (Between(0, 0.2), Between(0, 0.2));
            return _random.Next(20) switch
            {
                0 => new Fate(there, back, RequestLost: true),
                1 => new Fate(there, back, AnswerLost: true),
                2 => new Fate(Between(0, 20), back),
                3 => new Fate(there, Between(0, 12)),
                4 => new Fate(there, back, Failure: (KubeFailureKind)_random.Next(6)),
                _ => new Fate(there, back),
            };
        }

        private void Disturb()
        {
            if (_simulation.Processes.Count == 0)
                return;
            var process = _simulation.Processes[_random.Next(_simulation.Processes.Count)];
            switch (_random.Next(9))
            {
                case 0 or 1:
                    process.Paused = true;
                    _simulation.After(Between(0.5, 30), () => process.Paused = false);
                    break;
                case 2:
                    process.CutOffUntil = _simulation.Now + Between(1, 30);
                    break;
                case 3:
                    process.WatchStalledUntil = _simulation.Now + Between(1, 60);
                    break;
                case 4:
                    _serverDownUntil = _simulation.Now + Between(1, 20);
                    break;
                case 5:
                    process.Clock.ShiftWallClock(TimeSpan.FromSeconds(_random.Next(-100_000, 100_000)));
                    break;
                case 6:
                    process.Stop();
                    break;
                case 7:
                    process.Killed = true;
                    break;
                default:
                    if (_simulation.Store.Stored is not null)
                        _simulation.Store.Touch();
                    break;
            }
        }

        private void Check()
        {
            foreach (var process in _simulation.Processes.ToList())
            {
                if (process.MayWrite)
                {
                    if (!_lastYes.ContainsKey(process))
                        Terms++;
                    _lastYes[process] = _simulation.Now;
                    foreach (
                        var (other, yes) in _lastYes.Where(y =>
                            y.Key != process
                            && _simulation.Now < y.Value + (y.Key.WasStopped ? Simulation.Tick : Margin)
                        )
                    )
                        _problem ??=
                            $"at {_simulation.Now} {process.Identity} may write, and {other.Identity} might at {yes}";
                }
                if (process.Killed || (process.Running is { IsCompleted: true } && Ended(process)))
                {
                    _simulation.Remove(process);
                    _simulation.After(Between(0.5, 5), Start);
                }
            }
        }

        private bool Ended(SimulatedProcess process)
        {
            if (process.Running?.Exception?.InnerException is LeadershipLostException)
                Losses++;
            else if (!process.WasStopped)
                _problem ??= $"{process.Identity} ended: {process.Running?.Exception?.InnerException}";
            return true;
        }

        private void OnWrite(SimulatedProcess process)
        {
            Writes++;
            if (_simulation.Store.Stored?.Spec.HolderIdentity != process.Identity)
                _problem ??=
                    $"at {_simulation.Now} {process.Identity} writes under the lease of "
                    + $"{_simulation.Store.Stored?.Spec.HolderIdentity}";
            foreach (var other in _lastYes.Keys.Where(o => o != process && o.BusyUntil > _simulation.Now))
            {
                if (!other.Hangs)
                    _problem ??=
                        $"at {_simulation.Now} {process.Identity} writes while a write of {other.Identity} is under "
                        + "way";
                else if (_late.Add((other, other.BusyUntil)))
                    LateInFlight++;
            }
        }

        private TimeSpan Between(double least, double most) =>
            TimeSpan.FromSeconds(least + (most - least) * _random.NextDouble());
    }
}
