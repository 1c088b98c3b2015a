using System.Collections.Immutable;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Api;

/// <summary>
/// <c>BucketEncryptionPolicy</c> as on the wire (crds/bucketencryptionpolicies.yaml). Null means absent; only
/// <c>PolicyReader</c> gives absence a meaning.
/// </summary>
internal sealed record BucketEncryptionPolicy : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }
    public required PolicySpec Spec { get; init; }
    public PolicyStatus? Status { get; init; }
}

internal sealed record PolicySpec
{
    public required StoreReference StoreRef { get; init; }

    /// <summary>The buckets by name; empty where <see cref="BucketSelector"/> selects them.</summary>
    public ImmutableArray<BucketReference> Buckets
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
    public BucketSelectorSpec? BucketSelector { get; init; }
    public required EncryptionSpec Encryption { get; init; }
    public string? Match { get; init; }
    public bool? AllowDowngrade { get; init; }
    public string? Mode { get; init; }
    public string? DeletionPolicy { get; init; }
    public string? ResyncInterval { get; init; }
    public bool? Suspend { get; init; }
}

internal sealed record StoreReference
{
    public string? Kind { get; init; }
    public required string Name { get; init; }
}

internal sealed record BucketReference
{
    public required string Name { get; init; }
}

/// <summary>Selects buckets of those that the vendor lists.</summary>
internal sealed record BucketSelectorSpec
{
    /// <summary>Globs, of which one must match.</summary>
    public ImmutableArray<string> MatchNames
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Globs, of which none may match.</summary>
    public ImmutableArray<string> ExcludeNames
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Tags that a bucket must have, all of them.</summary>
    public ImmutableDictionary<string, string>? MatchTags { get; init; }

    /// <summary>Maximum number of buckets that one pass writes without a confirmation.</summary>
    public int? MaxWrites { get; init; }
}

internal sealed record EncryptionSpec
{
    public required string Algorithm { get; init; }
    public KmsKeySpec? KmsKey { get; init; }
    public string? KmsDataEncryption { get; init; }
    public string? KmsProjectId { get; init; }
    public bool? BucketKeyEnabled { get; init; }
    public ImmutableArray<string>? BlockedEncryptionTypes { get; init; }
}

internal sealed record KmsKeySpec
{
    public string? Id { get; init; }
    public bool? VendorDefault { get; init; }
}

/// <summary>
/// Lists are never default: a generated reader leaves an absent one default, and every use would have to check.
/// </summary>
internal sealed record PolicyStatus
{
    public long? ObservedGeneration { get; init; }
    public string? LastHandledReconcileAt { get; init; }
    public DateTimeOffset? LastVerifiedTime { get; init; }

    /// <summary>
    /// The inputs of the last reconcile besides the spec: the store and its keys, with their versions.
    /// </summary>
    public string? Inputs { get; init; }
    public ImmutableArray<Condition> Conditions
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
    public BucketSummary? Summary { get; init; }

    /// <summary>What the list of the account's buckets has shown; null for a policy that names its buckets.</summary>
    public DiscoveryStatus? Discovery { get; init; }

    /// <summary>
    /// Errors that several rows share, where the status would be too large with the texts in each row; null
    /// otherwise.
    /// </summary>
    public ImmutableArray<ProblemStatus>? Problems { get; init; }

    /// <summary>Each bucket once: of two rows of one name, which only an edited status has, the first counts.</summary>
    public ImmutableArray<BucketStatus> Buckets
    {
        get;
        init => (field, _byName) = (value.IsDefault ? [] : Distinct(value), null);
    } = [];

    private Dictionary<string, BucketStatus>? _byName;

    /// <summary>Returns the row of a bucket; null where there is none.</summary>
    public BucketStatus? RowOf(string bucket)
    {
        const int FewRows = 16;
        if (Buckets.Length <= FewRows)
            return Buckets.FirstOrDefault(b => b.Name == bucket);
        // Two threads may make it at the same time; both make the same.
        var byName = _byName ??= Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal);
        return byName.GetValueOrDefault(bucket);
    }

    private static ImmutableArray<BucketStatus> Distinct(ImmutableArray<BucketStatus> rows)
    {
        var names = new HashSet<string>(rows.Length, StringComparer.Ordinal);
        return rows.All(r => names.Add(r.Name)) ? rows : [.. rows.DistinctBy(r => r.Name, StringComparer.Ordinal)];
    }
}

/// <summary>How many buckets of the account a policy with a selector covers. Numbers of buckets.</summary>
internal sealed record DiscoveryStatus
{
    /// <summary>
    /// When a complete list was last read. Written with any other change, and at most once per
    /// <c>--evidence-interval</c> otherwise.
    /// </summary>
    public DateTimeOffset? LastTime { get; init; }

    public int Matched { get; init; }
    public int Excluded { get; init; }
    public int OtherRegions { get; init; }
    public int OwnedByOthers { get; init; }
    public int OwnedByOthersNotAsDeclared { get; init; }

    /// <summary>Matched and not in the policy: more than it takes, or their tags could not be read.</summary>
    public int NotCovered { get; init; }
}

/// <summary>An error that several rows share.</summary>
internal sealed record ProblemStatus
{
    public required string Operation { get; init; }
    public required string Code { get; init; }
    public int? HttpStatus { get; init; }
    public string? Ec { get; init; }
    public string? Message { get; init; }
    public string? Hint { get; init; }

    /// <summary>Number of rows with it.</summary>
    public int Count { get; init; }
}

