using System.Collections.Immutable;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// What <c>plan</c> found, for machines. Its fields and their values are a promise (docs/commands.md): a version may
/// add fields, and does not change their meaning.
/// </summary>
internal sealed record PlanReport
{
    public required PlanSummary Summary { get; init; }

    /// <summary>What is wrong in the files.</summary>
    public required ImmutableArray<PlanProblem> Problems { get; init; }

    public required ImmutableArray<PlannedBucket> Buckets { get; init; }

    /// <summary>2: something would be written; 1: something is wrong, or would be refused; 0: nothing to do.</summary>
    [JsonIgnore]
    public int ExitCode =>
        Summary.Problems + Summary.Errors + Summary.Refused > 0 ? 1
        : Summary.Changes > 0 ? 2
        : 0;

    public static PlanReport Of(ManifestSet files, ImmutableArray<PlanRow> rows) =>
        new()
        {
            Summary = new PlanSummary
            {
                Policies = files.Policies.Length,
                Buckets = rows.Count(r => r.Bucket.Length > 0),
                AsDeclared = rows.Count(r => r.Bucket.Length > 0 && r.Action == PlanAction.None),
                Changes = rows.Count(r => r.Action is PlanAction.Put or PlanAction.Delete),
                Refused = rows.Count(r => r.Action == PlanAction.Refused),
                Errors = rows.Count(r => r.Action == PlanAction.Error),
                Problems = files.Problems.Length,
            },
            Problems = [.. files.Problems.Select(PlanProblem.Of)],
            Buckets = [.. rows.Select(PlannedBucket.Of)],
        };
}

internal sealed record PlanSummary
{
    public int Policies { get; init; }

    public int Buckets { get; init; }

    public int AsDeclared { get; init; }

    public int Changes { get; init; }

    public int Refused { get; init; }

    public int Errors { get; init; }

    public int Problems { get; init; }

    public override string ToString() =>
        $"{Buckets} {(Buckets == 1 ? "bucket" : "buckets")} of {Policies} "
        + $"{(Policies == 1 ? "policy" : "policies")}: {AsDeclared} as declared, {Changes} to change, "
        + $"{Refused} refused, "
        + $"{Errors} {(Errors == 1 ? "error" : "errors")}"
        + (Problems == 0 ? "" : $"; {Problems} {(Problems == 1 ? "problem" : "problems")} in the files");
}

internal sealed record PlanProblem
{
    public required string File { get; init; }

    public int? Line { get; init; }

    public int? Column { get; init; }

    public string? Field { get; init; }

    public required string Message { get; init; }

    public static PlanProblem Of(ManifestProblem problem) =>
        new()
        {
            File = problem.Position.File,
            Line = problem.Position.Line == 0 ? null : problem.Position.Line,
            Column = problem.Position.Line == 0 ? null : problem.Position.Column,
            Field = problem.Field.Length == 0 ? null : problem.Field,
            Message = problem.Message,
        };
}

/// <summary>One bucket of a policy; without a bucket where the row is about the policy as a whole.</summary>
internal sealed record PlannedBucket
{
    public required string File { get; init; }

    public required int Line { get; init; }

    public required string Namespace { get; init; }

    public required string Policy { get; init; }

    public required string Store { get; init; }

    public string? Vendor { get; init; }

    public required string Mode { get; init; }

    public string? Bucket { get; init; }

    public required string Action { get; init; }

    public ObservedEncryption? Observed { get; init; }

    public ObservedEncryption? Target { get; init; }

    /// <summary>The request that Enforce would send.</summary>
    public string? Operation { get; init; }

    public string? Document { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    public string? Hint { get; init; }

    public string? RequestId { get; init; }

    public static PlannedBucket Of(PlanRow row)
    {
        var policy = row.Policy.Object;
        return new PlannedBucket
        {
            File = row.Policy.At.File,
            Line = PlaceOf(row).Line,
            Namespace = policy.Metadata.Namespace,
            Policy = policy.Metadata.Name,
            Store = $"{policy.Spec.StoreRef.Kind}/{policy.Spec.StoreRef.Name}",
            Vendor = row.Vendor.Length == 0 ? null : row.Vendor,
            Mode = PolicyReader.IsAudit(policy.Spec) ? "Audit" : "Enforce",
            Bucket = row.Bucket.Length == 0 ? null : row.Bucket,
            Action = WordOf(row.Action),
            Observed = ObservedEncryptions.Of(row.Observed),
            Target = ObservedEncryptions.Of(row.Target),
            Operation =
                row.Target is null ? null
                : row.Document is null ? PlannedWrite.Delete
                : PlannedWrite.Put,
            Document = row.Document,
            Reason = row.Why?.Code,
            Message = row.Why?.Message,
            Hint = row.Why?.Hint,
            RequestId = row.Why?.RequestId,
        };
    }

    /// <summary>Returns where the file names the bucket; the policy's own place where it does not.</summary>
    private static SourcePosition PlaceOf(PlanRow row)
    {
        var spec = row.Policy.Source["spec"] as ManifestNode.Map;
        var named = (spec?["buckets"] as ManifestNode.List)
            ?.Items.OfType<ManifestNode.Map>()
            .FirstOrDefault(b => b.TextOf("name") == row.Bucket);
        return named?.At ?? row.Policy.At;
    }

    private static string WordOf(PlanAction action) =>
        action switch
        {
            PlanAction.None => "none",
            PlanAction.Put => "put",
            PlanAction.Delete => "delete",
            PlanAction.OwnedByOther => "ownedByOther",
            PlanAction.Refused => "refused",
            PlanAction.Error => "error",
            PlanAction.Suspended => "suspended",
            _ => throw new InvalidOperationException($"no word for {action}"),
        };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n"
)]
[JsonSerializable(typeof(PlanReport))]
internal sealed partial class PlanJsonContext : JsonSerializerContext;
