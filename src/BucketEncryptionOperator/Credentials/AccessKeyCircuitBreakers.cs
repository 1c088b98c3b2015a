using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>A vendor's last answer about a key in one realm.</summary>
internal abstract record AccessKeyState
{
    private AccessKeyState() { }

    /// <summary>The vendor has not been asked, or so long ago that the answer was dropped.</summary>
    public sealed record Untried : AccessKeyState;

    public sealed record Taken : AccessKeyState;

    public sealed record Rejected(Failure Failure) : AccessKeyState;
}

/// <summary>
/// One circuit breaker per access key and realm, whatever stores and policies use the key: a rejected key costs one
/// call, not one call per bucket, and a vendor that locks keys after repeated bad signatures is not made to. A realm is
/// where a key is either known or not: a region of a vendor, or an endpoint that is not the vendor's own.
/// <list type="bullet">
/// <item>New: the realm has not been asked. The first call is the probe, and the others wait for its end.</item>
/// <item>Proven: the realm has taken the key. Calls pass.</item>
/// <item>Rejected: calls get the vendor's answer without a call. Once a minute, for all realms of the key together, one
/// call passes as the probe.</item>
/// </list>
/// The probes go round the realms that reject the key and are asked for it, those that have taken it before going first
/// in each round. Within a realm a bucket whose probe brought no answer about the key goes last. So neither a region
/// that never knew the key nor a bucket that never answers keeps the others from finding out that the key is good
/// again.
/// <para>
/// Only the vendor's own answer moves a breaker (<see cref="Failure.IsVendorAnswer"/>), and only that of its own realm.
/// After any other answer (5xx, none, a page of a gateway) the callers that waited go ahead, for it may be the one
/// bucket's trouble.
/// </para>
/// </summary>
internal sealed class AccessKeyCircuitBreakers(TimeProvider time)
{
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A realm or bucket takes part in the round for this long after its last call. Rejected policies ask every 5
    /// seconds.
    /// </summary>
    private static readonly TimeSpan WaitsFor = TimeSpan.FromMinutes(1);

    /// <summary>An unused key, with its secret, leaves the memory after this time.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    /// <summary>
    /// Maximum number of buckets per realm that are remembered for having brought no answer about the key.
    /// </summary>
    private const int MaxSilent = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<AccessKey, KeyState> _keys = [];
    private long _sweptAt = time.GetTimestamp();

    /// <summary>Replaced as a whole, and read without the gate.</summary>
    private ImmutableArray<Action<AccessKey>> _listeners = [];

    /// <summary>
    /// Calls <paramref name="listener"/> for each key that a realm takes, or rejects, and did not before.
    /// </summary>
    /// <param name="listener">Runs on the caller that brought the answer; it must return at once.</param>
    public void Listen(Action<AccessKey> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Add(one), listener);

    public void StopListening(Action<AccessKey> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Remove(one), listener);

    /// <summary>Asks for leave to call the vendor with the key.</summary>
    /// <param name="bucket">The bucket that the call is for.</param>
    /// <returns>The pass, or the failure with which the vendor has rejected the key.</returns>
    public async Task<Result<Pass>> EnterAsync(
        AccessKey key,
        string realm,
        string bucket,
        CancellationToken cancellationToken
    )
    {
        Task probe;
        KeyState state;
        Breaker breaker;
        lock (_gate)
        {
            (state, breaker) = BreakerOf(key, realm);
            breaker.UsedAt = time.GetTimestamp();
            if (breaker.Rejection is not null)
                return Answer(state, breaker, bucket);
            if (breaker.IsProven)
                return Leave(state, breaker, bucket, probe: null);
            if (breaker.Probe is not { } running)
            {
                breaker.Probe = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return Leave(state, breaker, bucket, breaker.Probe);
            }
            probe = running.Task;
        }
        await probe.WaitAsync(cancellationToken);
        lock (_gate)
        {
            return breaker.Rejection is null
                ? Leave(state, breaker, bucket, probe: null)
                : Answer(state, breaker, bucket);
        }
    }

    /// <summary>Whether any realm has rejected the key, and not taken it since.</summary>
    public bool IsRejected(AccessKey key)
    {
        lock (_gate)
            return _keys.GetValueOrDefault(key)?.IsRejected == true;
    }

    /// <summary>
    /// Whether another key of the same owner may do better: a realm that had taken the key rejects it, or no realm
    /// takes it. A realm that has never known the key, while another takes it, will not know the owner's next key
    /// either.
    /// </summary>
    public bool NeedsReplacement(AccessKey key)
    {
        lock (_gate)
            return _keys.GetValueOrDefault(key) is { IsRejected: true } state
                && (!state.IsProven || state.Realms.Values.Any(b => b.Rejection is not null && b.HasTaken));
    }

