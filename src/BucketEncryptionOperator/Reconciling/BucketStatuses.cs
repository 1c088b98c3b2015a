using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// What a row means for the conditions, the best first: the order counts, for a policy is as its worst row.
/// </summary>
internal enum Standing
{
    /// <summary>As declared.</summary>
    Good,

    /// <summary>
    /// Not as declared, and the policy does no more than to say so: mode Audit, or another policy's bucket.
    /// </summary>
    Noted,

    /// <summary>Written, and not yet seen by a read; or another is about to write it.</summary>
    Confirming,

    /// <summary>Not known now; time may tell.</summary>
    Unread,

    /// <summary>The bucket is not there; somebody may still create it.</summary>
    Missing,

    /// <summary>A person must act.</summary>
    Stuck,
}

/// <summary>A row of the status that is being composed, and what it means for the conditions.</summary>
internal readonly record struct StatusStanding(BucketStatus Row, Standing Standing)
{
    /// <summary>The vendor rejects the access key: the trouble is not the bucket's.</summary>
    public bool KeyRejected { get; init; }

    /// <summary>Something else has answered in the store's place for an hour.</summary>
    public bool IsNotTheStore { get; init; }

    /// <summary>The row is the last one without any change.</summary>
    public bool IsKept { get; init; }

    /// <summary>The row has an error that its last row of the same spec did not have: it is reported once.</summary>
    public bool HasNewError { get; init; }
}

/// <summary>
/// The next row of a bucket from its last one and what happened. A row changes only when something changed: request
/// ids, texts and times of an equal failure are those of the first, so that a failing policy's status does not churn.
/// </summary>
internal static class BucketStatuses
{
    public const string Confirm = "Confirm";

    /// <param name="before">The bucket's last row of the same spec, or null.</param>
    /// <param name="tolerated">A failure that passes by itself does not show yet.</param>
    /// <param name="wasStalled">The last status has the condition Stalled.</param>
    /// <param name="now">In whole seconds.</param>
    /// <param name="partition">Where the bucket is; null where that is not known now.</param>
    public static StatusStanding Next(
        BucketStatus? before,
        BucketResult result,
        bool tolerated,
        bool wasStalled,
        DateTimeOffset now,
        string? partition = null
    )
    {
        if (
            result.Outcome is Outcome.Failed { Failure.PassesByItself: true }
            && tolerated
            && before is not null
            && result.Applied is null
        )
        {
            return Kept(before);
        }
        if (
            result.Outcome is Outcome.Waiting { Why.Code: var code }
            && Reasons.Confirming.Is(code)
            && before is { State: not BucketStatus.Unknown }
        )
            return Kept(before); // what was read is no evidence
        var row = WithClaim(
            new BucketStatus
            {
                Name = result.Bucket,
                State = BucketStatus.Unknown,
                Partition = partition ?? before?.Partition,
                LastAppliedTime = result.Applied?.At is { } at
                    ? KubeTimeConverter.Truncate(at)
                    : before?.LastAppliedTime,
                ClaimedTime = before?.ClaimedTime,
                ClaimDeniedTime = before?.ClaimDeniedTime,
                VendorKeyId = result.VendorKey ?? before?.VendorKeyId,
                Denied =
                    result.WasDenied ? OneMore(before?.Denied, now)
                    : result.Applied is null ? before?.Denied
                    : null,
                HeldTime = before?.HeldTime ?? (result.Owns ? now : null),
                Original = before?.Original,
                Writes = result.WasRefused ? Refused(before?.Writes) : before?.Writes,
            },
            result.Claim,
            now
        );
        return result.Outcome switch
        {
            Outcome.InSync inSync => Finish(
                WithWrite(row, inSync.History) with
                {
                    State = BucketStatus.InSync,
                    Observed = ObservedEncryptions.Of(inSync.Observed),
                },
                Standing.Good
            ),
            Outcome.Unconfirmed unconfirmed => Finish(
                Unconfirmed(row, unconfirmed),
                unconfirmed.IsStuck ? Standing.Stuck : Standing.Confirming
            ),
            Outcome.Waiting waiting => Finish(
                row with
                {
                    State = BucketStatus.Drifted,
                    Observed = ObservedEncryptions.Of(waiting.Observed),
                    Error = BucketErrors.Of(waiting.Why),
                },
                Standing.Confirming
            ),
            Outcome.Planned planned => Finish(
                Planned(row, planned),
                planned.Why is null ? Standing.Noted : Standing.Stuck
            ),
            Outcome.Yielded yielded => Finish(
                WithWrite(row, history: null) with
                {
                    State = yielded.IsMet ? BucketStatus.InSync : BucketStatus.Drifted,
                    Observed = ObservedEncryptions.Of(yielded.Observed),
                    Error = BucketErrors.Of(yielded.Why),
                },
                yielded.Why is null ? Standing.Good
                    : yielded.Why.Has(ReasonTraits.Noted) ? Standing.Noted
                    : yielded.Why.PassesByItself ? Standing.Confirming
                    : Standing.Stuck
            ),
            Outcome.Failed failed => Failed(row, failed),
            _ => throw new InvalidOperationException(result.Outcome.GetType().Name),
        };

        StatusStanding Kept(BucketStatus last)
        {
            var kept = WithClaim(
                result.WasRefused ? last with { Writes = Refused(last.Writes) } : last,
                result.Claim,
                now
            );
            if (kept.ClaimedTime is not null || kept.ClaimDeniedTime is not null)
                kept = kept with { Partition = kept.Partition ?? partition }; // without it, it would hold anywhere
            return new(kept, StandingOf(last, wasStalled)) { IsKept = kept == last };
        }

        // A text may name what was observed: with another observation it is another. A leaving row does not say which
        // state it would have otherwise.
        StatusStanding Finish(BucketStatus next, Standing standing) =>
            before is not null
            && (before.State == next.State || before.State == BucketStatus.Releasing)
            && before.Observed == next.Observed
            && BucketErrors.IsSame(before.Error, next.Error)
                ? new(next with { Error = before.Error }, standing)
                : new(next, standing) { HasNewError = next.Error is not null };

        StatusStanding Failed(BucketStatus next, Outcome.Failed outcome)
        {
            var failure = outcome.Failure;
            var isNotTheStore = result.ForeignSince is { } since && FailurePolicy.IsNotTheStore(failure, since, now);
            var standing =
                isNotTheStore ? Standing.Stuck
                : failure.PassesByItself ? Standing.Unread
                : failure.Kind == FailureKind.Missing ? Standing.Missing
                : Standing.Stuck;
            var state =
                failure.PassesByItself ? BucketStatus.Unknown
                : failure.Has(ReasonTraits.PlanRefusal) ? BucketStatus.Drifted
                : BucketStatus.Failed;
            return Finish(
                next with
                {
                    State = state,
                    Observed = ObservedEncryptions.Of(outcome.Observed),
                    Error = BucketErrors.Of(failure) is { } error ? error with { Since = result.ForeignSince } : null,
                },
                standing
            ) with
            {
                IsNotTheStore = isNotTheStore,
            };
        }
    }

