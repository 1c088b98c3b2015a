namespace ObjectStoreSimulator.State;

/// <summary>
/// All that the simulator knows, shared by dialects, pipeline and admin API. Each part guards itself with its own lock.
/// </summary>
internal sealed class World
{
    public World(TimeProvider time, int recordedRequests)
    {
        Clock = new SimulatorClock(time);
        Identities = new Identities(Clock, Accounts);
        Buckets = new Buckets(time);
        KmsKeys = new KmsKeys(Settings);
        Faults = new Faults(time);
        Recorder = new Recorder(recordedRequests);
    }

    public SimulatorClock Clock { get; }

    public Settings Settings { get; } = new();

    public Accounts Accounts { get; } = new();

    public Identities Identities { get; }

    public Buckets Buckets { get; }

    public KmsKeys KmsKeys { get; }

    public DenyRules DenyRules { get; } = new();

    public Faults Faults { get; }

    public HoldPoints HoldPoints { get; } = new();

    public Counters Counters { get; } = new();

    public Recorder Recorder { get; }

    /// <summary>A client's change: readers see it after the bucket's lag, or the general one.</summary>
    public void Write(string bucket, string? xml) =>
        Buckets.SetEncryption(bucket, xml, TimeSpan.FromMilliseconds(Settings.Values.ReadLagMs));

    /// <summary>Forgets everything and releases what is held. Request ids go on counting.</summary>
    public void Clear()
    {
        Settings.Clear();
        Clock.Offset = TimeSpan.Zero;
        Accounts.Clear();
        Identities.Clear();
        Buckets.Clear();
        KmsKeys.Clear();
        DenyRules.Clear();
        Faults.Clear();
        HoldPoints.ReleaseAll();
        Counters.Clear();
        Recorder.Clear();
    }
}

/// <summary>
/// The server's wall clock: the injected one plus an offset, so that clients can meet a store whose clock is off.
/// </summary>
internal sealed class SimulatorClock(TimeProvider time)
{
    private long _offsetTicks;

    public TimeProvider Time => time;

    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _offsetTicks));
        set => Interlocked.Exchange(ref _offsetTicks, value.Ticks);
    }

    public DateTimeOffset UtcNow => time.GetUtcNow() + Offset;
}
