using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>What a pace is at now, for metrics.</summary>
/// <param name="Principal">Whose keys: an access key's id, or a role. No secret.</param>
/// <param name="RequestsPerSecond">The rate that the vendor is found to take, at most the limit's.</param>
/// <param name="Requests">So far. <paramref name="Throttled"/> of them the vendor answered with "slower".</param>
internal sealed record RateLimiterState(
    string Principal,
    string Endpoint,
    double RequestsPerSecond,
    RateLimit Limit,
    int InFlight,
    int Waiting,
    long Requests,
    long Throttled
);

/// <summary>
/// How fast one access key calls one endpoint: a token bucket, a bound on what is under way, and a rate that follows
/// the vendor's answers. "Slower" takes a fifth off the rate, once for all requests that were sent at the old one,
/// empties the bucket, and pauses for the vendor's Retry-After. Every other answer adds a little: 3 % in a second of
/// full use, so that few requests are refused whatever the vendor takes. Below the limit there are no bursts: they
/// would only meet the vendor's limit again. First come, first served.
/// <para>
/// Nobody waits for long: neither for the permits nor for a slot of <see cref="RateLimit.MaxConcurrency"/>, which an
/// endpoint without answers keeps
/// occupied until the timeout. Who would wait longer than <see cref="LongestWait"/> is refused at once, by how long
/// turns have taken lately; who
/// has waited that long is refused then.
/// </para>
/// <para>
/// A turn may be for two requests, a read and the write that follows from it. It is granted when there is a permit for
/// the first and takes
/// both, so that the write need not wait even at one request per second: the debt is paid before the next turn.
/// </para>
/// </summary>
/// <remarks>
/// System.Threading.RateLimiting is not used: its token bucket cannot change its rate, and has a clock of its own.
/// </remarks>
internal sealed class AdaptiveRateLimiter : IDisposable
{
    private const double Decrease = 0.8;
    private const double Increase = 0.03;
    private const double SlowestRate = 0.1;

    /// <summary>Weight of the last turn in the average of how long they take.</summary>
    private const double Newest = 0.2;

    /// <summary>
    /// Whoever would wait longer holds up a worker that has better things to do: the queue tries again later.
    /// </summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<Place> _waiting = [];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private RateLimit _limit;
    private double _rate;
    private double _tokens;
    private long _filledAt;
    private long _pausedAt;
    private TimeSpan _pause;
    private long _slowedAt = long.MinValue;
    private int _waitingRequests;
    private int _inFlight;

    /// <summary>
    /// Sum of the times at which the turns under way were granted: with it their mean age takes no list.
    /// </summary>
    private long _grantedAtSum;

    /// <summary>How long turns take, on average.</summary>
    private double _secondsPerTurn;
    private long _requests;
    private long _throttled;