internal sealed record BucketSummary
{
    public int Total { get; init; }
    public int InSync { get; init; }
    public int Drifted { get; init; }
    public int Failed { get; init; }
    public int Unknown { get; init; }
    public string Text { get; init; } = "";
}

/// <summary>What the status says of one bucket.</summary>
internal sealed record BucketStatus
{
    public const string InSync = "InSync";
    public const string Drifted = "Drifted";
    public const string Failed = "Failed";
    public const string Unknown = "Unknown";

    /// <summary>Not the policy's any more, or the policy is being deleted; something remains to be done.</summary>
    public const string Releasing = "Releasing";

    public required string Name { get; init; }
    public required string State { get; init; }

    /// <summary>Where the bucket is. The row is about this bucket, not about one of the same name elsewhere.</summary>
    public string? Partition { get; init; }
    public ObservedEncryption? Observed { get; init; }
    public PlannedWrite? Planned { get; init; }
    public WriteRecord? Writes { get; init; }
    public BucketError? Error { get; init; }
    public DateTimeOffset? LastAppliedTime { get; init; }

    /// <summary>Since when the policy's own keys open the bucket. Absent while they do not.</summary>
    public DateTimeOffset? ClaimedTime { get; init; }

    /// <summary>
    /// Since when the vendor denies a bucket that the policy had claimed. It stays kept from policies that declare
    /// something else.
    /// </summary>
    public DateTimeOffset? ClaimDeniedTime { get; init; }

    /// <summary>The id under which the store answers its own default key.</summary>
    public string? VendorKeyId { get; init; }

    /// <summary>Writes that the vendor denied.</summary>
    public DeniedWrites? Denied { get; init; }

    /// <summary>Since when this policy, of all that claim the bucket, has owned it.</summary>
    public DateTimeOffset? HeldTime { get; init; }
    public OriginalEncryption? Original { get; init; }
}

/// <summary>A write that mode Audit, or the operator's --read-only, has kept from being sent.</summary>
internal sealed record PlannedWrite
{
    public const string Put = "PutBucketEncryption";
    public const string Delete = "DeleteBucketEncryption";

    /// <summary>Maximum length in characters; a document has some hundred.</summary>
    public const int MaxDocument = 4096;

    public required string Operation { get; init; }
    public required ObservedEncryption Target { get; init; }
    public string? Document { get; init; }
}

/// <summary>What the bucket had before the policy's first write.</summary>
internal sealed record OriginalEncryption
{
    public const string Recorded = "Recorded";
    public const string Unavailable = "Unavailable";

    public required string State { get; init; }
    public ObservedEncryption? Encryption { get; init; }
    public string? Document { get; init; }
    public DateTimeOffset? RecordedTime { get; init; }
}

internal sealed record ObservedEncryption
{
    public required string Algorithm { get; init; }
    public string? KmsKeyId { get; init; }
    public string? KmsDataEncryption { get; init; }
    public string? KmsProjectId { get; init; }
    public bool? BucketKeyEnabled { get; init; }

    /// <summary>In a fixed order.</summary>
    public ImmutableArray<string>? BlockedEncryptionTypes { get; init; }

    /// <summary>An array is equal to itself only, so its members are compared.</summary>
    public bool Equals(ObservedEncryption? other) =>
        other is not null
        && Algorithm == other.Algorithm
        && KmsKeyId == other.KmsKeyId
        && KmsDataEncryption == other.KmsDataEncryption
        && KmsProjectId == other.KmsProjectId
        && BucketKeyEnabled == other.BucketKeyEnabled
        && (BlockedEncryptionTypes, other.BlockedEncryptionTypes) switch
        {
            ({ } one, { } another) => one.SequenceEqual(another, StringComparer.Ordinal),
            (null, null) => true,
            _ => false,
        };

    public override int GetHashCode() => HashCode.Combine(Algorithm, KmsKeyId, BucketKeyEnabled);
}

internal sealed record WriteRecord
{
    public required string Hash { get; init; }

    /// <summary>Never negative: an edited status with -2000000000 would allow as many writes.</summary>
    public required int Count
    {
        get;
        init => field = int.Max(value, 0);
    }
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>Whether a read has seen the last of them; another writer undid it later.</summary>
    public bool? Kept { get; init; }

    /// <summary>Whether the last of them corrected a bucket that was as declared before.</summary>
    public bool? Correction { get; init; }

    /// <summary>Whether the last of them was not sent, or the vendor refused it.</summary>
    public bool? Refused { get; init; }

    /// <summary>When the last of them was recorded.</summary>
    public DateTimeOffset? RecordedTime { get; init; }
}

/// <summary>Writes of a bucket that the vendor denied, one after the other, under one spec, store and key.</summary>
internal sealed record DeniedWrites
{
    /// <summary>
    /// At this count, with <see cref="Span"/> between the first and the last, another policy that declares the same may
    /// write in this one's place.
    /// </summary>
    public const int Enough = 3;

    /// <summary>Minimum time from the first denied write to the one that counts as the third.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(10);

    public required int Count { get; init; }

    /// <summary>When the first of them was denied.</summary>
    public required DateTimeOffset Since { get; init; }
}

internal sealed record BucketError
{
    public required string Operation { get; init; }
    public required string Code { get; init; }
    public int? HttpStatus { get; init; }
    public string? Ec { get; init; }
    public string? Message { get; init; }
    public string? Hint { get; init; }
    public string? RequestId { get; init; }

    /// <summary>Since when nothing but answers that are not the store's have come; null for any other error.</summary>
    public DateTimeOffset? Since { get; init; }
}
