using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>A change of an endpoint that listeners learn of.</summary>
internal enum EndpointChange
{
    /// <summary>A probe is due, and no request is there to be one: one request is enough.</summary>
    ProbeDue,

    /// <summary>It answers again.</summary>
    Up,
}

/// <summary>
/// One circuit breaker per endpoint, service at it and bundle of roots. An endpoint that does not answer costs each
/// request a timeout, a slot of its rate limit and a worker's time; behind its breaker it costs nothing.
/// <list type="bullet">
/// <item>Closed: requests pass. Only a missing answer counts against the endpoint: a connection that could not be made
/// or that broke, or a timeout. An answer of any status does not, and neither do a name that does not resolve or a
/// certificate that is not accepted: these fail at once, and may concern one bucket only.</item>
/// <item>Open, after <see cref="OpensAt"/> such requests in a row: requests fail at once with <see
/// cref="Reasons.EndpointDown"/>. In a row means that the endpoint has answered nothing since the request was sent. One
/// lost request happens; eight are usually under way at a time, so the third comes with the first; and an endpoint that
/// was taken for down by mistake is probed within seconds.</item>
/// <item>Half open: one request at a time passes as a probe. The pause after a probe is a sixtieth of the time that the
/// endpoint has been down, at least <see cref="ShortestPause"/> and at most <see cref="LongestPause"/>.</item>
/// <item>Any answer closes the breaker, whichever request it is for.</item>
/// <item>Where every answer tells of a fault of the endpoint's own (500, 503), the breaker stays closed: it may be one
/// bucket's. The first other answer, after <see cref="OpensAt"/> faults in a row and <see cref="ShortestTrouble"/>, is
/// told to the listeners as the end of an outage is.</item>
/// </list>
/// The proxy is the process's own, and which one is used follows from the endpoint, so it needs no breaker of its own.
/// In memory only.
/// </summary>
internal sealed class EndpointCircuitBreakers : IDisposable
{
    internal const int OpensAt = 3;

    /// <summary>
    /// Maximum number of breakers: everyone who may create stores can name endpoints. Beyond it the least recently
    /// used one is dropped.
    /// </summary>
    internal const int MaxEndpoints = 1024;

    internal static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    internal static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private const double PauseOfDownTime = 1 / 60d;

    /// <summary>
    /// Faults that last for less are told to nobody: a back-off is not longer by then, and an endpoint that fails now
    /// and then would wake all its policies each time.
    /// </summary>
    internal static readonly TimeSpan ShortestTrouble = TimeSpan.FromSeconds(5);

    /// <summary>A breaker that was not used for this long is dropped: no policy uses its endpoint any more.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly RecentlyUsed<BreakerKey, Breaker> _breakers;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    /// <summary>Replaced as a whole, and read without the gate.</summary>
    private ImmutableArray<Action<Uri, EndpointChange>> _listeners = [];

