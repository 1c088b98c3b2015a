namespace Integration.Tests.Harness;

/// <summary>A request on its way through a <see cref="HttpFaultProxy"/>.</summary>
/// <param name="Number">From 1, in the order of arrival.</param>
internal sealed record ProxiedCall(int Number, string Method, string Path, string Query, string Authorization)
{
    public bool IsWatch => Query.Contains("watch=1", StringComparison.Ordinal);
}

/// <summary>What becomes of it, where it does not just pass.</summary>
internal abstract record HttpFault
{
    private HttpFault() { }

    /// <summary>The proxy answers with a Status object; the server never hears of it.</summary>
    public sealed record Answer(int Status) : HttpFault
    {
        public int? RetryAfterSeconds { get; init; }
    }

    /// <summary>Of a watch: 200, and an event that says 410. Other requests get the status.</summary>
    public sealed record ExpiredEvent : HttpFault;

    /// <summary>
    /// The server does what was asked; so much of its answer arrives, and then its end: a clean one, or with
    /// <paramref name="Breaks"/> that of a broken stream.
    /// </summary>
    public sealed record Truncate(int Bytes, bool Breaks) : HttpFault;

    /// <summary>
    /// The server does what was asked; this byte of its answer, counted from 0, arrives as NUL, which no JSON holds.
    /// </summary>
    /// <remarks>
    /// A byte that becomes another letter is not among the faults: no client can notice it, and TLS lets none through.
    /// </remarks>
    public sealed record Corrupt(int At) : HttpFault;
}

/// <summary>Which calls a fault strikes.</summary>
internal static class FaultPlan
{
    private const int LongestHead = 4000;

    public static Func<ProxiedCall, HttpFault?> AtCall(int number, HttpFault fault) =>
        call => call.Number == number ? fault : null;

    /// <summary>
    /// Any fault at any call, with this probability. The same seed and the same order of calls give the same faults.
    /// </summary>
    public static Func<ProxiedCall, HttpFault?> AtRandom(Random random, double probability)
    {
        var gate = new Lock();
        return call =>
        {
            lock (gate)
                return random.NextDouble() < probability ? Any(random) : null;
        };
    }

    private static HttpFault Any(Random random) =>
        random.Next(7) switch
        {
            0 => new HttpFault.Answer(429) { RetryAfterSeconds = 1 },
            1 => new HttpFault.Answer(500),
            2 => new HttpFault.Answer(503),
            3 => new HttpFault.ExpiredEvent(),
            4 => new HttpFault.Truncate(random.Next(LongestHead), Breaks: false),
            5 => new HttpFault.Truncate(random.Next(LongestHead), Breaks: true),
            _ => new HttpFault.Corrupt(random.Next(LongestHead)),
        };
}
