using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One bucket as a read found it, with the plan that follows; or why it could not be read.</summary>
internal abstract record BucketObservation(BucketTask Task)
{
    /// <param name="ReadAt">
    /// Timestamp at which the read was begun: its answer may have been made at any time since, and is no younger than
    /// that.
    /// </param>
    public sealed record Seen(BucketTask Task, Observation Observed, Plan Plan, long ReadAt) : BucketObservation(Task)
    {
        /// <summary>How the work on the bucket ends where nothing is written.</summary>
        public Outcome WithoutWrite =>
            Plan switch
            {
                Plan.Keep keep => Task.Conclude(new Outcome.InSync(Observed.Encryption, keep.History)),
                Plan.Refuse refuse => Task.Refuse(refuse.Failure, Observed.Encryption),
                Plan.Wait wait => new Outcome.Unconfirmed(
                    Observed.Encryption,
                    wait.History,
                    wait.Target is BucketEncryption.None
                ),
                _ => throw new InvalidOperationException(Plan.GetType().Name),
            };

        /// <summary>
        /// The body of a PUT: of an original, as it was recorded; else what was read, with what is declared in it.
        /// </summary>
        public string DocumentOf(IBucketEncryptionApi api, Plan.Write write) =>
            Task.Goal is Goal.PutBack { Original.Document: { } document }
                ? document
                : api.Write(write.Target, Observed);
    }

    public sealed record Unseen(BucketTask Task, Failure Failure) : BucketObservation(Task);
}

/// <summary>Reads one bucket and plans what to do. It changes nothing.</summary>
internal sealed class BucketObserver(TimeProvider time)
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
            var observed = await session.Api.GetAsync(task.Address, session.Key, cancellationToken);
            return Plan(session.Api, task, observed, readAt);
        }
        catch (VendorException e)
        {
            return new BucketObservation.Unseen(task, e.Failure);
        }
    }

    /// <summary>The plan that follows from an answer.</summary>
    /// <param name="readAt">When it was asked for.</param>
    public BucketObservation.Seen Plan(IBucketEncryptionApi api, BucketTask task, Observation observed, long readAt)
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
}
