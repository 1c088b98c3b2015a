using System.Collections.Immutable;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// What the statuses of policies say of their buckets, for machines. Its fields are a promise (docs/commands.md).
/// </summary>
internal sealed record StatusReport
{
    public required ImmutableArray<StatusRow> Buckets { get; init; }
}

/// <summary>One bucket of a policy; the policy as a whole where its status has no buckets yet.</summary>
internal sealed record StatusRow
{
    public required string Namespace { get; init; }

    public required string Policy { get; init; }

    public string? Bucket { get; init; }

    public required string Store { get; init; }

    /// <summary>Null where the store is not there, or may not be read.</summary>
    public string? Vendor { get; init; }

    public required string Mode { get; init; }

    public required EncryptionSpec Declared { get; init; }

    public ObservedEncryption? Observed { get; init; }

    public required string State { get; init; }

    public string? Reason { get; init; }

    /// <summary>Since when the policy's condition Ready has its status.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When every bucket of the policy was last read and compared.</summary>
    public DateTimeOffset? LastVerified { get; init; }

    /// <summary>When the operator last wrote to the bucket for this policy.</summary>
    public DateTimeOffset? LastApplied { get; init; }

    /// <summary>
    /// Whether new uploads can be encrypted with the policy's KMS keys, as its condition KeyUsable says; null where no
    /// key is asked for.
    /// </summary>
    public KeyStatus? KeyUsable { get; init; }

    /// <summary>Generation of the policy's spec.</summary>
    public required long Generation { get; init; }

    /// <summary>Generation that the status is about.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Null where it is not.</summary>
    public bool? Suspended { get; init; }

    public string? Message { get; init; }

    public string? Hint { get; init; }

    /// <summary>The declared encryption in words.</summary>
    [JsonIgnore]
    public string DeclaredText =>
        Declared.KmsKey switch
        {
            { Id: { } id } => $"{Declared.Algorithm} with key {id}",
            { VendorDefault: true } => $"{Declared.Algorithm} with the vendor's key",
            _ => Declared.Algorithm,
        };

    /// <summary>What the bucket had when it was last read, in words; empty where it was not.</summary>
    [JsonIgnore]
    public string ObservedText => Observed is null ? "" : ObservedEncryptions.Read(Observed).ToString();

    [JsonIgnore]
    public bool IsAsDeclared => State == BucketStatus.InSync;

    /// <param name="vendor">Of the policy's store.</param>
    public static IEnumerable<StatusRow> Of(BucketEncryptionPolicy policy, string? vendor)
    {
        var status = policy.Status;
        var ready = status?.Conditions.Find(ConditionTypes.Ready);
        var common = new StatusRow
        {
            Namespace = policy.Metadata.Namespace,
            Policy = policy.Metadata.Name,
            Store = $"{policy.Spec.StoreRef.Kind ?? ApiResources.BucketStore}/{policy.Spec.StoreRef.Name}",
            Vendor = vendor,
            Mode = PolicyReader.IsAudit(policy.Spec) ? "Audit" : "Enforce",
            Declared = policy.Spec.Encryption,
            State = BucketStatus.Unknown,
            Reason = ready?.Reason,
            Since = ready?.LastTransitionTime,
            LastVerified = status?.LastVerifiedTime,
            KeyUsable = KeyStatus.Of(policy),
            Generation = policy.Metadata.Generation,
            ObservedGeneration = status?.ObservedGeneration,
            Suspended = policy.Spec.Suspend == true ? true : null,
        };
        // What was found under another spec says nothing about this one
        var isCurrent = status?.ObservedGeneration == policy.Metadata.Generation;
        var whole = common with { Message = ready?.Message };
        var isReady = isCurrent && ready?.Status == Condition.True;
        if (status is not { Buckets.IsEmpty: false })
            return [isReady ? whole with { State = BucketStatus.InSync } : whole];
        IEnumerable<StatusRow> rows = StatusSize.Expand(status).Buckets.Select(row => OfRow(common, row, isCurrent));
        // The rows may not be all buckets that are meant: the account's list may be denied now
        return isReady || !isCurrent || rows.Any(r => !r.IsAsDeclared) ? rows : rows.Append(whole);
    }

    private static StatusRow OfRow(StatusRow common, BucketStatus row, bool isCurrent) =>
        common with
        {
            Bucket = row.Name,
            Observed = row.Observed,
            LastApplied = row.LastAppliedTime,
            State = isCurrent ? row.State : BucketStatus.Unknown,
            Reason =
                row.Error?.Code
                ?? (
                    !isCurrent ? Reasons.Pending.Name
                    : row.State == BucketStatus.InSync ? Reasons.InSync.Name
                    : common.Reason
                ),
            Message = row.Error?.Message,
            Hint = row.Error?.Hint,
        };
}

/// <summary>The condition KeyUsable of a policy.</summary>
internal sealed record KeyStatus(string Status, string Reason, string Message)
{
    /// <returns>Null where there is none that is about the policy's present spec.</returns>
    public static KeyStatus? Of(BucketEncryptionPolicy policy) =>
        policy.Status?.Conditions.Find(ConditionTypes.KeyUsable) is { } condition
        && condition.ObservedGeneration == policy.Metadata.Generation
            ? new KeyStatus(condition.Status, condition.Reason, condition.Message)
            : null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n",
    Converters = [typeof(KubeTimeConverter), typeof(OptionalKubeTimeConverter)]
)]
[JsonSerializable(typeof(StatusReport))]
internal sealed partial class StatusJsonContext : JsonSerializerContext;

/// <summary>One row in one line.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTimeConverter), typeof(OptionalKubeTimeConverter)]
)]
[JsonSerializable(typeof(StatusRow))]
internal sealed partial class StatusLineJsonContext : JsonSerializerContext;
