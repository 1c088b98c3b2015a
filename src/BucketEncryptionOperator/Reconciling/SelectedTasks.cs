using System.Collections.Immutable;
using System.Globalization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>The tasks of a policy with a selector, and what their results mean for it. Pure.</summary>
internal static class SelectedTasks
{
    private static Failure NotListed { get; } =
        new(Reasons.NotListed, BucketDiscovery.Step)
        {
            Message =
                "The account's list does not have this bucket any more, and its keys still read it. It is not written.",
            Hint = "Check the right to list all buckets of the account, or exclude the bucket (excludeNames).",
        };

    private static Failure AwaitingList { get; } =
        new(Reasons.AwaitingList, BucketDiscovery.Step)
        {
            Message = "The operator has not read the account's list yet. Until then nothing is written.",
        };

    public static ImmutableArray<BucketEnforcement> Of(
        ReconcileContext context,
        BucketSelector selector,
        Discovered found
    )
    {
        int? maxWrites = IsConfirmed(context.Policy.Now) ? null : selector.MaxWrites;
        var (free, held) = (
            new SelectedTask(Hold: null, maxWrites, found.Undecided),
            new SelectedTask(found.HasList ? NotListed : AwaitingList, maxWrites, found.Undecided)
        );
        return
        [
            .. found.Selection.Buckets.Select(b =>
                context.Enforcement(context.Store.Place.Address(b.Name)) with
                {
                    Selected = b.IsListed ? free : held,
                }
            ),
        ];
    }

    /// <summary>
    /// Returns whether the policy's author has confirmed the writes of its present generation.
    /// </summary>
    public static bool IsConfirmed(BucketEncryptionPolicy policy) =>
        policy.Metadata.Annotations[RequestAnnotations.ConfirmedWrites]
        == policy.Metadata.Generation.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The list does not have the bucket, and the vendor says to the policy's own key that there is no such bucket.
    /// </summary>
    public static bool IsGone(BucketEnforcement task, BucketResult result) =>
        task.Selected is { Hold: not null }
        && result.Outcome is Outcome.Failed { Failure: { Kind: FailureKind.Missing, IsVendorAnswer: true } };

    /// <summary>The bucket was read, and is not as declared.</summary>
    public static bool Differs(BucketResult result) =>
        result.Outcome switch
        {
            Outcome.InSync => false,
            Outcome.Yielded yielded => !yielded.IsMet,
            Outcome.Failed failed => failed.Observed is not null,
            _ => true,
        };

    /// <summary>A discovery that had no time, or no permits, is continued by the next pass.</summary>
    public static PassEnd EndOf(Discovered found, PassEnd end) =>
        found.Problems.Any(p => Reasons.RateLimited.Is(p.Code)) ? PassEnd.RateLimited
        : end == PassEnd.Complete && found.Problems.Any(p => Reasons.NotReached.Is(p.Code)) ? PassEnd.Yielded
        : end;
}