    public AdaptiveRateLimiter(RateLimit limit, TimeProvider time)
    {
        (_limit, _rate, _tokens, _time) = (limit, limit.RequestsPerSecond, limit.Burst, time);
        _filledAt = _pausedAt = time.GetTimestamp();
        _timer = time.CreateTimer(
            static s => ((AdaptiveRateLimiter?)s)?.Tick(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    /// <summary>Waits for a turn; the requests go out in it.</summary>
    /// <param name="limit">The last one given counts.</param>
    /// <param name="requests">That will go out in the turn, one after the other.</param>
    /// <exception cref="VendorException">Throttled: the wait would be too long.</exception>
    public async Task<Permit> EnterAsync(
        RateLimit limit,
        string operation,
        int requests,
        CancellationToken cancellationToken
    )
    {
        LinkedListNode<Place> place;
        lock (_gate)
        {
            Fill();
            if (_limit != limit)
                (_limit, _rate) = (limit, Math.Min(_rate, limit.RequestsPerSecond));
            if (Wait(_waitingRequests, _waiting.Count) is var wait && wait > LongestWait)
                throw new VendorException(TooLong(operation, wait));
            place = _waiting.AddLast(new Place(requests));
            _waitingRequests += requests;
            LetGo();
        }
        try
        {
            var grantedAt = await place.Value.Granted.Task.WaitAsync(LongestWait, _time, cancellationToken);
            return new Permit(this, grantedAt, requests);
        }
        catch (OperationCanceledException)
        {
            GiveUp(place);
            throw;
        }
        catch (TimeoutException)
        {
            GiveUp(place);
            throw new VendorException(TooLong(operation, WaitNow()));
        }
    }

    public RateLimiterState State(string principal, string endpoint)
    {
        lock (_gate)
            return new RateLimiterState(
                principal,
                endpoint,
                _rate,
                _limit,
                _inFlight,
                _waiting.Count,
                _requests,
                _throttled
            );
    }

    public void Dispose() => _timer.Dispose();

    private static Failure TooLong(string operation, TimeSpan wait)
    {
        return new Failure(Reasons.RateLimited, operation)
        {
            Message = "The vendor asked to go slower, or more waits for the store's rateLimit than passes in a while.",
            RetryAfter = wait,
            NotSent = true,
        };
    }

    /// <summary>A request goes out.</summary>
    /// <param name="isBorrowed">The turn has no permit left for it: those that wait pay.</param>
    private long Sent(bool isBorrowed)
    {
        lock (_gate)
        {
            _requests++;
            if (isBorrowed)
                _tokens--;
            return _time.GetTimestamp();
        }
    }

    /// <summary>The request has its answer.</summary>
    private void Answered(Failure? failure, long sentAt)
    {
        lock (_gate)
        {
            Fill();
            if (failure is { Kind: FailureKind.Throttled })
                SlowDown(failure.RetryAfter, sentAt);
            else
                _rate = Math.Min(_limit.RequestsPerSecond, _rate + Increase);
        }
    }

    private void SlowDown(TimeSpan? retryAfter, long sentAt)
    {
        _throttled++;
        if (retryAfter is { } asked && asked > PauseLeft())
            (_pausedAt, _pause) = (_time.GetTimestamp(), Durations.Min(asked, LongestPause));
        if (sentAt <= _slowedAt)
            return; // sent at a rate that is over
        (_rate, _tokens, _slowedAt) = (Math.Max(SlowestRate, _rate * Decrease), 0, _time.GetTimestamp());
    }

    private void Leave(long grantedAt, int unused)
    {
        lock (_gate)
        {
            Fill();
            _tokens += unused;
            _inFlight--;
            _grantedAtSum -= grantedAt;
            var seconds = _time.GetElapsedTime(grantedAt, _filledAt).TotalSeconds;
            _secondsPerTurn += Newest * (seconds - _secondsPerTurn);
            LetGo();
        }
    }

    private void GiveUp(LinkedListNode<Place> place)
    {
        lock (_gate)
        {
            if (place.List is not null)
            {
                _waiting.Remove(place);
                _waitingRequests -= place.Value.Requests;
                return;
            }
        }
        Leave(place.Value.GrantedAt, place.Value.Requests); // the turn came in the same moment
    }

    private void Tick()
    {
        lock (_gate)
            LetGo();
    }

    /// <summary>Whose turn it is goes; a timer is set for the next, unless the next waits for an answer.</summary>
    private void LetGo()
    {
        Fill();
        while (
            _waiting.First is { } first
            && _inFlight < _limit.MaxConcurrency
            && _tokens >= 1
            && PauseLeft() == TimeSpan.Zero
        )
        {
            _waiting.RemoveFirst();
            _waitingRequests -= first.Value.Requests;
            _tokens -= first.Value.Requests;
            _inFlight++;
            _grantedAtSum += _filledAt;
            first.Value.GrantedAt = _filledAt;
            first.Value.Granted.SetResult(_filledAt);
        }
        if (_waiting.Count > 0 && _inFlight < _limit.MaxConcurrency) // whole milliseconds, and never too early
            _timer.Change(
                TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(1, UntilTurn(ahead: 0).TotalMilliseconds))),
                Timeout.InfiniteTimeSpan
            );
    }

    private void Fill()
    {
        var now = _time.GetTimestamp();
        var capacity = _rate < _limit.RequestsPerSecond ? 1 : _limit.Burst;
        _tokens = Math.Min(capacity, _tokens + (_time.GetElapsedTime(_filledAt, now).TotalSeconds * _rate));
        _filledAt = now;
    }

    /// <summary>Returns how long a turn has to wait if answers come at once.</summary>
    /// <param name="ahead">Requests that wait before it.</param>
    private TimeSpan UntilTurn(int ahead) =>
        PauseLeft() + TimeSpan.FromSeconds(Math.Max(0, (ahead + 1 - _tokens) / _rate));

    /// <summary>
    /// Returns how long a turn has to wait for a slot, if turns take as long as they have lately, and as those under
    /// way already have.
    /// </summary>
    /// <param name="ahead">Turns that wait before it.</param>
    private TimeSpan UntilSlot(int ahead)
    {
        var missing = _inFlight + ahead + 1 - _limit.MaxConcurrency;
        if (missing <= 0 || _inFlight == 0)
            return TimeSpan.Zero;
        var soFar = _time.GetElapsedTime(_grantedAtSum / _inFlight, _filledAt).TotalSeconds;
        return TimeSpan.FromSeconds(missing * Math.Max(soFar, _secondsPerTurn) / _limit.MaxConcurrency);
    }

    private TimeSpan Wait(int requestsAhead, int turnsAhead)
    {
        var (turn, slot) = (UntilTurn(requestsAhead), UntilSlot(turnsAhead));
        return turn > slot ? turn : slot;
    }

    /// <summary>Of somebody who comes now.</summary>
    private TimeSpan WaitNow()
    {
        lock (_gate)
        {
            Fill();
            return Wait(_waitingRequests, _waiting.Count);
        }
    }

    private TimeSpan PauseLeft() =>
        _pause - _time.GetElapsedTime(_pausedAt) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>A turn that waits, for so many requests.</summary>
    private sealed record Place(int Requests)
    {
        public TaskCompletionSource<long> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long GrantedAt { get; set; }
    }

    /// <summary>
    /// Permits for requests that go out one after the other, and one slot for all of them. Disposing it returns the
    /// permits that were not used,
    /// and makes room for the next. For one caller at a time.
    /// </summary>
    internal sealed class Permit(AdaptiveRateLimiter pace, long grantedAt, int requests) : IDisposable
    {
        private int _sent;
        private bool _left;

        /// <summary>
        /// Counts a request that goes out now. One more than there are permits borrows from those that wait.
        /// </summary>
        public Request Send()
        {
            var sentAt = pace.Sent(isBorrowed: _sent >= requests);
            return new Request(pace, _sent++ == 0 ? grantedAt : sentAt);
        }

        public void Dispose()
        {
            if (_left)
                return;
            _left = true;
            pace.Leave(grantedAt, Math.Max(0, requests - _sent));
        }
    }

    /// <summary>A request that was sent.</summary>
    internal readonly struct Request(AdaptiveRateLimiter pace, long sentAt)
    {
        /// <summary>How the vendor took the request; not called when no answer came.</summary>
        public void Answered(Failure? failure) => pace.Answered(failure, sentAt);
    }
}
