using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>What a vendor's last word on a key was.</summary>
internal abstract record KeyStanding
{
    private KeyStanding()
    {
    }

    /// <summary>None yet, or none for so long that it is forgotten.</summary>
    public sealed record Untried : KeyStanding;

    public sealed record Taken : KeyStanding;

    public sealed record Rejected(Failure Failure) : KeyStanding;
}

/// <summary>
/// A breaker for each access key and realm (where one vendor knows the key), whatever stores and policies use it: a rejected key costs one
/// call, not one a bucket, and a vendor that locks keys after repeated bad signatures is not made to.
/// <list type="bullet">
/// <item>New: nobody knows the key yet. The first call is the probe, and the others wait for its end.</item>
/// <item>Proven: the vendor has taken the key. Calls pass.</item>
/// <item>Rejected: calls get the vendor's answer without asking it; once a minute one of them is the probe.</item>
/// </list>
/// An answer that says nothing about the key (5xx, no answer) changes nothing; who waited for it goes ahead, for the trouble may be the
/// one bucket's.
/// </summary>
internal sealed class KeyBreakers(TimeProvider time)
{
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromMinutes(1);

    /// <summary>A key that was replaced leaves nothing behind.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(AccessKey Key, string Realm), Breaker> _breakers = [];

    /// <summary>Replaced as a whole, and read without the gate.</summary>
    private ImmutableArray<Action<AccessKey>> _listeners = [];

    /// <summary>Tells of each key that is taken, or rejected, and was not before.</summary>
    /// <param name="listener">Called by whoever brought the answer; it must return at once.</param>
    public void Listen(Action<AccessKey> listener) => ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Add(one), listener);

    public void StopListening(Action<AccessKey> listener) => ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Remove(one), listener);

    /// <summary>Asks for leave to call the vendor with the key.</summary>
    /// <returns>The pass, or the failure with which the vendor has rejected the key.</returns>
    public async Task<Read<Pass>> EnterAsync(AccessKey key, string realm, CancellationToken cancellationToken)
    {
        Task probe;
        Breaker breaker;
        lock (_gate)
        {
            breaker = BreakerOf((key, realm));
            breaker.UsedAt = time.GetTimestamp();
            if (breaker.Rejection is not null)
                return Answer(breaker);
            if (breaker.IsProven)
                return Leave(breaker, probe: null);
            if (breaker.Probe is not { } running)
                return Leave(breaker, breaker.Probe = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            probe = running.Task;
        }
        await probe.WaitAsync(cancellationToken);
        lock (_gate)
            return breaker.Rejection is null ? Leave(breaker, probe: null) : Answer(breaker);
    }

    /// <summary>Whether a vendor has rejected the key, and not taken it since.</summary>
    public bool IsRejected(AccessKey key)
    {
        lock (_gate)
            return _breakers.Any(b => b.Key.Key == key && b.Value.Rejection is not null);
    }

    public KeyStanding StandingOf(AccessKey key, string realm)
    {
        lock (_gate)
        {
            return !_breakers.TryGetValue((key, realm), out var breaker) ? new KeyStanding.Untried()
                : breaker.Rejection is { } rejection ? new KeyStanding.Rejected(rejection)
                : breaker.IsProven ? new KeyStanding.Taken() : new KeyStanding.Untried();
        }
    }

    /// <summary>Keys that are known.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _breakers.Count;
        }
    }

    /// <summary>For metrics: how many keys are in which state.</summary>
    public (int New, int Proven, int Rejected) States
    {
        get
        {
            lock (_gate)
            {
                var rejected = _breakers.Values.Count(b => b.Rejection is not null);
                var proven = _breakers.Values.Count(b => b.IsProven);
                return (_breakers.Count - proven - rejected, proven, rejected);
            }
        }
    }

    private Breaker BreakerOf((AccessKey Key, string Realm) whose)
    {
        if (_breakers.TryGetValue(whose, out var known))
            return known;
        foreach (var (unused, _) in _breakers.Where(b => time.GetElapsedTime(b.Value.UsedAt) > KeptUnused).ToList())
            _breakers.Remove(unused);
        return _breakers[whose] = new Breaker(whose.Key);
    }

    private Read<Pass> Answer(Breaker breaker)
    {
        if (time.GetElapsedTime(breaker.ProbedAt) < ProbeAfter)
            return new Read<Pass>(Value: null, breaker.Rejection is { } rejection ? rejection with { IsVendorAnswer = false } : null); // the vendor said so of another bucket
        breaker.ProbedAt = time.GetTimestamp(); // this caller is the probe; the others do not wait for it
        return Leave(breaker, probe: null);
    }

    private Read<Pass> Leave(Breaker breaker, TaskCompletionSource? probe) => new(new Pass(this, breaker, breaker.Epoch, probe), Failure: null);

    private void Ended(Breaker breaker, int epoch, TaskCompletionSource? probe, Verdict verdict)
    {
        bool turned;
        lock (_gate)
        {
            var before = (breaker.IsProven, IsRejected: breaker.Rejection is not null);
            switch (verdict)
            {
                case Verdict.Taken when epoch == breaker.Epoch: // a call from before the rejection proves nothing
                    (breaker.IsProven, breaker.Rejection) = (true, null);
                    break;
                case Verdict.Rejected rejected:
                    if (breaker.Rejection is null)
                        (breaker.ProbedAt, breaker.Epoch) = (time.GetTimestamp(), breaker.Epoch + 1);
                    (breaker.IsProven, breaker.Rejection) = (false, rejected.Failure);
                    break;
            }
            if (probe is not null)
                breaker.Probe = null;
            turned = before != (breaker.IsProven, breaker.Rejection is not null);
        }
        probe?.SetResult();
        if (!turned)
            return;
        foreach (var listener in _listeners)
            listener(breaker.Key);
    }

    /// <summary>Leave to make one call, or the read and the write of one change. Disposing it without a word means that the call said nothing about the key.</summary>
    internal sealed class Pass(KeyBreakers breakers, Breaker breaker, int epoch, TaskCompletionSource? probe) : IDisposable
    {
        private Verdict _verdict = new Verdict.None();

        /// <param name="failure">Null for success.</param>
        public void Answered(Failure? failure) => _verdict = failure switch
        {
            { ConcernsCredentials: true } => new Verdict.Rejected(failure),
            { PassesByItself: true } or { HttpStatus: null } => _verdict, // a failure without a status is no answer of the vendor's; what an earlier call said stays
            _ => new Verdict.Taken(),
        };

        public void Dispose() => breakers.Ended(breaker, epoch, probe, _verdict);
    }

    /// <summary>Guarded by the gate.</summary>
    internal sealed class Breaker(AccessKey key)
    {
        public AccessKey Key => key;

        public bool IsProven { get; set; }
        public Failure? Rejection { get; set; }
        public long ProbedAt { get; set; }
        public long UsedAt { get; set; }

        /// <summary>How often the key was rejected anew.</summary>
        public int Epoch { get; set; }

        /// <summary>The first call with the key, while it runs.</summary>
        public TaskCompletionSource? Probe { get; set; }
    }

    internal abstract record Verdict
    {
        private Verdict()
        {
        }

        public sealed record None : Verdict;

        public sealed record Taken : Verdict;

        public sealed record Rejected(Failure Failure) : Verdict;
    }
}
