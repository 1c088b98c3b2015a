using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace TestKit;

// The simulator's admin documents, as tests/ObjectStoreSimulator/README.md has them. Kept apart from the simulator's
// own types, so that tests can talk to a simulator in another process, and so that a change of the wire shows.

/// <summary>A key that may sign. <see cref="SecurityToken"/> makes it a temporary (STS) one.</summary>
public sealed record SimulatedAccount(string Secret)
{
    public string? SecurityToken { get; init; }

    public DateTimeOffset? TokenExpiresAt { get; init; }

    /// <summary>The id of the account.</summary>
    public string Owner { get; init; } = "123456789012";

    public bool Enabled { get; init; } = true;

    public bool KmsEnabled { get; init; } = true;

    public bool Sm4Enabled { get; init; } = true;
}

public sealed record SimulatedBucket
{
    public string Region { get; init; } = "cn-hangzhou";

    public string? CloudBoxId { get; init; }

    public int? ReadLagMs { get; init; }

    public string? CustomDomain { get; init; }

    public string Owner { get; init; } = "123456789012";

    /// <summary>Null: those that the bucket has already.</summary>
    public ImmutableSortedDictionary<string, string>? Tags { get; init; }

    /// <summary><c>none</c>, <c>unsupported</c> or <c>bucketKeyOnly</c> (OBS).</summary>
    public string FileSystem { get; init; } = "none";
}

/// <summary>A key of the vendor's key service; what is null is as the vendor's keys usually are.</summary>
public sealed record SimulatedKmsKey
{
    /// <summary>With their prefix, <c>alias/</c>.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary>Enabled, Disabled, PendingDeletion, PendingImport, or another word of the vendor's.</summary>
    public string State { get; init; } = "Enabled";

    public DateTimeOffset? DeletionDate { get; init; }

    public string? Usage { get; init; }

    public string? Spec { get; init; }

    public string? Origin { get; init; }

    public string? Region { get; init; }

    public string? ProjectId { get; init; }

    public string Owner { get; init; } = "123456789012";

    /// <summary>Access keys that may ask for it; null: all of the owner's.</summary>
    public ImmutableArray<string>? MayDescribe { get; init; }

    public bool Managed { get; init; }

    public bool MultiRegion { get; init; }

    public string? EncryptionError { get; init; }

    public string? DecryptionError { get; init; }
}

public static class StoreOperations
{
    public const string Get = "GetBucketEncryption";
    public const string Put = "PutBucketEncryption";
    public const string Delete = "DeleteBucketEncryption";
    public const string Info = "GetBucketInfo";
    public const string List = "ListBuckets";
    public const string Location = "GetBucketLocation";
    public const string Tags = "GetBucketTagging";
    public const string DescribeKey = "DescribeKey";
}

public sealed record SimulatorSettings
{
    public bool ErrorNamespace { get; init; }

    public bool EmptyErrorBodies { get; init; }

    public int NotConfiguredStatus { get; init; } = 404;

    public string? NotConfiguredCode { get; init; }

    public int? ListPageSize { get; init; }

    public string? NoTagsCode { get; init; }

    public bool WhiteSpace { get; init; }

    public bool UnknownElements { get; init; }

    public bool LongKeyIds { get; init; }

    public bool EchoBucketKey { get; init; }

    public bool ReverseOrder { get; init; }

    public string? Namespace { get; init; }

    public ImmutableArray<string>? Algorithms { get; init; }

    public ImmutableArray<string>? KmsKeys { get; init; }

    public bool NoEncryptionSubResource { get; init; }

    public int ReadLagMs { get; init; }

    public double ClockOffsetSeconds { get; init; }
}

/// <summary>Which requests a rule is about; null and empty match all.</summary>
public abstract record StoreRequestMatch
{
    public string? Id { get; init; }

    public string? Bucket { get; init; }

    public string? KmsKey { get; init; }

    public ImmutableArray<string> Operations { get; init; } = [];

    public string? AccessKeyId { get; init; }
}

public sealed record DenyRule : StoreRequestMatch
{
    /// <summary>Null, as the code: as the vendor usually refuses.</summary>
    public int? Status { get; init; }

    public string? Code { get; init; }

    public string? Message { get; init; }

    public string? Ec { get; init; }

    public bool ByKms { get; init; }
}

public static class FaultActions
{
    public const string Error = "error";
    public const string Latency = "latency";
    public const string Reset = "reset";
    public const string Truncate = "truncate";
    public const string Cut = "cut";
    public const string Hang = "hang";
    public const string AnswerLost = "answerLost";
    public const string EmptyBody = "emptyBody";
    public const string Garbage = "garbage";
    public const string Endless = "endless";
    public const string Page = "page";
    public const string Redirect = "redirect";
}

