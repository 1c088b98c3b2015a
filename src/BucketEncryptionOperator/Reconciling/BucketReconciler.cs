using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What is the same for all buckets of a policy.</summary>
internal sealed record VendorSession(IBucketEncryptionApi Api, AccessKey Key);

/// <param name="IsRelease">The bucket is the policy's no more.</param>
internal sealed record BucketTask(BucketAddress Address, BucketId Id, Goal Goal, BucketMemory Memory, bool IsRelease = false)
{
    public string Bucket => Address.Bucket;
}

/// <summary>One bucket as a look found it, and what is to be done; or why it could not be seen.</summary>
internal abstract record BucketLook(BucketTask Task)
{
    public sealed record Seen(BucketTask Task, Observation Observed, Plan Plan) : BucketLook(Task);

    public sealed record Unseen(BucketTask Task, Failure Failure) : BucketLook(Task);
}

/// <summary>One bucket: read and decide; and later, if it must be, write and read back.</summary>
internal sealed class BucketReconciler(WriteGuard mayWrite, TimeProvider time, ILogger<BucketReconciler> logger)
{
    public async Task<BucketLook> LookAsync(VendorSession session, BucketTask task, CancellationToken cancellationToken)
    {
        try
        {
            var observed = await session.Api.GetAsync(task.Address, session.Key, cancellationToken);
            if (task.Goal is Goal.PutBack)
                observed = observed with { Repeated = session.Api.Repeat(observed) };
            return new BucketLook.Seen(task, observed, Planner.Decide(task.Goal, observed, task.Memory.History, time.GetUtcNow()));
        }
        catch (VendorException e)
        {
            return new BucketLook.Unseen(task, e.Failure);
        }
    }

    /// <summary>Sends one write, whose repetition was counted before.</summary>
    public async Task<BucketResult> WriteAsync(VendorSession session, BucketTask task, Observation before, Plan.Write write, CancellationToken cancellationToken)
    {
        AppliedChange? applied = null;
        BucketEncryption? observed = before.Encryption;
        try
        {
            if (!mayWrite())
                return new BucketResult(task.Bucket, new Outcome.Failed(NotLeading.Failure, observed));
            using (var begun = await session.Api.BeginWriteAsync(task.Address, session.Key, cancellationToken))
            {
                if (write.Removes)
                    await begun.DeleteAsync(LastCheck, cancellationToken);
                else
                    await begun.PutAsync(DocumentOf(session.Api, task, before, write), LastCheck, cancellationToken);
            }
            applied = new AppliedChange(before.Encryption, write.Target, time.GetUtcNow());
            Say(task.Bucket, applied);
            observed = null;
            observed = await ReadBackAsync(session, task, cancellationToken);
            return new BucketResult(task.Bucket, Confirm(task, write, observed), applied);
        }
        catch (VendorException e)
        {
            return new BucketResult(task.Bucket, new Outcome.Failed(e.Failure, observed), applied);
        }
    }

    private Failure? LastCheck() => mayWrite() ? null : NotLeading.Failure;

    /// <summary>The body of a PUT: of an original, as it was recorded; else what was read, with what is declared in it.</summary>
    public static string DocumentOf(IBucketEncryptionApi api, BucketTask task, Observation before, Plan.Write write) =>
        task.Goal is Goal.PutBack { Original.Document: { } document } ? document : api.Write(write.Target, before);

    /// <returns>Null when it cannot be read just now: the write is done, and must be counted all the same.</returns>
    private static async Task<BucketEncryption?> ReadBackAsync(VendorSession session, BucketTask task, CancellationToken cancellationToken)
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

    private static Outcome Confirm(BucketTask task, Plan.Write write, BucketEncryption? readBack)
    {
        if (readBack is null || !task.Goal.IsMetBy(new Observation(readBack, Document: null), write.History))
            return new Outcome.Unconfirmed(readBack, write.History, write.Removes);
        // A bucket that was right before, and one that was corrected before, has been changed by somebody: that is counted.
        var corrected = task.Memory.WasInSync || task.Memory.History is { Kept: true };
        return new Outcome.InSync(readBack, corrected ? write.History with { Kept = true } : null);
    }

    private void Say(string bucket, AppliedChange change)
    {
        if (change.To is BucketEncryption.None)
            Log.EncryptionRemoved(logger, bucket, change.From);
        else
            Log.EncryptionApplied(logger, bucket, change.From, change.To);
    }
}
