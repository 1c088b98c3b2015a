using System.Text.Json;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Api;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What every status must be, whatever happened. Ends every test of a composer or reconciler.</summary>
internal static partial class StatusRules
{
    /// <summary>In every secret of these tests, so that one that leaks is found.</summary>
    public const string SecretMark = "hush";

    private static readonly CrdSchema Schema = CrdSchema.Load("bucketencryptionpolicies.yaml")["status"];

    /// <param name="policy">With the status that was there before.</param>
    /// <param name="now">When <paramref name="status"/> was made.</param>
    public static void Check(BucketEncryptionPolicy policy, PolicyStatus status, DateTimeOffset now)
    {
        var broken = Broken(policy, status, now).ToList();

        Assert.True(broken.Count == 0, string.Join("\n", broken));
    }

    public static IEnumerable<string> Broken(BucketEncryptionPolicy policy, PolicyStatus status, DateTimeOffset now) =>
        [.. BrokenByItself(policy, status), .. Times(policy.Status, status, now)];

    /// <summary>Of a status that is looked at alone, not knowing which one was there before.</summary>
    public static IEnumerable<string> BrokenByItself(BucketEncryptionPolicy policy, PolicyStatus status)
    {
        var json = JsonSerializer.SerializeToNode(
            new StatusPatch
            {
                Metadata = new PatchMeta { ResourceVersion = "" },
                Status = status,
            },
            ApiJsonContext.Default.StatusPatch
        )!["status"]!;
        return
        [
            .. Schema.Violations(json, "status"),
            .. Conditions(policy, status),
            .. Rows(policy, status),
            .. json.ToJsonString().Contains(SecretMark, StringComparison.OrdinalIgnoreCase)
                ? new[] { "a secret is in the status" }
                : [],
        ];
    }

    private static IEnumerable<string> Conditions(BucketEncryptionPolicy policy, PolicyStatus status)
    {
        var types = status.Conditions.Select(c => c.Type).ToList();
        var (ready, stalled, reconciling) = (
            status.Conditions.Find("Ready"),
            status.Conditions.Find("Stalled"),
            status.Conditions.Find("Reconciling")
        );
        if (ready is null)
            yield return "Ready is not there";
        if (types.Distinct(StringComparer.Ordinal).Count() != types.Count)
            yield return "a condition is there twice";
        if (types.Except(["Ready", "Compliant", "KeyUsable", "Stalled", "Reconciling"], StringComparer.Ordinal).Any())
            yield return "a condition is none of ours";
        if (ready?.Status == Condition.True && (stalled ?? reconciling) is not null)
            yield return "Ready is True with Stalled or Reconciling";
        if (ready?.Status != Condition.True && stalled is null && reconciling is null && policy.Spec.Suspend != true)
            yield return "not Ready, and neither Stalled nor Reconciling";
        if (stalled is not null && reconciling is not null)
            yield return "Stalled and Reconciling at once";
        if (stalled is { Status: not Condition.True } || reconciling is { Status: not Condition.True })
            yield return "Stalled or Reconciling is there without being True";
        if (policy.Spec.Suspend == true && (stalled ?? reconciling) is not null)
            yield return "a suspended policy is Stalled or Reconciling";
        if (
            ready?.Status == Condition.True
            && policy.Spec.Mode != "Audit"
            && policy.Spec.Suspend != true
            && (
                (status.Conditions.Find("Compliant")?.Status != Condition.True && !MayDiffer(status))
                || status.Buckets.Any(b => b.State != BucketStatus.InSync && b.Error?.Code != "OwnedByOthers")
            )
        )
            yield return "Ready is True and a bucket is not as declared";
        if (
            status.ObservedGeneration > policy.Metadata.Generation
            || status.Conditions.Any(c => c.ObservedGeneration > status.ObservedGeneration)
        )
            yield return "observedGeneration is ahead";
        foreach (var c in status.Conditions.Where(c => !Reason().IsMatch(c.Reason)))
            yield return $"reason \"{c.Reason}\" is not legal";
        foreach (var c in status.Conditions.Where(c => c.Message.Length == 0))
            yield return $"{c.Type} has no message";
    }

    /// <summary>A selector judges buckets that others own, and knows of buckets that it cannot have.</summary>
    private static bool MayDiffer(PolicyStatus status) =>
        status.Buckets.Any(b => b.Error?.Code == "OwnedByOthers") || status.Discovery is { NotCovered: > 0 };

    private static IEnumerable<string> Times(PolicyStatus? before, PolicyStatus status, DateTimeOffset now) =>
        from condition in status.Conditions
        let was = before?.Conditions.Find(condition.Type)
        let expected = was is not null && was.Status == condition.Status
            ? was.LastTransitionTime
            : KubeTimeConverter.Truncate(now)
        where condition.LastTransitionTime != expected
        select $"lastTransitionTime of {condition.Type}: {was?.Status} {was?.LastTransitionTime:O}, then "
            + $"{condition.Status} {condition.LastTransitionTime:O}";

    private static IEnumerable<string> Rows(BucketEncryptionPolicy policy, PolicyStatus status)
    {
        var (rows, sum) = (status.Buckets.Where(b => b.State != BucketStatus.Releasing).ToList(), status.Summary);
        if (
            policy.Spec.BucketSelector is not null
            && !rows.Select(r => r.Name).SequenceEqual(rows.Select(r => r.Name).Order(StringComparer.Ordinal))
        )
            yield return "rows of a selector are not in the order of their names";
        if (
            policy.Spec.BucketSelector is null
            && policy.Metadata.DeletionTimestamp is null
            && !rows.Select(r => r.Name).SequenceEqual(policy.Spec.Buckets.Select(b => b.Name), StringComparer.Ordinal)
        )
            yield return "rows are not the spec's buckets in the spec's order";
        int Count(string state) => rows.Count(r => r.State == state);
        if (
            sum is null
            || (sum.Total, sum.InSync, sum.Drifted, sum.Failed, sum.Unknown)
                != (
                    rows.Count,
                    Count(BucketStatus.InSync),
                    Count(BucketStatus.Drifted),
                    Count(BucketStatus.Failed),
                    Count(BucketStatus.Unknown)
                )
            || sum.Text != $"{sum.InSync}/{sum.Total}"
        )
            yield return "the summary does not add up";
        foreach (
            var row in rows.Where(r =>
                r.State == BucketStatus.InSync
                && (
                    r.Error is { Code: not "BucketConflict" }
                    || r.Writes is { Kept: not true, RecordedTime: null }
                    || r.Observed is null
                    || r.Planned is not null
                )
            )
        )
            yield return $"{row.Name} is in sync, and has an error, a count of writes that were not kept, a plan, or "
                + "nothing observed";
        foreach (
            var row in rows.Where(r =>
                r.State is BucketStatus.Failed or BucketStatus.Drifted && r.Error is null && r.Planned is null
            )
        )
            yield return $"{row.Name} is {row.State} and does not say why";
        foreach (var row in status.Buckets.Where(r => r.State == BucketStatus.Releasing && r.HeldTime is null))
            yield return $"{row.Name} is being released and was never held";
    }

    [GeneratedRegex("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?\\z")]
    private static partial Regex Reason();
}
