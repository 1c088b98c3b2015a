using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;
using KubeRuntime.Client;

namespace KubeRuntime.LeaderElection;

/// <summary>A <c>Lease</c> of <c>coordination.k8s.io/v1</c>.</summary>
public sealed record Lease : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }

    [JsonConverter(typeof(LeaseRecordConverter))]
    public LeaseRecord Spec
    {
        get;
        init => field = value ?? new LeaseRecord();
    } = new();

    internal static Lease Of(V1Lease lease) =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = lease.Metadata?.Name ?? "",
                Namespace = lease.Metadata?.NamespaceProperty ?? "",
                ResourceVersion = lease.Metadata?.ResourceVersion ?? "",
            },
            Spec = LeaseRecord.Of(lease.Spec) ?? new LeaseRecord(),
        };

    public static KubeResource<Lease> Resource { get; } =
        new("coordination.k8s.io", "v1", "leases", LeaseJson.Default.Lease);
}

/// <summary>
/// Who leads. The times are for people who read it: no decision here looks at them, for they are another machine's
/// clock.
/// </summary>
public sealed record LeaseRecord
{
    /// <summary>
    /// Nobody's while it is released. Whoever releases writes the shortest that the API takes, as client-go does.
    /// </summary>
    private const int ReleasedSeconds = 1;

    /// <summary>Empty: nobody.</summary>
    public string HolderIdentity
    {
        get;
        init => field = value ?? "";
    } = "";

    public int? LeaseDurationSeconds { get; init; }

    public DateTimeOffset? AcquireTime { get; init; }

    public DateTimeOffset? RenewTime { get; init; }

    /// <summary>How often the holder has changed.</summary>
    public int? LeaseTransitions { get; init; }

    /// <summary>The next record with this holder: taken over from somebody, or renewed.</summary>
    public LeaseRecord HeldBy(string identity, TimeSpan duration, DateTimeOffset now)
    {
        var renewed = this with
        {
            HolderIdentity = identity,
            LeaseDurationSeconds = (int)Math.Ceiling(duration.TotalSeconds),
            RenewTime = After(now),
        };
        return HolderIdentity == identity
            ? renewed
            : renewed with
            {
                AcquireTime = renewed.RenewTime,
                LeaseTransitions = Next(LeaseTransitions),
            };
    }

    public LeaseRecord Released(DateTimeOffset now) =>
        this with
        {
            HolderIdentity = "",
            LeaseDurationSeconds = ReleasedSeconds,
            RenewTime = After(now),
        };

    internal static LeaseRecord? Of(V1LeaseSpec? spec) =>
        spec is null
            ? null
            : new LeaseRecord
            {
                HolderIdentity = spec.HolderIdentity ?? "",
                LeaseDurationSeconds = spec.LeaseDurationSeconds,
                AcquireTime = spec.AcquireTime,
                RenewTime = spec.RenewTime,
                LeaseTransitions = spec.LeaseTransitions,
            };

    internal V1LeaseSpec ToSpec() =>
        new()
        {
            HolderIdentity = HolderIdentity,
            LeaseDurationSeconds = LeaseDurationSeconds,
            AcquireTime = AcquireTime?.UtcDateTime,
            RenewTime = RenewTime?.UtcDateTime,
            LeaseTransitions = LeaseTransitions,
        };

    /// <summary>
    /// Stays at the largest number, for the API server refuses a negative one, and with it every claim.
    /// </summary>
    private static int Next(int? transitions) =>
        transitions switch
        {
            null => 0,
            int.MaxValue => int.MaxValue,
            { } count => count + 1,
        };

    /// <summary>
    /// Every write must change the record: a write that changes nothing gets no new version and no watch event, and the
    /// standbys would take a renewal under a clock that stands still, or was set back, for none.
    /// </summary>
    private DateTimeOffset After(DateTimeOffset now)
    {
        var micros = new DateTimeOffset(
            now.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond,
            TimeSpan.Zero
        );
        return RenewTime is { } last && last >= micros ? last + TimeSpan.FromMicroseconds(1) : micros;
    }
}

/// <summary>Reads and writes the spec as the library's model has it.</summary>
internal sealed class LeaseRecordConverter : JsonConverter<LeaseRecord>
{
    public override LeaseRecord? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        LeaseRecord.Of(JsonSerializer.Deserialize(ref reader, LeaseJson.Default.V1LeaseSpec));

    public override void Write(Utf8JsonWriter writer, LeaseRecord value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.ToSpec(), LeaseJson.Default.V1LeaseSpec);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(OptionalMicroTimeConverter)]
)]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(V1LeaseSpec))]
internal sealed partial class LeaseJson : JsonSerializerContext;