    /// <summary>
    /// The row of a bucket that could not be looked at, because its policy or store could not be read.
    /// </summary>
    public static BucketStatus NotLookedAt(string bucket, BucketStatus? before) =>
        new()
        {
            Name = bucket,
            State = BucketStatus.Unknown,
            Partition = before?.Partition,
            Writes = before?.Writes,
            LastAppliedTime = before?.LastAppliedTime,
            ClaimedTime = before?.ClaimedTime,
            ClaimDeniedTime = before?.ClaimDeniedTime,
            VendorKeyId = before?.VendorKeyId,
            HeldTime = before?.HeldTime,
            Original = before?.Original,
        };

    /// <summary>
    /// The row with another history of writes. One that was on record and is gone from it may have been made: whoever
    /// asks for an original must know.
    /// </summary>
    public static BucketStatus WithWrite(BucketStatus row, WriteHistory? history)
    {
        var writes = history is null ? null : BucketMemory.Row(history);
        if (
            row.Writes is not { Refused: not true } last
            || row.LastAppliedTime >= last.RecordedTime
            || writes?.RecordedTime == last.RecordedTime
        )
            return row with { Writes = writes };
        return row with { Writes = writes, LastAppliedTime = last.RecordedTime ?? row.LastAppliedTime };
    }

    /// <summary>The row of a bucket that is to be released and is not yet.</summary>
    public static StatusStanding Leaving(StatusStanding row) =>
        row with
        {
            Row = row.Row with { State = BucketStatus.Releasing },
            Standing = row.Standing is Standing.Good or Standing.Noted or Standing.Missing
                ? Standing.Confirming
                : row.Standing,
        };