    /// <summary>Whether another realm takes the key.</summary>
    public bool IsTakenElsewhere(AccessKey key, string realm)
    {
        lock (_gate)
            return _keys.GetValueOrDefault(key)?.Realms.Any(r => r.Key != realm && r.Value.IsProven) == true;
    }

    public AccessKeyState StandingOf(AccessKey key, string realm)
    {
        lock (_gate)
        {
            return _keys.GetValueOrDefault(key)?.Realms.GetValueOrDefault(realm) switch
            {
                { Rejection: { } rejection } => new AccessKeyState.Rejected(rejection),
                { IsProven: true } => new AccessKeyState.Taken(),
                _ => new AccessKeyState.Untried(),
            };
        }
    }

    /// <summary>Number of keys that are in memory.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _keys.Count;
        }
    }

    /// <summary>
    /// For metrics: the number of keys that some realm rejects, that some realm takes and none rejects, and the rest.
    /// </summary>
    public (int New, int Proven, int Rejected) States
    {
        get
        {
            lock (_gate)
            {
                Sweep();
                var rejected = _keys.Values.Count(k => k.IsRejected);
                var proven = _keys.Values.Count(k => !k.IsRejected && k.IsProven);
                return (_keys.Count - proven - rejected, proven, rejected);
            }
        }
    }

    private (KeyState State, Breaker Breaker) BreakerOf(AccessKey key, string realm)
    {
        Sweep();
        if (!_keys.TryGetValue(key, out var state))
            _keys[key] = state = new KeyState(key);
        if (!state.Realms.TryGetValue(realm, out var breaker))
            state.Realms[realm] = breaker = new Breaker();
        return (state, breaker);
    }

    /// <summary>
    /// Now and then, whether or not new keys come: a replaced key must not stay for the life of the process.
    /// </summary>
    private void Sweep()
    {
        if (time.GetElapsedTime(_sweptAt) < ProbeAfter)
            return;
        _sweptAt = time.GetTimestamp();
        foreach (var state in _keys.Values.ToList())
        {
            var unused = state.Realms.Where(r => time.GetElapsedTime(r.Value.UsedAt) > KeptUnused).ToList();
            foreach (var (realm, _) in unused)
                state.Realms.Remove(realm);
            if (state.Realms.Count == 0)
                _keys.Remove(state.Key);
        }
    }

    /// <summary>The rejection, or leave to be the probe.</summary>
    private Result<Pass> Answer(KeyState state, Breaker breaker, string bucket)
    {
        var now = time.GetTimestamp();
        breaker.AskedAt = now;
        if (!breaker.Silent.Contains(bucket))
            breaker.HeardAskAt = now;
        if (!MayProbe(state, breaker, bucket))
        {
            // The vendor said so to another call, maybe of another bucket.
            var failure = breaker.Rejection is { } rejection ? rejection with { IsVendorAnswer = false } : null;
            return new Result<Pass>(Value: null, failure);
        }
        if (breaker.Round == state.Round)
            state.Round++; // all that wait have had their turn
        breaker.Round = state.Round;
        (state.ProbedAt, breaker.ProbedAt) = (now, now);
        return Leave(state, breaker, bucket, probe: null);
    }

    private bool MayProbe(KeyState state, Breaker breaker, string bucket)
    {
        if (state.ProbedAt is { } last && time.GetElapsedTime(last) < ProbeAfter)
            return false;
        var next = state
            .Realms.Values.Where(b =>
                b.Rejection is not null && IsRecent(b.AskedAt) && time.GetElapsedTime(b.ProbedAt) >= ProbeAfter
            )
            .OrderBy(b => b.Round == state.Round)
            .ThenByDescending(b => b.HasTaken)
            .ThenBy(b => b.ProbedAt)
            .FirstOrDefault();
        return next == breaker && !(breaker.Silent.Contains(bucket) && IsRecent(breaker.HeardAskAt));
    }

    private bool IsRecent(long? at) => at is { } when && time.GetElapsedTime(when) < WaitsFor;

    private Result<Pass> Leave(KeyState state, Breaker breaker, string bucket, TaskCompletionSource? probe) =>
        new(new Pass(this, new Call(state, breaker, bucket, breaker.Epoch, probe)), Failure: null);

    private void Ended(Call call, Verdict verdict)
    {
        var breaker = call.Breaker;
        bool turned;
        lock (_gate)
        {
            // A call that began before the last turn is about a state that has ended.
            turned = call.Epoch == breaker.Epoch && Apply(breaker, verdict, call.Bucket);
            if (call.Probe is not null)
                breaker.Probe = null;
        }
        call.Probe?.SetResult();
        if (!turned)
            return;
        foreach (var listener in _listeners)
            listener(call.State.Key);
    }

    /// <returns>Whether the breaker has turned.</returns>
    private bool Apply(Breaker breaker, Verdict verdict, string bucket)
    {
        var wasRejected = breaker.Rejection is not null;
        var before = (breaker.IsProven, wasRejected);
        switch (verdict)
        {
            case Verdict.Taken:
                (breaker.IsProven, breaker.HasTaken, breaker.Rejection) = (true, true, null);
                break;
            case Verdict.Rejected rejected:
                (breaker.IsProven, breaker.Rejection) = (false, rejected.Failure);
                if (!wasRejected)
                    breaker.ProbedAt = time.GetTimestamp();
                break;
            case Verdict.None when wasRejected:
                if (breaker.Silent.Count >= MaxSilent)
                    breaker.Silent.Clear();
                breaker.Silent.Add(bucket);
                return false;
        }
        if (verdict is not Verdict.None)
            breaker.Silent.Clear();
        var turned = before != (breaker.IsProven, breaker.Rejection is not null);
        breaker.Epoch += turned ? 1 : 0;
        return turned;
    }

    /// <summary>
    /// Leave to make one call, or the read and the write of one change. Disposing it without an answer means that the
    /// calls said nothing about the key.
    /// </summary>
    internal sealed class Pass(AccessKeyCircuitBreakers breakers, Call call) : IDisposable
    {
        private Verdict _verdict = new Verdict.None();

        /// <param name="failure">Null for success.</param>
        public void Answered(Failure? failure) =>
            _verdict = failure switch
            {
                null => new Verdict.Taken(),
                { IsVendorAnswer: false } => _verdict, // what an earlier call of the same change said stays
                { ConcernsCredentials: true } => new Verdict.Rejected(failure),
                // Redirects are answered before the signature is looked at.
                { PassesByItself: true } or { HttpStatus: >= 300 and < 400 } => _verdict,
                _ => new Verdict.Taken(),
            };

        public void Dispose() => breakers.Ended(call, _verdict);
    }

    /// <param name="Epoch">The breaker's when the call began.</param>
    /// <param name="Probe">Set for the first call with a key, for which others wait.</param>
    internal sealed record Call(KeyState State, Breaker Breaker, string Bucket, int Epoch, TaskCompletionSource? Probe);

    /// <summary>Guarded by the gate.</summary>
    internal sealed class KeyState(AccessKey key)
    {
        public AccessKey Key => key;

        public Dictionary<string, Breaker> Realms { get; } = new(StringComparer.Ordinal);

        /// <summary>When the last probe of a realm that rejects the key began.</summary>
        public long? ProbedAt { get; set; }

        /// <summary>Counts how often every realm that waited has had its probe.</summary>
        public int Round { get; set; }

        public bool IsRejected => Realms.Values.Any(b => b.Rejection is not null);

        public bool IsProven => Realms.Values.Any(b => b.IsProven);
    }

    /// <summary>Guarded by the gate.</summary>
    internal sealed class Breaker
    {
        public bool IsProven { get; set; }

        /// <summary>The realm has taken the key at least once.</summary>
        public bool HasTaken { get; set; }

        public Failure? Rejection { get; set; }

        /// <summary>When the rejection came, or the last probe after it began.</summary>
        public long ProbedAt { get; set; }

        /// <summary>The round of the last probe.</summary>
        public int Round { get; set; } = -1;

        public long UsedAt { get; set; }

        /// <summary>The last call while the key is rejected.</summary>
        public long? AskedAt { get; set; }

        /// <summary>The last such call for a bucket that is not in <see cref="Silent"/>.</summary>
        public long? HeardAskAt { get; set; }

        /// <summary>Buckets whose probes brought no answer about the key since it was rejected.</summary>
        public HashSet<string> Silent { get; } = new(StringComparer.Ordinal);

        /// <summary>Number of turns between rejected and proven.</summary>
        public int Epoch { get; set; }

        /// <summary>The first call with the key, while it runs.</summary>
        public TaskCompletionSource? Probe { get; set; }
    }

    internal abstract record Verdict
    {
        private Verdict() { }

        public sealed record None : Verdict;

        public sealed record Taken : Verdict;

        public sealed record Rejected(Failure Failure) : Verdict;
    }
}
