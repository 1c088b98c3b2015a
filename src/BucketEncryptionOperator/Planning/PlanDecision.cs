using System.Text;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Planning;

/// <summary>What the operator would do with a bucket that was read. Pure.</summary>
internal static class PlanDecision
{
    /// <param name="unusable">Why the KMS key of a write cannot be used; null where nothing is known against
    /// it.</param>
    public static PlanRow Of(
        PolicyWork work,
        BucketObservation observation,
        IBucketEncryptionApi api,
        PlanOwners owners,
        Failure? unusable
    )
    {
        var row = ByOwnership(work, observation, api, owners);
        return row.Action == PlanAction.Put && unusable is not null
            ? Unwritten(row, PlanAction.Refused, unusable)
            : row;
    }

    private static PlanRow ByOwnership(
        PolicyWork work,
        BucketObservation observation,
        IBucketEncryptionApi api,
        PlanOwners owners
    )
    {
        var task = (BucketEnforcement)observation.Task;
        var row = new PlanRow(work.Policy, task.Bucket, PlanAction.None) { Vendor = work.Vendor };
        if (observation is not BucketObservation.Seen seen)
            return row with { Action = PlanAction.Error, Why = ((BucketObservation.Unseen)observation).Failure };
        row = Of(row, BucketPlanner.Planned(seen, api, why: null)) with { OriginalSize = SizeOf(work, seen, api) };
        if (owners.OtherOwnerOf(work, task) is not { } owner)
            return row;
        if (PolicyReader.ReadTerms(owner.Policy.Object.Spec).Value?.Goal.AgreesWith(task.Declared) == true)
            return row.Action == PlanAction.None ? row : Unwritten(row, PlanAction.OwnedByOther, why: null);
        var yields = new BucketStanding.NotOwner(owner.Policy.Object, IsDenied: false);
        if (!work.IsSelector)
            return Unwritten(row, PlanAction.Refused, OwnershipFailures.Conflict(work.Policy.Object, yields));
        return row.Action == PlanAction.None
            ? row
            : Unwritten(row, PlanAction.OwnedByOther, OwnershipFailures.OwnedByOther(work.Policy.Object, yields));
    }

    /// <summary>
    /// Refuses the writes that the policy as a whole does not allow: more than a selector's <c>maxWrites</c> without a
    /// confirmation, and those of buckets whose present encryption is too large to remember.
    /// </summary>
    public static void Limit(PolicyWork work, PlanRow[] rows)
    {
        if (!work.Enforces)
            return;
        LimitWrites(work, rows);
        var left = Original.MaxDocuments;
        for (var i = 0; i < rows.Length; i++)
        {
            var size = rows[i].OriginalSize;
            if (size <= Original.MaxDocument && size <= left)
                left -= size;
            else if (rows[i].Action is PlanAction.Put or PlanAction.Delete)
                rows[i] = rows[i] with { Action = PlanAction.Refused, Why = WriteAheadRecord.TooLarge(size) };
        }
    }

    private static void LimitWrites(PolicyWork work, PlanRow[] rows)
    {
        if (work.Tasks is not [{ Selected.MaxWrites: { } most }, ..])
            return;
        var writes = rows.Count(r => r.Action is PlanAction.Put or PlanAction.Delete);
        if (writes <= most)
            return;
        var why = BucketPass.TooManyWrites(writes, most, work.Policy.Object.Metadata.Generation);
        for (var i = 0; i < rows.Length; i++)
        {
            if (rows[i].Action is PlanAction.Put or PlanAction.Delete)
                rows[i] = rows[i] with { Action = PlanAction.Refused, Why = why };
        }
    }

    private static int SizeOf(PolicyWork work, BucketObservation.Seen seen, IBucketEncryptionApi api) =>
        work.Context is { Terms.Deletion: DeletionPolicy.Restore } && api.Repeat(seen.Observed) is { } document
            ? Encoding.UTF8.GetByteCount(document)
            : 0;

    private static PlanRow Unwritten(PlanRow row, PlanAction action, Failure? why) =>
        row with
        {
            Action = action,
            Why = why,
            Target = null,
            Document = null,
        };

    private static PlanRow Of(PlanRow row, Outcome outcome) =>
        outcome switch
        {
            Outcome.InSync inSync => row with { Observed = inSync.Observed },
            Outcome.Planned { Change: var change } planned => row with
            {
                Action = change.Document is null ? PlanAction.Delete : PlanAction.Put,
                Observed = planned.Observed,
                Target = change.Target,
                Document = change.Document,
            },
            Outcome.Failed failed => row with
            {
                Action = PlanAction.Refused,
                Observed = failed.Observed,
                Why = failed.Failure,
            },
            _ => throw new InvalidOperationException(outcome.GetType().Name),
        };
}
