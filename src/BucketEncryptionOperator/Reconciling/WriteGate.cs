using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What the writes of one pass have in common.</summary>
internal sealed record WriteScope(ReconcileContext Context, VendorSession Session, WriteAheadRecord Record);

/// <summary>
/// The only way to a vendor write. A write acts on fresh evidence and on the operator's present knowledge:
/// <list type="number">
/// <item>The pass has put on record what must not be forgotten (<see cref="WriteAheadRecord"/>).</item>
/// <item>
/// Enter the bucket's lock. A read that may still show what was there before a write of this process is no evidence:
/// wait.
/// </item>
/// <item>Take the rate permits of a read and of the write together.</item>
/// <item>
/// Read again, unless the last read was begun less than a second ago and no write of this process was near it; plan
/// again.
/// </item>
/// <item>Where the record does not fit what was read: record again and start over, at most three times.</item>
/// <item>
/// Check once more, with nothing awaited between the check and the send, whether the write is still wanted
/// (<see cref="WriteChecks"/>).
/// </item>
/// <item>Send, and read back.</item>
/// </list>
/// </summary>
internal sealed class WriteGate(
    BucketLocks locks,
    BucketObserver observer,
    WriteChecks checks,
    TimeProvider time,
    ILogger<WriteGate> logger
)
{
    /// <summary>A read that was begun no longer ago when the write is sent serves as the read before it.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    private const int MostTries = 3;

    /// <summary>
    /// Why a write that a read asks for need not even be put on record: the read may show what was there before this
    /// process's last write.
    /// </summary>
    public Outcome.Waiting? MustWait(BucketObservation.Seen seen) =>
        locks.UntilReadsAreFresh(seen.Task.Id) is var wait && wait > TimeSpan.Zero
            ? new Outcome.Waiting(seen.Observed.Encryption, JustWritten, wait)
            : null;

    /// <param name="seen">Its plan is a write, which is on record.</param>
    public async Task<BucketResult> ApplyAsync(
        WriteScope scope,
        BucketObservation.Seen seen,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            if (checks.ProblemOf(scope, seen.Task) is { } stopped)
                return Unsent(seen, stopped);
            var (result, fresh) = await TryAsync(scope, seen, cancellationToken);
            if (result is not null)
                return result;
            if (attempt == MostTries)
                return Unsent(fresh, KeepsChanging);
            seen = fresh;
            if (await scope.Record.AddAsync(seen, cancellationToken) is { } refused)
                return Unsent(seen, refused);
            if (seen.Plan is not Plan.Write)
                return NotNeeded(seen);
        }
    }

    /// <returns>No result where the record does not fit what was read.</returns>
    private async Task<(BucketResult? Result, BucketObservation.Seen Seen)> TryAsync(
        WriteScope scope,
        BucketObservation.Seen seen,
        CancellationToken cancellationToken
    )
    {
        var (task, session) = (seen.Task, scope.Session);
        using var held = await locks.EnterAsync(task.Id, cancellationToken);
        if (held.UntilReadsAreFresh is var wait && wait > TimeSpan.Zero)
            return (
                new BucketResult(task.Bucket, new Outcome.Waiting(seen.Observed.Encryption, JustWritten, wait))
                {
                    WasRefused = true,
                },
                seen
            );
        var isReading = true;
        try
        {
            using var writing = await session.Api.BeginWriteAsync(task.Address, session.Key, cancellationToken);
            if (time.GetElapsedTime(seen.ReadAt) >= FreshFor || !held.IsFresh(seen.ReadAt))
            {
                var readAt = time.GetTimestamp();
                seen = observer.Plan(session.Api, task, await writing.GetAsync(cancellationToken), readAt);
                if (!scope.Record.Fits(seen))
                    return (null, seen);
                if (seen.Plan is not Plan.Write)
                    return (NotNeeded(seen), seen);
            }
            isReading = false;
            return (await SendAsync(scope, seen, held, writing, cancellationToken), seen);
        }
        catch (VendorException e)
        {
            return (Unsent(seen, e.Failure) with { WasUnread = isReading }, seen);
        }
    }

    private async Task<BucketResult> SendAsync(
        WriteScope scope,
        BucketObservation.Seen seen,
        BucketLocks.BucketLock held,
        IBucketWrite writing,
        CancellationToken cancellationToken
    )
    {
        var (task, write) = (seen.Task, (Plan.Write)seen.Plan);
        try
        {
            if (write.Removes)
                await writing.DeleteAsync(Check, cancellationToken);
            else
                await writing.PutAsync(seen.DocumentOf(scope.Session.Api, write), Check, cancellationToken);
        }
        catch (VendorException e)
        {
            // Of a write without an answer nobody knows whether it was made: it counts.
            return new BucketResult(task.Bucket, task.Conclude(new Outcome.Failed(e.Failure, seen.Observed.Encryption)))
            {
                WasRefused = e.Failure.NotSent || e.Failure.IsVendorAnswer,
                WasDenied = e.Failure is { Kind: FailureKind.Denied, IsVendorAnswer: true, NotSent: false },
            };
        }
        finally
        {
            held.EndWrite();
        }
        var applied = new AppliedChange(seen.Observed.Encryption, write.Target, time.GetUtcNow());
        LogApplied(task.Bucket, applied);
        return await ConfirmAsync(scope.Session, seen, applied, cancellationToken);

        Failure? Check()
        {
            if (checks.ProblemOf(scope, task) is { } problem)
                return problem;
            held.BeginWrite();
            return null;
        }
    }

    /// <summary>Reads the bucket back. The write is done, and is reported whatever the read brings.</summary>
    private static async Task<BucketResult> ConfirmAsync(
        VendorSession session,
        BucketObservation.Seen seen,
        AppliedChange applied,
        CancellationToken cancellationToken
    )
    {
        var (task, write) = (seen.Task, (Plan.Write)seen.Plan);
        BucketEncryption? observed = null;
        try
        {
            observed = (await session.Api.GetAsync(task.Address, session.Key, cancellationToken)).Encryption;
        }
        catch (VendorException e) when (e.Failure.PassesByItself)
        {
            // It cannot be read just now: the write must be counted all the same.
        }
        catch (VendorException e)
        {
            return new BucketResult(task.Bucket, new Outcome.Failed(e.Failure, Observed: null), applied);
        }
        var vendorKey = (task.Goal as Goal.Declared)?.Encryption.VendorKeyOf(applied.From, applied.To, observed);
        var goal =
            task.Goal is Goal.Declared declared && vendorKey is not null ? declared.Knowing(vendorKey) : task.Goal;
        return new BucketResult(task.Bucket, task.Conclude(Confirm(goal, write, observed)), applied)
        {
            VendorKey = vendorKey,
        };
    }

    private static Outcome Confirm(Goal goal, Plan.Write write, BucketEncryption? readBack) =>
        readBack is null || !goal.IsMetBy(new Observation(readBack, Document: null), wasWritten: true)
            ? new Outcome.Unconfirmed(readBack, write.History, write.Removes) { IsNew = true }
            : new Outcome.InSync(readBack, WriteHistory.AfterMet(write.History));

    /// <summary>Somebody else has made the bucket what it should be, or what may not be changed.</summary>
    private static BucketResult NotNeeded(BucketObservation.Seen seen) =>
        new(seen.Task.Bucket, seen.WithoutWrite) { WasRefused = true };

    private static BucketResult Unsent(BucketObservation.Seen seen, Failure why) =>
        new(seen.Task.Bucket, seen.Task.Conclude(new Outcome.Failed(why, seen.Observed.Encryption)))
        {
            WasRefused = true,
        };

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

    private void LogApplied(string bucket, AppliedChange change)
    {
        if (change.To is BucketEncryption.None)
            Log.EncryptionRemoved(logger, bucket, change.From);
        else
            Log.EncryptionApplied(logger, bucket, change.From, change.To);
    }
}