/// <summary>
/// Strikes from matching call <see cref="FromCall"/> (1 is the first), at most <see cref="Times"/> times (null:
/// always).
/// </summary>
/// <param name="Action">One of <see cref="FaultActions"/>.</param>
public sealed record FaultRule(string Action) : StoreRequestMatch
{
    public int FromCall { get; init; } = 1;

    public int? Times { get; init; }

    public double? Probability { get; init; }

    public int Seed { get; init; } = 1;

    public double? AbovePerSecond { get; init; }

    public int? Status { get; init; }

    public string? Code { get; init; }

    public string? Message { get; init; }

    public string? Ec { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public int LatencyMs { get; init; }

    public long? Bytes { get; init; }

    public string? ContentType { get; init; }

    public string? Body { get; init; }

    public string? Location { get; init; }
}

public sealed record FaultStatus(FaultRule Rule, long Seen, long Struck);

public static class HoldPhases
{
    public const string Before = "before";
    public const string After = "after";
}

/// <summary>Parks matching requests before or after the operation. <see cref="Times"/> null: every one.</summary>
/// <param name="Phase">One of <see cref="HoldPhases"/>.</param>
public sealed record HoldRule(string Phase) : StoreRequestMatch
{
    public int? Times { get; init; }
}

public sealed record HeldRequest(
    string Id,
    string HoldId,
    string Phase,
    string? Bucket,
    string Operation,
    string? AccessKeyId,
    DateTimeOffset Since
);

public sealed record SimulatorCounters(
    Tally Total,
    int InFlight,
    int PeakInFlight,
    ImmutableDictionary<string, ImmutableDictionary<string, Tally>> Buckets,
    ImmutableDictionary<string, ImmutableDictionary<string, Tally>> KmsKeys,
    ImmutableArray<StoreWrite> Writes
)
{
    /// <summary>All zero when the bucket has seen no such operation.</summary>
    public Tally Of(string bucket, string operation) =>
        Buckets.GetValueOrDefault(bucket)?.GetValueOrDefault(operation) ?? Tally.Zero;

    /// <summary>How often the key service was asked for this key, by its id or alias as asked; null: for any.</summary>
    public long Descriptions(string? kmsKey = null) =>
        KmsKeys
            .Where(key => kmsKey is null || key.Key == kmsKey)
            .Sum(key => key.Value.GetValueOrDefault(StoreOperations.DescribeKey)?.Received ?? 0);

    /// <summary>PUTs and DELETEs of this bucket that the vendor accepted, whether or not the answer arrived.</summary>
    public int AcceptedWrites(string bucket) => Writes.Count(write => write.Bucket == bucket && write.Accepted);
}

/// <summary>
/// Received = succeeded + rejected + spoiled + in flight. Spoiled: the client got no answer of the vendor's.
/// </summary>
public sealed record Tally(long Received, long Succeeded, ImmutableDictionary<string, long> Rejected, long Spoiled)
{
    public static readonly Tally Zero = new(0, 0, ImmutableDictionary<string, long>.Empty, 0);
}

public sealed record StoreWrite(
    DateTimeOffset Time,
    string? Bucket,
    string Operation,
    string? AccessKeyId,
    bool Accepted,
    string? Code
);

/// <summary>Header names are lower case and sorted; signatures and tokens are <c>***</c>.</summary>
public sealed record RecordedRequest(
    long Sequence,
    DateTimeOffset Time,
    string Method,
    string Host,
    string Target,
    ImmutableArray<KeyValuePair<string, string>> Headers,
    string Body,
    string? Bucket,
    string Operation,
    string? AccessKeyId,
    int ClientPort,
    string? KmsKey,
    int? Status,
    string? Code
);

internal sealed record HoldList(ImmutableArray<HoldRule> Rules, ImmutableArray<HeldRequest> Held);

internal sealed record ReleasedCount(int Count);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(SimulatedAccount))]
[JsonSerializable(typeof(SimulatedBucket))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(SimulatedKmsKey))]
[JsonSerializable(typeof(SimulatorSettings))]
[JsonSerializable(typeof(DenyRule))]
[JsonSerializable(typeof(FaultRule))]
[JsonSerializable(typeof(ImmutableArray<FaultStatus>))]
[JsonSerializable(typeof(HoldRule))]
[JsonSerializable(typeof(HoldList))]
[JsonSerializable(typeof(ReleasedCount))]
[JsonSerializable(typeof(SimulatorCounters))]
[JsonSerializable(typeof(ImmutableArray<RecordedRequest>))]
internal sealed partial class SimulatorJson : JsonSerializerContext;