    public EndpointCircuitBreakers(TimeProvider time)
    {
        _time = time;
        _breakers = new RecentlyUsed<BreakerKey, Breaker>(MaxEndpoints, KeptUnused, time);
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

    /// <summary>Number of endpoints that are taken for down now.</summary>
    public int OpenCount
    {
        get
        {
            lock (_gate)
                return _breakers.Values.Count(b => b.IsOpen);
        }
    }

    /// <summary>Adds a listener for endpoints that answer again, and for those that should be probed.</summary>
    /// <param name="listener">Runs on the caller that got the answer, or on a timer; it must return at once.</param>
    public void Listen(Action<Uri, EndpointChange> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Add(one), listener);

    public void StopListening(Action<Uri, EndpointChange> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Remove(one), listener);

    /// <summary>
    /// Fails if a request would not pass now: for a check before a wait. It reserves nothing.
    /// </summary>
    /// <exception cref="VendorException"><see cref="Reasons.EndpointDown"/>.</exception>
    public void Check(VendorAddress address, string operation)
    {
        lock (_gate)
        {
            if (_breakers.Find(KeyOf(address)) is { } breaker && !breaker.Passes(_time.GetTimestamp()))
                throw new VendorException(FailureOf(breaker, operation, notSent: true));
        }
    }

    /// <summary>Admits one request now.</summary>
    /// <exception cref="VendorException"><see cref="Reasons.EndpointDown"/>.</exception>
    public Pass Enter(VendorAddress address, string operation)
    {
        lock (_gate)
        {
            var breaker = _breakers.GetOrAdd(
                KeyOf(address),
                () => new Breaker(address.Endpoint, isTold: address.Service is null)
            );
            var now = _time.GetTimestamp();
            if (!breaker.Passes(now))
                throw new VendorException(FailureOf(breaker, operation, notSent: true));
            var isProbe = breaker.IsOpen;
            breaker.IsProbed |= isProbe;
            return new Pass(this, breaker, isProbe, now);
        }
    }

    public void Dispose() => _timer.Dispose();

    private static BreakerKey KeyOf(VendorAddress address) =>
        new(
            address.Endpoint.GetLeftPart(UriPartial.Authority),
            address.Service,
            address.CaBundle is not { } bundle
                ? ""
                : Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(bundle.AsSpan())))
        );

    /// <summary>
    /// Returns the failure of every request while the breaker is open, probe or not. Its texts stay the same, because
    /// they end in a status.
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

    private void Answered(Breaker breaker, bool isProbe, bool isFault)
    {
        bool isUp;
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            breaker.IsProbed &= !isProbe;
            isUp = breaker.IsTold && (breaker.IsOpen || (!isFault && IsInTrouble(breaker, now)));
            (breaker.DownSince, breaker.ProbeAt, breaker.Unanswered) = (null, null, 0);
            breaker.AnsweredAt = now;
            breaker.FaultsSince = isFault ? breaker.FaultsSince ?? now : null;
            breaker.Faults = isFault ? breaker.Faults + 1 : 0;
        }
        if (isUp)
            Notify([(breaker.Endpoint, EndpointChange.Up)]);
    }

    private bool IsInTrouble(Breaker breaker, long now) =>
        breaker is { Faults: >= OpensAt, FaultsSince: { } since }
        && _time.GetElapsedTime(since, now) >= ShortestTrouble;

    /// <returns>The failure to report: with the breaker open, the same as for all other requests.</returns>
    private Failure Failed(Breaker breaker, bool isProbe, long sentAt, Failure failure)
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            breaker.IsProbed &= !isProbe;
            var counts = failure.Has(ReasonTraits.NoAnswer) && sentAt >= breaker.AnsweredAt;
            if (counts && ++breaker.Unanswered >= OpensAt && !breaker.IsOpen)
                (breaker.DownSince, breaker.Cause) = (sentAt, failure);
            if (breaker.DownSince is not { } since)
                return failure;
            if (isProbe || breaker.ProbeAt is null)
                breaker.ProbeAt = AfterPause(since, now);
            SetTimer();
            return counts ? FailureOf(breaker, failure.Operation, failure.NotSent) : failure;
        }
    }

    /// <summary>A probe that was not sent, or that nobody waited for, makes the next request the probe.</summary>
    private void ReleaseProbe(Breaker breaker)
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
    /// Notifies listeners where a probe is due and no request is there, and again after the pause if none comes.
    /// </summary>
    private void Tick()
    {
        var due = new List<(Uri, EndpointChange)>();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _breakers.DropUnused();
            foreach (var breaker in _breakers.Values.Where(b => b.NotifyAt <= now))
            {
                due.Add((breaker.Endpoint, EndpointChange.ProbeDue));
                breaker.NotifiedUntil = AfterPause(breaker.DownSince ?? now, now);
            }
            SetTimer();
        }
        Notify(due);
    }

    /// <summary>Sets the timer to the next probe that listeners may have to be notified of.</summary>
    private void SetTimer()
    {
        if (_breakers.Values.Min(b => b.NotifyAt) is not { } next)
            return;
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), next);
        _timer.Change(
            TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(1, wait.TotalMilliseconds))),
            Timeout.InfiniteTimeSpan
        );
    }

    private void Notify(IEnumerable<(Uri Endpoint, EndpointChange Change)> changes)
    {
        foreach (var (endpoint, change) in changes)
        {
            foreach (var listener in _listeners)
                listener(endpoint, change);
        }
    }

    /// <summary>An admitted request. Disposing it without a result means that nothing was learned.</summary>
    internal sealed class Pass(EndpointCircuitBreakers breakers, Breaker breaker, bool isProbe, long sentAt)
        : IDisposable
    {
        private bool _ended;

        /// <summary>An answer came, whatever its status.</summary>
        /// <param name="isFault">It told of a fault of the endpoint's own.</param>
        public void Answered(bool isFault = false)
        {
            _ended = true;
            breakers.Answered(breaker, isProbe, isFault);
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
                breakers.ReleaseProbe(breaker);
            _ended = true;
        }
    }

    internal readonly record struct BreakerKey(string Endpoint, string? Service, string Bundle);

    /// <summary>Guarded by the gate.</summary>
    /// <param name="isTold">
    /// Whether listeners learn of it. They do not of a key service: no bucket waits for one, and its endpoint may also
    /// be an object store's.
    /// </param>
    internal sealed class Breaker(Uri endpoint, bool isTold)
    {
        public Uri Endpoint => endpoint;

        public bool IsTold => isTold;

        /// <summary>Number of requests without an answer since the last answer.</summary>
        public int Unanswered { get; set; }

        /// <summary>Time of the last answer; requests that were sent before it do not count.</summary>
        public long AnsweredAt { get; set; } = long.MinValue;

        /// <summary>Number of answers in a row that told of a fault.</summary>
        public int Faults { get; set; }

        /// <summary>Time of the first of them.</summary>
        public long? FaultsSince { get; set; }

        /// <summary>Null while it is closed.</summary>
        public long? DownSince { get; set; }

        public bool IsOpen => DownSince is not null;

        /// <summary>A probe passes from then on; null while the breaker is closed.</summary>
        public long? ProbeAt { get; set; }

        /// <summary>A probe is under way.</summary>
        public bool IsProbed { get; set; }

        /// <summary>Listeners were notified, and have time for a probe until then.</summary>
        public long NotifiedUntil { get; set; } = long.MinValue;

        /// <summary>When listeners must be notified of a due probe; null where they need not be.</summary>
        public long? NotifyAt => !isTold || IsProbed || ProbeAt is not { } at ? null : Math.Max(at, NotifiedUntil);

        /// <summary>Failure of the request that opened the breaker.</summary>
        public Failure? Cause { get; set; }

        public bool Passes(long now) => DownSince is null || (!IsProbed && ProbeAt <= now);
    }
}