    /// <summary>What a row that stays as it was means.</summary>
    public static Standing StandingOf(BucketStatus row, bool wasStalled) =>
        row switch
        {
            { State: BucketStatus.InSync, Error: null } => Standing.Good,
            { State: BucketStatus.Drifted, Error: null } => Standing.Noted,
            { State: BucketStatus.Drifted, Error: { } error } when error.Has(ReasonTraits.Noted) => Standing.Noted,
            { State: BucketStatus.Releasing, Error: null } => Standing.Confirming,
            { State: BucketStatus.Drifted or BucketStatus.Releasing, Error: { } error }
                when error.Has(ReasonTraits.Awaited) => Standing.Confirming,
            { State: BucketStatus.Unknown } => Standing.Unread,
            { State: BucketStatus.Failed } when !wasStalled => Standing.Missing,
            _ => Standing.Stuck,
        };

    private static BucketStatus Unconfirmed(BucketStatus row, Outcome.Unconfirmed outcome)
    {
        var times = outcome.History.Count;
        return WithWrite(row, outcome.History) with
        {
            State = BucketStatus.Drifted,
            Observed = ObservedEncryptions.Of(outcome.Observed),
            Error = outcome switch
            {
                _ when !outcome.IsStuck => new BucketError
                {
                    Operation = Confirm,
                    Code = Reasons.Confirming.Name,
                    Message = "Written; a read does not show it yet.",
                },
                { History.Kept: true } => new BucketError
                {
                    Operation = Confirm,
                    Code = Reasons.Contested.Name,
                    Message = $"Corrected {times} times, and changed back by somebody else each time.",
                    Hint =
                        "Find who else manages this bucket's encryption (another tool, another installation), and "
                        + "stop one of the two. The next correction comes later each time.",
                },
                { Removes: true } => new BucketError
                {
                    Operation = Confirm,
                    Code = Reasons.DisableNotEffective.Name,
                    Message = $"Removed {times} times, and a read still shows an encryption.",
                    Hint =
                        "The store keeps or enforces a default encryption of its own. The next removal comes later "
                        + "each time; a change of spec.encryption resets that.",
                },
                _ => new BucketError
                {
                    Operation = Confirm,
                    Code = Reasons.NotConverging.Name,
                    Message = $"Written {times} times, and a read never shows it.",
                    Hint =
                        "Something puts the bucket back, or the vendor ignores the write; some stores name their "
                        + "default key where a write names none: then leave spec.encryption.kmsKey out. The next "
                        + "write comes later each time; a change of spec.encryption resets that.",
                },
            },
        };
    }

    /// <param name="claim">Null: what it was.</param>
    private static BucketStatus WithClaim(BucketStatus row, Claim? claim, DateTimeOffset now) =>
        claim switch
        {
            null => row,
            Claim.Open => row with { ClaimedTime = row.ClaimedTime ?? now, ClaimDeniedTime = null },
            Claim.Denied => row with { ClaimedTime = null, ClaimDeniedTime = row.ClaimDeniedTime ?? now },
            _ => row with { ClaimedTime = null, ClaimDeniedTime = null },
        };

    private static WriteRecord? Refused(WriteRecord? row) =>
        row is null or { Refused: true } ? row : row with { Refused = true };

    /// <summary>
    /// The third counts only some time after the first: until then the count stands, and with it the row.
    /// </summary>
    private static DeniedWrites OneMore(DeniedWrites? before, DateTimeOffset now) =>
        before switch
        {
            null => new DeniedWrites { Count = 1, Since = now },
            { Count: < DeniedWrites.Enough - 1 } => before with { Count = before.Count + 1 },
            { Count: DeniedWrites.Enough - 1 } when now - before.Since >= DeniedWrites.Span => before with
            {
                Count = DeniedWrites.Enough,
            },
            _ => before,
        };

    private static BucketStatus Planned(BucketStatus row, Outcome.Planned outcome) =>
        row with
        {
            State = BucketStatus.Drifted,
            Observed = ObservedEncryptions.Of(outcome.Observed),
            Error = BucketErrors.Of(outcome.Why),
            Planned = new PlannedWrite
            {
                Operation = outcome.Change.Document is null ? PlannedWrite.Delete : PlannedWrite.Put,
                Target =
                    ObservedEncryptions.Of(outcome.Change.Target)
                    ?? throw new InvalidOperationException("a plan without a target"),
                Document = outcome.Change.Document is { } document
                    ? Failure.Cut(document, PlannedWrite.MaxDocument)
                    : null,
            },
        };
}
