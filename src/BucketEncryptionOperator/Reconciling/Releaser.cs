using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Buckets that a policy has kept and keeps no more: taken out of its spec, or all of them when it is being deleted. Where another policy claims one, that one
/// inherits it, and nothing is written to the vendor; else the policy's own word decides what becomes of it.
/// </summary>
internal sealed class Releaser(BucketClaims claims, Keeper keeper)
{
    public const string RestoreUnavailable = "RestoreUnavailable";

    /// <summary>Rows of buckets that must be released.</summary>
    public static IEnumerable<BucketRow> Leaving(BucketEncryptionPolicy policy) => (policy.Status?.Buckets ?? []).Where(b =>
        b.HeldTime is not null && (policy.Metadata.DeletionTimestamp is not null || !policy.Spec.Buckets.Any(s => s.Name == b.Name)));

    /// <returns>What must be asked of the vendor, and what is done without it.</returns>
    public async Task<(ImmutableArray<BucketTask> Tasks, ImmutableArray<BucketResult> Done)> PlanAsync(
        BucketEncryptionPolicy policy, PolicyTerms terms, StorePlace place, CancellationToken cancellationToken)
    {
        var tasks = ImmutableArray.CreateBuilder<BucketTask>();
        var done = ImmutableArray.CreateBuilder<BucketResult>();
        foreach (var row in Leaving(policy))
        {
            var (id, memory) = (new BucketId(place.Partition, row.Name), BucketMemory.Of(row, sameSpec: false));
            if (PolicyReader.LeavesBucketsAlone(policy))
                done.Add(new BucketResult(row.Name, new Outcome.Released()));
            else if (claims.HolderOf(id) is { } heir)
            {
                await keeper.PassOnAsync(heir, row.Name, memory.Original, cancellationToken);
                done.Add(new BucketResult(row.Name, new Outcome.Released()));
            }
            else if (GoalOf(terms, place, memory.Original) is { } goal)
                tasks.Add(new BucketTask(place.Address(row.Name), id, goal, memory, IsRelease: true));
            else
                done.Add(new BucketResult(row.Name, new Outcome.Released(Unavailable)));
        }
        return (tasks.ToImmutable(), done.ToImmutable());
    }

    private static Goal? GoalOf(PolicyTerms terms, StorePlace place, Original? original) => terms.Deletion switch
    {
        DeletionPolicy.Delete => new Goal.Declared(new DesiredEncryption.None(place.Traits.AlwaysEncrypted), AtLeast: false, terms.Goal.AllowDowngrade),
        _ => original is Original.Recorded recorded ? new Goal.PutBack(recorded, terms.Goal.AllowDowngrade) : null,
    };

    private static Failure Unavailable { get; } = new(FailureKind.Refused, "Restore", RestoreUnavailable)
    {
        Message = "What the bucket had before this policy is not on record; it was left as it is.",
    };
}
