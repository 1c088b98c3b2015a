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
/// Which process leads. The times are for people: no decision uses them, because they come from the clock of another
/// machine.
/// </summary>
public sealed record LeaseRecord
{
    /// <summary>
    /// Duration of a released lease: the shortest one that the API server accepts, as with client-go.
    /// </summary>
    private const int ReleasedSeconds = 1;

    /// <summary>Empty if no process leads.</summary>
    public string HolderIdentity
    {
        get;
        init => field = value ?? "";
    } = "";

    public int? LeaseDurationSeconds { get; init; }

    public DateTimeOffset? AcquireTime { get; init; }

    public DateTimeOffset? RenewTime { get; init; }

    /// <summary>Number of changes of the holder.</summary>
    public int? LeaseTransitions { get; init; }

    /// <summary>Returns the next record with this holder, whether it took over or renewed.</summary>
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
    /// Counts one more change. It stops at the maximum, because the API server refuses a negative number, and with it
    /// every claim.
    /// </summary>
    private static int Next(int? transitions) =>
        transitions switch
        {
            null => 0,
            int.MaxValue => int.MaxValue,
            { } count => count + 1,
        };

    /// <summary>
    /// Returns a renewal time that differs from the last one. A write that changes nothing gets no new version and no
    /// watch event, so under a clock that stands still, or was set back, the standbys would miss the renewal.
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
