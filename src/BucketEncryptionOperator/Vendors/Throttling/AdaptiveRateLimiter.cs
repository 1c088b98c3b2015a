using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>The state of one limiter, for metrics.</summary>
/// <param name="Principal">Whose keys: an access key's id, or a role. No secret.</param>
/// <param name="RequestsPerSecond">The rate that the vendor was found to accept, at most the limit's.</param>
/// <param name="Requests">Number of requests so far; <paramref name="Throttled"/> of them were throttled.</param>
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
/// Limits how fast one access key calls one endpoint: a token bucket, a maximum of concurrent calls, and a rate that
/// follows the vendor's answers. A throttled answer takes a fifth off the rate, once for all requests that were sent at
/// the old rate, empties the bucket, and pauses for the vendor's Retry-After. Every other answer adds a little: 3 % per
/// second of full use, so that few requests are throttled whatever the vendor accepts. Below the limit there are no
/// bursts: they would only meet the vendor's limit again. First come, first served.
/// <para>
/// Where the rate was lowered <see cref="OutageAt"/> times and no request succeeded, the rate was not the reason: the
/// vendor was down. The first success afterwards raises it to an eighth of what it was before, and every further one
/// adds ten times as much as otherwise, until that rate is reached or a request is throttled.
/// </para>
/// <para>
/// A call never waits for long, neither for permits nor for a slot of <see cref="RateLimit.MaxConcurrency"/>, which an
/// endpoint without answers occupies until the timeout. A call that would wait longer than <see cref="LongestWait"/> is
/// refused at once, by how long calls have taken lately; a call that has waited that long is refused then.
/// </para>
/// <para>
/// A call may have two requests, a read and the write that follows from it. It is granted when there is a permit for
/// the first and takes both, so that the write need not wait even at one request per second: the debt is paid before
/// the next call.
/// </para>
/// </summary>
/// <remarks>
/// System.Threading.RateLimiting is not used: its token bucket cannot change its rate, and has a clock of its own.
/// </remarks>
internal sealed class AdaptiveRateLimiter : IDisposable
{
    private const double Decrease = 0.8;
    private const double Increase = 0.03;
    private const double SlowestRate = 0.5;

    /// <summary>That many decreases take nine tenths off a rate.</summary>
    private const int OutageAt = 10;
    private const double RateAfterOutage = 1 / 8d;
    private const double IncreaseAfterOutage = 0.3;

    /// <summary>Weight of the last call in the average duration of calls.</summary>
    private const double WeightOfLast = 0.2;

    /// <summary>
    /// Maximum wait. A longer one would hold up a worker; the queue retries instead.
    /// </summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private RateLimit _limit;
    private double _rate;
    private double _tokens;
    private long _filledAt;
    private long _pausedAt;
    private TimeSpan _pause;
    private long _slowedAt = long.MinValue;

    /// <summary>Number of decreases since the last success.</summary>
    private int _decreases;

    /// <summary>The rate before the first of them. After an outage, the rate returns to it.</summary>
    private double _rateBefore;
    private bool _isReturning;
    private int _waitingRequests;
    private int _inFlight;

    /// <summary>
    /// Sum of the times at which the calls under way were granted: it gives their mean age without a list.
    /// </summary>
    private long _grantedAtSum;

    /// <summary>Average duration of calls.</summary>
    private double _secondsPerCall;
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

