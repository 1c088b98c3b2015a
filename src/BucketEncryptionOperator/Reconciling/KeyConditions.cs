using System.Collections.Immutable;
using System.Globalization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The condition KeyUsable: whether new uploads can be encrypted with the policy's KMS keys. It is absent where no key
/// is asked for. It never changes Ready: what a dead key does to a write is an error of the bucket.
/// </summary>
internal static class KeyConditions
{
    private const int NamedKeys = 5;
    private const int NamedBuckets = 10;

    /// <param name="last">The condition under the same spec; null where there was none.</param>
    /// <returns>Null where there is nothing to say yet.</returns>
    public static Condition? Of(KeyFindings? findings, Condition? last, long generation)
    {
        if (findings is null)
            return null;
        var unusable = findings
            .Uses.Where(u => u.Health is KeyHealth.Unusable)
            .OrderByDescending(u => u.Health is KeyHealth.Unusable { IsDead: true })
            .ToImmutableArray();
        var unknown = findings.Uses.Where(u => u.Health is KeyHealth.Unknown).ToImmutableArray();
        // A question is still open, and its answer wakes the policy: half of the answers are no news
        var isOpen = findings.Uses.Any(u => u.Health is null);
        if (isOpen && last is not null)
            return last with { ObservedGeneration = generation };
        if (unusable is [{ Health: KeyHealth.Unusable first }, ..])
            return Make(Condition.False, first.Reason, Listing(unusable, findings));
        if (isOpen)
            return null;
        if (unknown is [{ Health: KeyHealth.Unknown { Failure: var failure } }, ..])
            return Make(Condition.Unknown, ReasonOf(failure), Listing(unknown, findings));
        return Make(
            Condition.True,
            Reasons.KeyEnabled,
            findings.Uses is [{ Key: var key }]
                ? $"KMS key {key.Id} is enabled.{More(findings.NotAsked)}"
                : $"All {findings.Uses.Length} KMS keys are enabled.{More(findings.NotAsked)}"
        );

        Condition Make(string status, Reason reason, string message) =>
            new()
            {
                Type = ConditionTypes.KeyUsable,
                Status = status,
                Reason = reason.Name,
                Message = message,
                ObservedGeneration = generation,
            };
    }

    private static FailureReason ReasonOf(Failure failure) =>
        Reasons.KeyProjectUnknown.Is(failure.Code) ? Reasons.KeyProjectUnknown
        : failure.Kind == FailureKind.Denied ? Reasons.DescribeKeyDenied
        : Reasons.KeyServiceFailed;

    private static string Listing(ImmutableArray<KeyUse> uses, KeyFindings findings) =>
        string.Join(' ', uses.Take(NamedKeys).Select(Sentence))
        + More(Math.Max(0, uses.Length - NamedKeys) + findings.NotAsked);

    private static string Sentence(KeyUse use) =>
        use.Health switch
        {
            KeyHealth.Unusable unusable => Messages.Join(
                $"KMS key {use.Key.Id}{Buckets(use.Buckets)} cannot be used: {unusable.VendorState}{Date(unusable)}.",
                unusable.Hint
            ),
            KeyHealth.Unknown { Failure: var failure } => Messages.Join(
                $"The state of KMS key {use.Key.Id} is not known: {failure.Code}.",
                failure.Hint
            ),
            _ => "",
        };

    private static string Date(KeyHealth.Unusable unusable) =>
        unusable.DeletionDate is { } date
            ? string.Create(
                CultureInfo.InvariantCulture,
                $", to be deleted at {date.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"
            )
            : "";

    private static string Buckets(ImmutableArray<string> buckets) =>
        buckets.IsEmpty
            ? ""
            : $" of {(buckets.Length == 1 ? "bucket" : $"{buckets.Length} buckets")} "
                + string.Join(", ", buckets.Take(NamedBuckets))
                + (buckets.Length > NamedBuckets ? $" and {buckets.Length - NamedBuckets} more" : "");

    private static string More(int keys) =>
        keys switch
        {
            <= 0 => "",
            1 => " One more KMS key is not listed.",
            _ => $" {keys} more KMS keys are not listed.",
        };
}
