using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Whether a policy with a selector has all the buckets that it means, as the status says it. For a policy that names
/// its buckets there is nothing to say.
/// </summary>
/// <param name="Problems">Why it may not have them, as far as the status shows it already.</param>
/// <param name="Doubt">A sentence for the condition Compliant; null where all buckets are known.</param>
internal sealed record Coverage(ImmutableArray<Failure> Problems, string? Doubt)
{
    private static Coverage Full { get; } = new([], Doubt: null);

    public static Coverage Of(BucketEncryptionPolicy policy, Findings findings, PolicyStatus last, bool sameSpec)
    {
        if (policy.Spec.BucketSelector is null)
            return Full;
        if (findings.Discovery?.Found is not { } found)
            return new Coverage([], "The account's buckets were not looked at; see the condition Ready.");
        // What passes by itself does not show in a policy that is well: as a bucket that cannot be read just now.
        var isWell = sameSpec && last.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.True };
        ImmutableArray<Failure> problems =
        [
            .. found.Problems.Where(p => !(isWell && p.PassesByItself && findings.Tolerates(p))),
        ];
        var counts = found.Selection.Counts;
        var doubt =
            !found.HasList && !problems.IsEmpty ? "The list of the account's buckets could not be read."
            : counts.NotCovered > 0
                ? $"{counts.NotCovered} buckets that may be meant are not covered; see status.discovery."
            : problems.IsEmpty ? null
            : "It is not certain that the policy has every bucket that it means; see the condition Ready.";
        return new Coverage(problems, doubt);
    }

    /// <summary>
    /// What <c>status.discovery</c> says; where there is no list, what it said. Its time is set by the composer.
    /// </summary>
    public static DiscoveryStatus? StatusOf(BucketEncryptionPolicy policy, Findings findings, PolicyStatus last)
    {
        if (policy.Spec.BucketSelector is null || Reasons.SelectorNotAllowed.Is(findings.Failure?.Code))
            return null;
        if (findings.Discovery is not { Found: { HasList: true, Selection.Counts: var counts } } discovery)
            return last.Discovery;
        return new DiscoveryStatus
        {
            LastTime = last.Discovery?.LastTime,
            Matched = counts.Matched,
            Excluded = counts.Excluded,
            OtherRegions = counts.OtherRegions,
            OwnedByOthers = discovery.OwnedByOthers,
            OwnedByOthersNotAsDeclared = discovery.OwnedByOthersNotAsDeclared,
            NotCovered = counts.NotCovered,
        };
    }
}