    /// <summary>Waits until a call may begin.</summary>
    /// <param name="limit">The limit from now on.</param>
    /// <param name="requests">Maximum number of requests of the call, sent one after the other.</param>
    /// <exception cref="VendorException">Throttled: the wait would be too long.</exception>
    public async Task<Permit> EnterAsync(
        RateLimit limit,
        string operation,
        int requests,
        CancellationToken cancellationToken
    )
    {
        LinkedListNode<Waiter> waiter;
        lock (_gate)
        {
            Fill();
            if (_limit != limit)
                (_limit, _rate) = (limit, Math.Min(_rate, limit.RequestsPerSecond));
            if (Wait(_waitingRequests, _waiting.Count) is var wait && wait > LongestWait)
                throw new VendorException(WaitTooLong(operation, wait));
            waiter = _waiting.AddLast(new Waiter(requests));
            _waitingRequests += requests;
            Grant();
        }
        try
        {
            var grantedAt = await waiter.Value.Granted.Task.WaitAsync(LongestWait, _time, cancellationToken);
            return new Permit(this, grantedAt, requests);
        }
        catch (OperationCanceledException)
        {
            GiveUp(waiter);
            throw;
        }
        catch (TimeoutException)
        {
            GiveUp(waiter);
            throw new VendorException(WaitTooLong(operation, WaitNow()));
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

    private static Failure WaitTooLong(string operation, TimeSpan wait)
    {
        return new Failure(Reasons.RateLimited, operation)
        {
            Message = "The vendor asked to go slower, or more waits for the store's rateLimit than passes in a while.",
            RetryAfter = wait,
            NotSent = true,
        };
    }

    /// <summary>Counts a request that is sent.</summary>
    /// <param name="isBorrowed">The call has no permit left for it: the calls that wait pay.</param>
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

    /// <summary>Learns from the answer to a request.</summary>
    private void Answered(Failure? failure, long sentAt)
    {
        lock (_gate)
        {
            Fill();
            if (failure is { Kind: FailureKind.Throttled })
                SlowDown(failure.RetryAfter, sentAt);
            else if (failure is not { Kind: FailureKind.Transient }) // that tells nothing of the rate
                SpeedUp();
        }
    }

    private void SpeedUp()
    {
        if (_decreases >= OutageAt)
        {
            _isReturning = true;
            _rate = Math.Max(_rate, _rateBefore * RateAfterOutage);
        }
        _decreases = 0;
        _rate = Math.Min(_limit.RequestsPerSecond, _rate + (_isReturning ? IncreaseAfterOutage : Increase));
        _isReturning &= _rate < _rateBefore;
    }

    private void SlowDown(TimeSpan? retryAfter, long sentAt)
    {
        _throttled++;
        if (retryAfter is { } asked && asked > PauseLeft())
            (_pausedAt, _pause) = (_time.GetTimestamp(), Durations.Min(asked, LongestPause));
        if (sentAt <= _slowedAt)
            return; // sent at an earlier rate
        if (_decreases++ == 0)
            (_rateBefore, _isReturning) = (_rate, false);
        (_rate, _tokens, _slowedAt) = (Math.Max(SlowestRate, _rate * Decrease), 0, _time.GetTimestamp());
    }

    private void End(long grantedAt, int unused)
    {
        lock (_gate)
        {
            Fill();
            _tokens += unused;
            _inFlight--;
            _grantedAtSum -= grantedAt;
            var seconds = _time.GetElapsedTime(grantedAt, _filledAt).TotalSeconds;
            _secondsPerCall += WeightOfLast * (seconds - _secondsPerCall);
            Grant();
        }
    }

    private void GiveUp(LinkedListNode<Waiter> waiter)
    {
        lock (_gate)
        {
            if (waiter.List is not null)
            {
                _waiting.Remove(waiter);
                _waitingRequests -= waiter.Value.Requests;
                return;
            }
        }
        End(waiter.Value.GrantedAt, waiter.Value.Requests); // it was granted in the same moment
    }

    private void Tick()
    {
        lock (_gate)
            Grant();
    }

    /// <summary>Grants calls in their order, and sets a timer for the next unless it waits for a slot.</summary>
    private void Grant()
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
                TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(1, UntilPermit(ahead: 0).TotalMilliseconds))),
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

    /// <summary>Returns how long a call has to wait for its permit.</summary>
    /// <param name="ahead">Number of requests that wait before it.</param>
    private TimeSpan UntilPermit(int ahead) =>
        PauseLeft() + TimeSpan.FromSeconds(Math.Max(0, (ahead + 1 - _tokens) / _rate));

    /// <summary>
    /// Returns how long a call has to wait for a slot, if calls take as long as they have lately, and as those under
    /// way already have.
    /// </summary>
    /// <param name="ahead">Number of calls that wait before it.</param>
    private TimeSpan UntilSlot(int ahead)
    {
        var missing = _inFlight + ahead + 1 - _limit.MaxConcurrency;
        if (missing <= 0 || _inFlight == 0)
            return TimeSpan.Zero;
        var soFar = _time.GetElapsedTime(_grantedAtSum / _inFlight, _filledAt).TotalSeconds;
        return TimeSpan.FromSeconds(missing * Math.Max(soFar, _secondsPerCall) / _limit.MaxConcurrency);
    }

    private TimeSpan Wait(int requestsAhead, int callsAhead)
    {
        var (permit, slot) = (UntilPermit(requestsAhead), UntilSlot(callsAhead));
        return permit > slot ? permit : slot;
    }

    /// <summary>Returns how long a call that comes now has to wait.</summary>
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

    /// <summary>A call that waits.</summary>
    private sealed record Waiter(int Requests)
    {
        public TaskCompletionSource<long> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long GrantedAt { get; set; }
    }

    /// <summary>
    /// Permits for requests that are sent one after the other, and one slot for all of them. Disposing it returns the
    /// unused permits and the slot. For one caller at a time.
    /// </summary>
    internal sealed class Permit(AdaptiveRateLimiter limiter, long grantedAt, int requests) : IDisposable
    {
        private int _sent;
        private bool _isReturned;

        /// <summary>
        /// Counts a request that is sent now. A request beyond the permits borrows from the calls that wait.
        /// </summary>
        public Request Send()
        {
            var sentAt = limiter.Sent(isBorrowed: _sent >= requests);
            return new Request(limiter, _sent++ == 0 ? grantedAt : sentAt);
        }

        public void Dispose()
        {
            if (_isReturned)
                return;
            _isReturned = true;
            limiter.End(grantedAt, Math.Max(0, requests - _sent));
        }
    }

    /// <summary>A request that was sent.</summary>
    internal readonly struct Request(AdaptiveRateLimiter limiter, long sentAt)
    {
        /// <summary>Reports how the vendor answered; not called when no answer came.</summary>
        public void Answered(Failure? failure) => limiter.Answered(failure, sentAt);
    }
}
