using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Api;

/// <summary>The kinds that the operator reads, and how they are written as JSON.</summary>
internal static class ApiResources
{
    public const string Group = "bucketencryption.io";
    public const string Version = "v1alpha1";

    public const string Policy = "BucketEncryptionPolicy";
    public const string BucketStore = "BucketStore";
    public const string ClusterBucketStore = "ClusterBucketStore";

    public static KubeResource<BucketEncryptionPolicy> Policies { get; } =
        new(Group, Version, "bucketencryptionpolicies", ApiJsonContext.Default.BucketEncryptionPolicy);

    public static KubeResource<BucketStore> Stores { get; } =
        new(Group, Version, "bucketstores", ApiJsonContext.Default.BucketStore);

    public static KubeResource<ClusterBucketStore> ClusterStores { get; } =
        new(Group, Version, "clusterbucketstores", ApiJsonContext.Default.ClusterBucketStore);

    public static KubeResource<Namespace> Namespaces { get; } =
        new("", "v1", "namespaces", ApiJsonContext.Default.Namespace);
}

/// <summary>The status patch: a merge patch bound to the version that it was made from.</summary>
internal sealed record StatusPatch
{
    public required PatchMeta Metadata { get; init; }
    public required PolicyStatus Status { get; init; }
}

internal sealed record PatchMeta
{
    public required string ResourceVersion { get; init; }
}

/// <summary>Generated readers and writers: no reflection, so that trimming is safe and a start is quick.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    Converters = [
        typeof(KubeTimeConverter),
        typeof(OptionalKubeTimeConverter),
        typeof(NearestInt32Converter),
        typeof(NearestInt64Converter),
        typeof(RepeatedTextConverter),
        typeof(RequestAnnotations),
    ]
)]
[JsonSerializable(typeof(BucketEncryptionPolicy))]
[JsonSerializable(typeof(BucketStore))]
[JsonSerializable(typeof(ClusterBucketStore))]
[JsonSerializable(typeof(Namespace))]
[JsonSerializable(typeof(PolicyStatus))]
[JsonSerializable(typeof(StatusPatch))]
[JsonSerializable(typeof(StoreStatusPatch))]
internal sealed partial class ApiJsonContext : JsonSerializerContext;

/// <summary>Keeps the annotations with which people ask for something, and a hash of all others.</summary>
internal sealed class RequestAnnotations() : AnnotationsConverter(RequestedAt, ConfirmedWrites)
{
    /// <summary>Requests a reconcile, by any new value.</summary>
    public const string RequestedAt = "reconcile.fluxcd.io/requestedAt";

    /// <summary>Confirms more writes than a selector's <c>maxWrites</c>, for the generation that it names.</summary>
    public const string ConfirmedWrites = "bucketencryption.io/confirmed-writes";
}

/// <summary>
/// Times as in <c>metav1.Time</c>: UTC, whole seconds, <c>Z</c>. A written time reads back equal. A time that cannot be
/// read is the earliest one.
/// </summary>
internal sealed class KubeTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        KubeTime.Read(ref reader) ?? DateTimeOffset.UnixEpoch;

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Text(value));

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>Returns the instant as it will be read back.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}

/// <summary>The same for an optional time: one that cannot be read is absent.</summary>
internal sealed class OptionalKubeTimeConverter : JsonConverter<DateTimeOffset?>
{
    public override DateTimeOffset? Read(
        ref Utf8JsonReader reader,
        Type typeToConvert,
        JsonSerializerOptions options
    ) => KubeTime.Read(ref reader);

    public override void Write(Utf8JsonWriter writer, DateTimeOffset? value, JsonSerializerOptions options)
    {
        if (value is { } time)
            writer.WriteStringValue(KubeTimeConverter.Text(time));
        else
            writer.WriteNullValue();
    }
}
