using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The only way to a vendor write. A write acts on fresh evidence and on the operator's present word:
/// <list type="number">
/// <item>The pass has put on record what must not be forgotten (<see cref="WriteAheadRecord"/>).</item>
/// <item>
/// Enter the bucket's turn. A read that may still show what was there before a write of this process is no evidence:
/// wait.
/// </item>
/// <item>Take the rate permits of a read and of the write together.</item>
/// <item>
/// Read again, unless the look was begun less than a second ago and no write of this process was near it; decide again.
/// </item>
/// <item>Where the record does not fit what was read: record again and start over, at most three times.</item>
/// <item>
/// Check once more, with nothing awaited between the check and the send, whether the write is still wanted
/// (<see cref="WriteCheck"/>).
/// </item>
/// <item>Send, and read back.</item>
/// </list>
/// </summary>
internal sealed class WriteGate(
    BucketLocks turns,
    BucketReconciler buckets,
    TimeProvider time,
    ILogger<WriteGate> logger
)
{
    /// <summary>A look that was begun no longer ago when the write is sent serves as the read before it.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    private const int MostTries = 3;

    /// <summary>
    /// Why a write that a look asks for need not even be put on record: the look may show what was there before this
    /// process's last write.
    /// </summary>
    public Outcome.Waiting? MustWait(BucketObservation.Seen look) =>
        turns.UntilReadsAreFresh(look.Task.Id) is var wait && wait > TimeSpan.Zero
            ? new Outcome.Waiting(look.Observed.Encryption, JustWritten, wait)
            : null;

    /// <param name="look">Its plan is a write, which is on record.</param>
    /// <param name="check">What must hold at the moment of the send.</param>
    public async Task<BucketResult> ApplyAsync(
        WriteAheadRecord record,
        VendorSession session,
        BucketObservation.Seen look,
        WriteCheck check,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            if (check.Problem() is { } stopped)
                return Unsent(look, stopped);
            var (result, fresh) = await TryAsync(record, session, look, check, cancellationToken);
            if (result is not null)
                return result;
            if (attempt == MostTries)
                return Unsent(fresh, KeepsChanging);
            look = fresh;
            if (await record.AddAsync(session.Api, look, cancellationToken) is { } refused)
                return Unsent(look, refused);
            if (look.Plan is not Plan.Write)
                return NotNeeded(look);
        }
    }

    /// <returns>No result where the record does not fit what was read.</returns>
    private async Task<(BucketResult? Result, BucketObservation.Seen Look)> TryAsync(
        WriteAheadRecord record,
        VendorSession session,
        BucketObservation.Seen look,
        WriteCheck check,
        CancellationToken cancellationToken
    )
    {
        var task = look.Task;
        using var turn = await turns.EnterAsync(task.Id, cancellationToken);
        if (turn.UntilReadsAreFresh is var wait && wait > TimeSpan.Zero)
            return (
                new BucketResult(task.Bucket, new Outcome.Waiting(look.Observed.Encryption, JustWritten, wait))
                {
                    WasRefused = true,
                },
                look
            );
        var isReading = true;
        try
        {
            using var writing = await session.Api.BeginWriteAsync(task.Address, session.Key, cancellationToken);
            if (time.GetElapsedTime(look.ReadAt) >= FreshFor || !turn.Trusts(look.ReadAt))
            {
                var readAt = time.GetTimestamp();
                look = buckets.Judge(session.Api, task, await writing.GetAsync(cancellationToken), readAt);
                if (!record.Fits(session.Api, look))
                    return (null, look);
                if (look.Plan is not Plan.Write)
                    return (NotNeeded(look), look);
            }
            isReading = false;
            return (
                await SendAsync(turn, writing, session, look, (Plan.Write)look.Plan, check, cancellationToken),
                look
            );
        }
        catch (VendorException e)
        {
            return (Unsent(look, e.Failure) with { WasUnread = isReading }, look);
        }
    }

    private async Task<BucketResult> SendAsync(
        BucketLocks.BucketLock turn,
        IBucketWrite writing,
        VendorSession session,
        BucketObservation.Seen look,
        Plan.Write write,
        WriteCheck check,
        CancellationToken cancellationToken
    )
    {
        var task = look.Task;
        AppliedChange? applied = null;
        BucketEncryption? observed = look.Observed.Encryption;
        try
        {
            try
            {
                if (write.Removes)
                    await writing.DeleteAsync(Check, cancellationToken);
                else
                    await writing.PutAsync(
                        BucketReconciler.DocumentOf(session.Api, task, look.Observed, write),
                        Check,
                        cancellationToken
                    );
            }
            finally
            {
                turn.Wrote();
            }
            applied = new AppliedChange(look.Observed.Encryption, write.Target, time.GetUtcNow());
            Say(task.Bucket, applied);
            observed = null;
            observed = await ReadBackAsync(session, task, cancellationToken);
            var vendorKey = (task.Goal as Goal.Declared)?.Encryption.VendorKeyOf(
                look.Observed.Encryption,
                write.Target,
                observed
            );
            var goal =
                vendorKey is not null && task.Goal is Goal.Declared declared ? declared.Knowing(vendorKey) : task.Goal;
            return Released(
                task,
                new BucketResult(task.Bucket, Confirm(goal, write, observed), applied) { VendorKey = vendorKey }
            );
        }
        catch (VendorException e) when (applied is null)
        {
            // Of a write without an answer nobody knows whether it was made: it counts.
            var refused = e.Failure.NotSent || e.Failure.IsVendorAnswer;
            return Released(
                task,
                new BucketResult(task.Bucket, new Outcome.Failed(e.Failure, observed))
                {
                    WasRefused = refused,
                    WasDenied = e.Failure is { Kind: FailureKind.Denied, IsVendorAnswer: true, NotSent: false },
                }
            );
        }
        catch (VendorException e)
        {
            return new BucketResult(task.Bucket, new Outcome.Failed(e.Failure, observed), applied);
        }

        Failure? Check()
        {
            if (check.Problem() is { } problem)
                return problem;
            turn.Writes();
            return null;
        }
    }

    /// <returns>Null when it cannot be read just now: the write is done, and must be counted all the same.</returns>
    private static async Task<BucketEncryption?> ReadBackAsync(
        VendorSession session,
        BucketTask task,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (await session.Api.GetAsync(task.Address, session.Key, cancellationToken)).Encryption;
        }
        catch (VendorException e) when (e.Failure.PassesByItself)
        {
            return null;
        }
    }

    private static Outcome Confirm(Goal goal, Plan.Write write, BucketEncryption? readBack) =>
        readBack is null || !goal.IsMetBy(new Observation(readBack, Document: null), wasWritten: true)
            ? new Outcome.Unconfirmed(readBack, write.History, write.Removes) { IsNew = true }
            : new Outcome.InSync(readBack, WriteHistory.AfterMet(write.History));

    /// <summary>A bucket that was released as it should be, or that is gone, is done with.</summary>
    private static BucketResult Released(BucketTask task, BucketResult result) =>
        task.IsRelease
        && result.Outcome
            is Outcome.InSync
                or Outcome.Failed { Failure: { Kind: FailureKind.Missing, IsVendorAnswer: true } }
            ? result with
            {
                Outcome = new Outcome.Released(),
            }
            : result;

    /// <summary>Somebody else has made the bucket what it should be, or what may not be changed.</summary>
    private static BucketResult NotNeeded(BucketObservation.Seen look) =>
        new(look.Task.Bucket, BucketReconciler.Unwritten(look)) { WasRefused = true };

    private static BucketResult Unsent(BucketObservation.Seen look, Failure why) =>
        Released(
            look.Task,
            new BucketResult(look.Task.Bucket, new Outcome.Failed(why, look.Observed.Encryption)) { WasRefused = true }
        );

    private static Failure JustWritten { get; } =
        new(Reasons.Confirming, BucketStatuses.Confirm)
        {
            Message = "The bucket was written a moment ago, and a read may not show it yet.",
        };

    private static Failure KeepsChanging { get; } =
        new(Reasons.KeepsChanging, Planner.Step)
        {
            Message = "The bucket changed each time that it was about to be written.",
        };

    private void Say(string bucket, AppliedChange change)
    {
        if (change.To is BucketEncryption.None)
            Log.EncryptionRemoved(logger, bucket, change.From);
        else
            Log.EncryptionApplied(logger, bucket, change.From, change.To);
    }
}
