using System.Text.Json.Serialization;
using KubeRuntime.Api;

namespace KubeRuntime.Leading;

/// <summary>A <c>Lease</c> of <c>coordination.k8s.io/v1</c>.</summary>
public sealed record Lease : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }

    public LeaseRecord Spec { get; init => field = value ?? new LeaseRecord(); } = new();

    public static KubeResource<Lease> Resource { get; } = new("coordination.k8s.io", "v1", "leases", LeaseJson.Default.Lease);
}

/// <summary>Who leads. The times are for people who read it: no decision here looks at them, for they are another machine's clock.</summary>
public sealed record LeaseRecord
{
    /// <summary>Nobody's while it is released. Whoever releases writes the shortest that the API takes, as client-go does.</summary>
    private const int ReleasedSeconds = 1;

    /// <summary>Empty: nobody.</summary>
    public string HolderIdentity { get; init => field = value ?? ""; } = "";

    public int? LeaseDurationSeconds { get; init; }

    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? AcquireTime { get; init; }

    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? RenewTime { get; init; }

    /// <summary>How often the holder has changed.</summary>
    public int? LeaseTransitions { get; init; }

    /// <summary>The next record with this holder: taken over from somebody, or renewed.</summary>
    public LeaseRecord HeldBy(string identity, TimeSpan duration, DateTimeOffset now)
    {
        var renewed = this with { HolderIdentity = identity, LeaseDurationSeconds = (int)Math.Ceiling(duration.TotalSeconds), RenewTime = After(now) };
        return HolderIdentity == identity ? renewed : renewed with { AcquireTime = renewed.RenewTime, LeaseTransitions = Next(LeaseTransitions) };
    }

    public LeaseRecord Released(DateTimeOffset now) => this with { HolderIdentity = "", LeaseDurationSeconds = ReleasedSeconds, RenewTime = After(now) };

    /// <summary>Stays at the largest number, for the API server refuses a negative one, and with it every claim.</summary>
    private static int Next(int? transitions) => transitions switch
    {
        null => 0,
        int.MaxValue => int.MaxValue,
        { } count => count + 1,
    };

    /// <summary>
    /// Every write must change the record: a write that changes nothing gets no new version and no watch event, and the standbys would
    /// take a renewal under a clock that stands still, or was set back, for none.
    /// </summary>
    private DateTimeOffset After(DateTimeOffset now)
    {
        var micros = new DateTimeOffset(now.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
        return RenewTime is { } last && last >= micros ? last + TimeSpan.FromMicroseconds(1) : micros;
    }
}

/// <summary>A lease as it is written: whole on creation, as a merge patch afterwards.</summary>
internal sealed record LeaseWrite(LeaseWriteMeta Metadata, LeaseRecord Spec)
{
    public string ApiVersion { get; init; } = "coordination.k8s.io/v1";

    public string Kind { get; init; } = "Lease";
}

internal sealed record LeaseWriteMeta(string? Name, string? Namespace, string? ResourceVersion);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(LeaseWrite))]
internal sealed partial class LeaseJson : JsonSerializerContext;
