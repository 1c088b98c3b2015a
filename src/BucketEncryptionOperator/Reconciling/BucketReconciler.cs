using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What is the same for all buckets of a policy.</summary>
internal sealed record VendorSession(IBucketEncryptionApi Api, AccessKey Key);

/// <param name="IsRelease">The policy names the bucket no more, or is being deleted.</param>
internal sealed record BucketTask(
    BucketAddress Address,
    BucketId Id,
    Goal Goal,
    BucketMemory Memory,
    bool IsRelease = false
)
{
    public string Bucket => Address.Bucket;
}

/// <summary>One bucket as a look found it, and what is to be done; or why it could not be seen.</summary>
internal abstract record BucketObservation(BucketTask Task)
{
    /// <param name="ReadAt">
    /// Timestamp at which the read was begun: its answer may have been made at any time since, and is no younger than
    /// that.
    /// </param>
    public sealed record Seen(BucketTask Task, Observation Observed, Plan Plan, long ReadAt) : BucketObservation(Task);

    public sealed record Unseen(BucketTask Task, Failure Failure) : BucketObservation(Task);
}

/// <summary>Reads one bucket and decides what is to be done. It changes nothing.</summary>
internal sealed class BucketReconciler(TimeProvider time)
{
    public async Task<BucketObservation> ObserveAsync(
        VendorSession session,
        BucketTask task,
        CancellationToken cancellationToken
    )
    {
        var readAt = time.GetTimestamp();
        try
        {
            return Judge(
                session.Api,
                task,
                await session.Api.GetAsync(task.Address, session.Key, cancellationToken),
                readAt
            );
        }
        catch (VendorException e)
        {
            return new BucketObservation.Unseen(task, e.Failure);
        }
    }

    /// <summary>What follows from an answer.</summary>
    /// <param name="readAt">When it was asked for.</param>
    public BucketObservation.Seen Judge(IBucketEncryptionApi api, BucketTask task, Observation observed, long readAt)
    {
        if (task.Goal is Goal.PutBack)
            observed = observed with { Repeated = api.Repeat(observed) };
        return new BucketObservation.Seen(
            task,
            observed,
            Planner.Decide(task.Goal, observed, task.Memory.History, task.Memory.WasInSync, time.GetUtcNow()),
            readAt
        );
    }

    /// <summary>
    /// The body of a PUT: of an original, as it was recorded; else what was read, with what is declared in it.
    /// </summary>
    public static string DocumentOf(IBucketEncryptionApi api, BucketTask task, Observation before, Plan.Write write) =>
        task.Goal is Goal.PutBack { Original.Document: { } document } ? document : api.Write(write.Target, before);

    /// <summary>How the work on a bucket ends that is not written to.</summary>
    public static Outcome Unwritten(BucketObservation.Seen look) =>
        look.Plan switch
        {
            Plan.Keep when look.Task.IsRelease => new Outcome.Released(),
            Plan.Keep keep => new Outcome.InSync(look.Observed.Encryption, keep.History),
            Plan.Refuse refuse when look.Task.IsRelease => new Outcome.Released(refuse.Failure),
            Plan.Refuse refuse => new Outcome.Failed(refuse.Failure, look.Observed.Encryption),
            Plan.Wait wait => new Outcome.Unconfirmed(
                look.Observed.Encryption,
                wait.History,
                wait.Target is BucketEncryption.None
            ),
            var plan => throw new InvalidOperationException(plan.GetType().Name),
        };
}
