using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>What has become of an endpoint.</summary>
internal enum EndpointTurn
{
    /// <summary>It is time to ask whether it answers again, and nobody does: one request is enough.</summary>
    ProbeDue,

    /// <summary>It answers again.</summary>
    Up,
}

/// <summary>
/// A circuit breaker for each endpoint and bundle of roots. An endpoint that does not answer costs each request a
/// timeout, a slot of its rate limit
/// and a worker's time; behind its breaker it costs nothing.
/// <list type="bullet">
/// <item>Closed: requests pass. What counts is no answer: a connection that could not be made, or a timeout. An answer
/// of any status
/// does not, and neither do a name that does not resolve or a certificate that is not accepted: these fail at once, and
/// may be one bucket's own.</item>
/// <item>Open, from the third request in a row on: requests fail at once with <see cref="Reasons.EndpointDown"/>. In a
/// row means that the endpoint has answered
/// nothing since the request was sent. One lost request happens; eight are usually under way at a time, so the third
/// comes with the first; and an
/// endpoint that was taken for down by mistake is asked again within seconds.</item>
/// <item>One request at a time is let through as a probe, so long after the last one ended: a twentieth of the time
/// that the endpoint has
/// been down, at least <see cref="ShortestPause"/> and at most <see cref="LongestPause"/>. So its return is noticed
/// soon after it, in proportion.</item>
/// <item>Any answer closes it, whichever request it is for.</item>
/// </list>
/// The proxy is the process's own, and which one is used follows from the endpoint, so it needs no breaker of its own.
/// In memory only.
/// </summary>
internal sealed class EndpointCircuitBreakers : IDisposable
{
    internal const int OpensAt = 3;

    /// <summary>
    /// Whoever may create stores can name endpoints; beyond this the one whose last use is longest ago is forgotten.
    /// </summary>
    internal const int MostEndpoints = 1024;

    internal static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(2);
    internal static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private const double PauseOfDownTime = 0.05;

    /// <summary>Nobody needs to know of an endpoint that no policy uses any more.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly RecentlyUsed<Whose, Breaker> _breakers;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    /// <summary>Replaced as a whole, and read without the gate.</summary>
    private ImmutableArray<Action<Uri, EndpointTurn>> _listeners = [];

