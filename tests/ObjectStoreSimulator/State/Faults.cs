using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Faults to inject. Every rule counts the requests that match it; from call <see cref="FaultRule.FromCall"/> on it
/// strikes, at most <see cref="FaultRule.Times"/> times, each time with <see cref="FaultRule.Probability"/>. Latencies
/// add up; of the other faults the oldest rule that strikes wins, and the rest are not used up.
/// </summary>
internal sealed class Faults(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<State> _rules = [];
    private int _lastId;

    public ImmutableArray<FaultStatus> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _rules.Select(state => new FaultStatus(state.Rule, state.Seen, state.Struck))];
            }
        }
    }

    public FaultRule Add(FaultRule rule)
    {
        lock (_lock)
        {
            FaultRule added = rule with { Id = $"fault-{++_lastId}" };
            _rules.Add(new State(added, time));
            return added;
        }
    }

    public bool Remove(string id)
    {
        lock (_lock)
        {
            return _rules.RemoveAll(state => state.Rule.Id == id) > 0;
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _rules.Clear();
        }
    }

    /// <summary>What happens to this request. Call once for each.</summary>
    public (TimeSpan Latency, FaultRule? Fault) Draw(StoreCall call)
    {
        TimeSpan latency = TimeSpan.Zero;
        FaultRule? fault = null;
        lock (_lock)
        {
            foreach (State state in _rules.Where(state => state.Rule.Matches(call)))
            {
                bool strikes = state.SeesCall();
                if (strikes && state.Rule.Action == FaultAction.Latency)
                {
                    state.Struck++;
                    latency += TimeSpan.FromMilliseconds(state.Rule.LatencyMs);
                }
                else if (strikes && fault is null)
                {
                    state.Struck++;
                    fault = state.Rule;
                }
            }
        }

        return (latency, fault);
    }

    private sealed class State(FaultRule rule, TimeProvider time)
    {
        private double _allowance = rule.AbovePerSecond ?? 0;
        private long _filledAt = time.GetTimestamp();
        private readonly Random _random = new(rule.Seed);

        public FaultRule Rule => rule;

        public long Seen { get; private set; }

        public long Struck { get; set; }

        public bool SeesCall()
        {
            Seen++;
            bool dice = rule.Probability is not { } probability || _random.NextDouble() < probability;
            return dice
                && Seen >= rule.FromCall
                && (rule.Times is not { } times || Struck < times)
                && (rule.AbovePerSecond is not { } rate || Exceeds(rate));
        }

        /// <summary>A second's worth may come at once; a call that is struck costs nothing.</summary>
        private bool Exceeds(double rate)
        {
            long now = time.GetTimestamp();
            _allowance = Math.Min(rate, _allowance + (time.GetElapsedTime(_filledAt, now).TotalSeconds * rate));
            _filledAt = now;
            if (_allowance < 1)
            {
                return true;
            }

            _allowance--;
            return false;
        }
    }
}

internal enum FaultAction
{
    /// <summary>
    /// Answer <c>status</c>, <c>code</c>, <c>message</c>, <c>ec</c> in the vendor's shape; nothing is done.
    /// </summary>
    [JsonStringEnumMemberName("error")]
    Error,

    /// <summary>Wait <c>latencyMs</c>, then go on as usual.</summary>
    [JsonStringEnumMemberName("latency")]
    Latency,

    /// <summary>The operation is done; half of the body is sent, under a length that says so.</summary>
    [JsonStringEnumMemberName("cut")]
    Cut,

    /// <summary>Nothing is done; the connection is reset.</summary>
    [JsonStringEnumMemberName("reset")]
    Reset,

    /// <summary>
    /// The operation is done; half of the body is sent under the whole length, then the connection closes.
    /// </summary>
    [JsonStringEnumMemberName("truncate")]
    Truncate,

    /// <summary>Nothing is done, and no answer comes as long as the client waits.</summary>
    [JsonStringEnumMemberName("hang")]
    Hang,

    /// <summary>The operation is done; the connection is reset instead of an answer.</summary>
    [JsonStringEnumMemberName("answerLost")]
    AnswerLost,

    /// <summary>
    /// As <c>error</c>, but the body is empty, and headers tell where the vendor has such. Without a <c>code</c>: the
    /// genuine answer, if it is an error, loses its body.
    /// </summary>
    [JsonStringEnumMemberName("emptyBody")]
    EmptyBody,

    /// <summary>
    /// The operation is done; the body is not XML. With <c>status</c>: that status, as a broken proxy between would
    /// send.
    /// </summary>
    [JsonStringEnumMemberName("garbage")]
    Garbage,

    /// <summary>
    /// The operation is done; the body begins like the genuine one and goes on for <c>bytes</c> bytes.
    /// </summary>
    [JsonStringEnumMemberName("endless")]
    Endless,

    /// <summary>
    /// Nothing is done; somebody else answers, as a captive portal does: <c>status</c> (200), <c>contentType</c>
    /// (text/html) and <c>body</c> (a page).
    /// </summary>
    [JsonStringEnumMemberName("page")]
    Page,

    /// <summary>Nothing is done; <c>status</c> (302) leads to <c>location</c>.</summary>
    [JsonStringEnumMemberName("redirect")]
    Redirect,
}

internal sealed record FaultRule : RequestMatch
{
    public const long MaxEndlessBytes = 256L * 1024 * 1024;

    public string? Id { get; set; }

    public required FaultAction Action { get; init; }

    /// <summary>Counted from 1, over the requests that match.</summary>
    public int FromCall { get; set; } = 1;

    /// <summary>Null: always.</summary>
    public int? Times { get; set; }

    public double? Probability { get; set; }

    public int Seed { get; set; } = 1;

    /// <summary>
    /// Strikes only what comes faster than this: with an error such as 503 SlowDown, a vendor that throttles.
    /// </summary>
    public double? AbovePerSecond { get; set; }

    public int? Status { get; set; }

    public string? Code { get; set; }

    public string? Message { get; set; }

    public string? Ec { get; set; }

    /// <summary>Sent as <c>Retry-After</c> with an error.</summary>
    public int? RetryAfterSeconds { get; set; }

    public int LatencyMs { get; set; }

    public long Bytes { get; set; } = 64L * 1024 * 1024;

    public string? ContentType { get; set; }

    public string? Body { get; set; }

    public string? Location { get; set; }
}

internal sealed record FaultStatus(FaultRule Rule, long Seen, long Struck);