    public EndpointCircuitBreakers(TimeProvider time)
    {
        _time = time;
        _breakers = new RecentlyUsed<Whose, Breaker>(MostEndpoints, KeptUnused, time);
        _timer = time.CreateTimer(
            static s => ((EndpointCircuitBreakers?)s)?.Tick(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    internal int Count
    {
        get
        {
            lock (_gate)
                return _breakers.Count;
        }
    }

    /// <summary>Endpoints that are taken for down now.</summary>
    public int OpenCount
    {
        get
        {
            lock (_gate)
                return _breakers.Values.Count(b => b.IsOpen);
        }
    }

    /// <summary>Tells of each endpoint that answers again, and of each that should be asked.</summary>
    /// <param name="listener">Called by whoever brought the answer, or by a timer; it must return at once.</param>
    public void Listen(Action<Uri, EndpointTurn> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Add(one), listener);

    public void StopListening(Action<Uri, EndpointTurn> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Remove(one), listener);

    /// <summary>
    /// Fails if a request would not be let through now. To be asked before a wait; it lets nothing through by itself.
    /// </summary>
    /// <exception cref="VendorException"><see cref="Reasons.EndpointDown"/>.</exception>
    public void Check(BucketAddress address, string operation)
    {
        lock (_gate)
        {
            if (_breakers.Find(WhoseOf(address)) is { } breaker && !breaker.LetsThrough(_time.GetTimestamp()))
                throw new VendorException(FailureOf(breaker, operation, notSent: true));
        }
    }

    /// <summary>Asks for leave to send one request now.</summary>
    /// <exception cref="VendorException"><see cref="Reasons.EndpointDown"/>.</exception>
    public Pass Enter(BucketAddress address, string operation)
    {
        lock (_gate)
        {
            var breaker = _breakers.GetOrAdd(WhoseOf(address), () => new Breaker(address.Endpoint));
            var now = _time.GetTimestamp();
            if (!breaker.LetsThrough(now))
                throw new VendorException(FailureOf(breaker, operation, notSent: true));
            var isProbe = breaker.IsOpen;
            breaker.IsProbed |= isProbe;
            return new Pass(this, breaker, isProbe, now);
        }
    }

    public void Dispose() => _timer.Dispose();

    private static Whose WhoseOf(BucketAddress address) =>
        new(
            address.Endpoint.GetLeftPart(UriPartial.Authority),
            address.CaBundle is not { } bundle
                ? ""
                : Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(bundle.AsSpan())))
        );

    /// <summary>
    /// Its texts are the same for as long as the breaker is open, whether a request was a probe or not: they end in a
    /// status.
    /// </summary>
    private Failure FailureOf(Breaker breaker, string operation, bool notSent)
    {
        var now = _time.GetTimestamp();
        return new Failure(Reasons.EndpointDown, operation)
        {
            Message =
                $"The endpoint has not answered several requests in a row ({breaker.Cause?.Code}). One request at a "
                + "time finds out when it answers again; the others are not sent.",
            Hint = breaker.Cause?.Hint,
            RetryAfter = _time.GetElapsedTime(now, Math.Max(now, breaker.ProbeAt ?? now)),
            NotSent = notSent,
        };
    }

    private void Answered(Breaker breaker, bool isProbe)
    {
        bool isUp;
        lock (_gate)
        {
            breaker.IsProbed &= !isProbe;
            isUp = breaker.IsOpen;
            (breaker.DownSince, breaker.ProbeAt, breaker.InARow) = (null, null, 0);
            breaker.AnsweredAt = _time.GetTimestamp();
        }
        if (isUp)
            Tell([(breaker.Endpoint, EndpointTurn.Up)]);
    }

    /// <returns>What to report: with the breaker open, what all other requests are told.</returns>
    private Failure Failed(Breaker breaker, bool isProbe, long sentAt, Failure failure)
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            breaker.IsProbed &= !isProbe;
            var counts = failure.Has(ReasonTraits.NoAnswer) && sentAt >= breaker.AnsweredAt;
            if (counts && ++breaker.InARow >= OpensAt && !breaker.IsOpen)
                (breaker.DownSince, breaker.Cause) = (sentAt, failure);
            if (breaker.DownSince is not { } since)
                return failure;
            if (isProbe || breaker.ProbeAt is null)
                breaker.ProbeAt = AfterPause(since, now);
            SetTimer();
            return counts ? FailureOf(breaker, failure.Operation, failure.NotSent) : failure;
        }
    }

    /// <summary>A probe that was not sent, or that nobody waited for, leaves its place to the next.</summary>
    private void GiveBack(Breaker breaker)
    {
        lock (_gate)
        {
            breaker.IsProbed = false;
            SetTimer();
        }
    }

    private long AfterPause(long downSince, long now)
    {
        var part = _time.GetElapsedTime(downSince, now).TotalSeconds * PauseOfDownTime;
        var pause = Math.Clamp(part, ShortestPause.TotalSeconds, LongestPause.TotalSeconds);
        return now + (long)(pause * _time.TimestampFrequency);
    }

    /// <summary>
    /// Where a probe is due and nobody sends one, somebody is asked to, and again after the pause if nobody does.
    /// </summary>
    private void Tick()
    {
        var due = new List<(Uri, EndpointTurn)>();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _breakers.DropUnused();
            foreach (var breaker in _breakers.Values.Where(b => b.AskAt <= now))
            {
                due.Add((breaker.Endpoint, EndpointTurn.ProbeDue));
                breaker.AskedUntil = AfterPause(breaker.DownSince ?? now, now);
            }
            SetTimer();
        }
        Tell(due);
    }

    /// <summary>To the next probe that somebody may have to be asked for.</summary>
    private void SetTimer()
    {
        if (_breakers.Values.Min(b => b.AskAt) is not { } next)
            return;
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), next);
        _timer.Change(
            TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(1, wait.TotalMilliseconds))),
            Timeout.InfiniteTimeSpan
        );
    }

    private void Tell(IEnumerable<(Uri Endpoint, EndpointTurn Turn)> news)
    {
        foreach (var (endpoint, turn) in news)
        {
            foreach (var listener in _listeners)
                listener(endpoint, turn);
        }
    }

    /// <summary>Leave to send one request. Disposing it without a word means that nothing was learned.</summary>
    internal sealed class Pass(EndpointCircuitBreakers breakers, Breaker breaker, bool isProbe, long sentAt)
        : IDisposable
    {
        private bool _ended;

        /// <summary>An answer came, whatever its status.</summary>
        public void Answered()
        {
            _ended = true;
            breakers.Answered(breaker, isProbe);
        }

        /// <returns>The failure to report.</returns>
        public Failure Failed(Failure failure)
        {
            _ended = true;
            return breakers.Failed(breaker, isProbe, sentAt, failure);
        }

        public void Dispose()
        {
            if (!_ended && isProbe)
                breakers.GiveBack(breaker);
            _ended = true;
        }
    }

    internal readonly record struct Whose(string Endpoint, string Bundle);

    /// <summary>Guarded by the gate.</summary>
    internal sealed class Breaker(Uri endpoint)
    {
        public Uri Endpoint => endpoint;

        /// <summary>Requests without an answer since the last answer.</summary>
        public int InARow { get; set; }

        /// <summary>Of the last answer; requests that were sent before it count no more.</summary>
        public long AnsweredAt { get; set; } = long.MinValue;

        /// <summary>Null while it is closed.</summary>
        public long? DownSince { get; set; }

        public bool IsOpen => DownSince is not null;

        /// <summary>From then on a probe is let through; null while it is closed.</summary>
        public long? ProbeAt { get; set; }

        /// <summary>A probe is under way.</summary>
        public bool IsProbed { get; set; }

        /// <summary>Somebody was asked for a probe, and has until then.</summary>
        public long AskedUntil { get; set; } = long.MinValue;

        /// <summary>When somebody must be asked for a probe; null where nobody needs to be.</summary>
        public long? AskAt => IsProbed || ProbeAt is not { } at ? null : Math.Max(at, AskedUntil);

        /// <summary>Of the request that has opened it.</summary>
        public Failure? Cause { get; set; }

        public bool LetsThrough(long now) => DownSince is null || (!IsProbed && ProbeAt <= now);
    }
}
