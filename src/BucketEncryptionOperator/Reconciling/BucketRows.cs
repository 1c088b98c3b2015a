using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a row means for the conditions.</summary>
internal enum Standing
{
    /// <summary>As declared.</summary>
    Good,

    /// <summary>Written, and not yet seen by a read.</summary>
    Confirming,

    /// <summary>Not known now; time may tell.</summary>
    Unread,

    /// <summary>The bucket is not there; somebody may still create it.</summary>
    Missing,

    /// <summary>A person must act.</summary>
    Stuck,
}

internal readonly record struct StandingRow(BucketRow Row, Standing Standing)
{
    /// <summary>The vendor rejects the access key: the trouble is not the bucket's.</summary>
    public bool KeyRejected { get; init; }
}

/// <summary>
/// The next row of a bucket from its last one and what happened. A row changes only when something changed: request ids, texts and
/// times of an equal failure are those of the first, so that a failing policy's status does not churn.
/// </summary>
internal static class BucketRows
{
    public const string Confirming = "Confirming";
    public const string NotConverging = "NotConverging";

    /// <param name="before">The bucket's last row of the same spec, or null.</param>
    /// <param name="tolerated">A failure that passes by itself does not show yet.</param>
    /// <param name="wasStalled">The policy's status says so now.</param>
    public static StandingRow Next(BucketRow? before, BucketResult result, bool tolerated, bool wasStalled) => result.Outcome switch
    {
        Outcome.InSync inSync => new(Row(before, result, BucketRow.InSync, inSync.Observed, error: null, writes: null), Standing.Good),
        Outcome.Unconfirmed unconfirmed => Unconfirmed(before, result, unconfirmed),
        Outcome.Failed { Failure.PassesByItself: true } when tolerated && before is not null && result.Applied is null => new(before, StandingOf(before, wasStalled)),
        Outcome.Failed failed => Failed(before, result, failed),
        _ => throw new InvalidOperationException(result.Outcome.GetType().Name),
    };

    /// <summary>The row of a bucket that could not be looked at, because its policy or store could not be read.</summary>
    public static BucketRow NotLookedAt(string bucket, BucketRow? before) =>
        new() { Name = bucket, State = BucketRow.Unknown, Writes = before?.Writes, LastAppliedTime = before?.LastAppliedTime };

    /// <summary>What a row that stays as it was means.</summary>
    public static Standing StandingOf(BucketRow row, bool wasStalled) => row.State switch
    {
        BucketRow.InSync => Standing.Good,
        BucketRow.Unknown => Standing.Unread,
        BucketRow.Drifted when row.Error?.Code == Confirming => Standing.Confirming,
        BucketRow.Failed when !wasStalled => Standing.Missing,
        _ => Standing.Stuck,
    };

    private static StandingRow Unconfirmed(BucketRow? before, BucketResult result, Outcome.Unconfirmed outcome)
    {
        var error = outcome.History.FuseBlown
            ? new ErrorRow
            {
                Operation = "Confirm",
                Code = NotConverging,
                Message = $"Written {outcome.History.Count} times, and a read never shows it.",
                Hint = "Something puts the bucket back, or the vendor drops what it is told. The next write comes later each time; a change of spec.encryption starts anew.",
            }
            : new ErrorRow { Operation = "Confirm", Code = Confirming, Message = "Written; a read does not show it yet." };
        var row = Row(before, result, BucketRow.Drifted, outcome.Observed, error, Writes(outcome.History));
        return new(row, outcome.History.FuseBlown ? Standing.Stuck : Standing.Confirming);
    }

    private static StandingRow Failed(BucketRow? before, BucketResult result, Outcome.Failed outcome)
    {
        var failure = outcome.Failure;
        var error = new ErrorRow
        {
            Operation = failure.Operation,
            Code = failure.Code,
            HttpStatus = failure.HttpStatus,
            Ec = failure.Ec,
            Message = failure.Message,
            Hint = failure.Hint,
            RequestId = failure.RequestId,
        };
        var standing = failure.PassesByItself ? Standing.Unread : failure.Kind == FailureKind.Missing ? Standing.Missing : Standing.Stuck;
        var state = standing == Standing.Unread ? BucketRow.Unknown : failure.Code == Planner.DowngradeRefused ? BucketRow.Drifted : BucketRow.Failed;
        return new(Row(before, result, state, outcome.Observed, error, before?.Writes), standing);
    }

    private static BucketRow Row(BucketRow? before, BucketResult result, string state, BucketEncryption? encryption, ErrorRow? error, WritesRow? writes)
    {
        var observed = Observed(encryption);
        return new BucketRow
        {
            Name = result.Bucket,
            State = state,
            Observed = observed,
            // A text may name what was observed: with another observation it is another.
            Error = before is not null && before.State == state && before.Observed == observed && IsSame(before.Error, error) ? before.Error : error,
            Writes = writes,
            LastAppliedTime = result.Applied?.At is { } at ? KubeTimeConverter.Truncate(at) : before?.LastAppliedTime,
        };
    }

    /// <summary>The same failure again: texts and request ids do not count.</summary>
    private static bool IsSame(ErrorRow? a, ErrorRow? b) =>
        a is not null && b is not null && a.Operation == b.Operation && a.Code == b.Code && a.HttpStatus == b.HttpStatus && a.Ec == b.Ec && a.Hint == b.Hint;

    private static WritesRow Writes(WriteHistory history) =>
        new() { Hash = history.Fingerprint, Count = history.Count, NotBefore = KubeTimeConverter.Truncate(history.NotBefore) };

    public static ObservedRow? Observed(BucketEncryption? encryption) => encryption switch
    {
        null => null,
        BucketEncryption.None => new ObservedRow { Algorithm = "None" },
        BucketEncryption.Aes256 => new ObservedRow { Algorithm = "AES256" },
        BucketEncryption.Sm4 => new ObservedRow { Algorithm = "SM4" },
        BucketEncryption.Kms kms => new ObservedRow
        {
            Algorithm = "KMS",
            KmsKeyId = kms.KeyId,
            KmsDataEncryption = kms.Cipher switch
            {
                DataCipher.Sm4 => "SM4",
                DataCipher.Other => "Other",
                _ => null,
            },
            KmsProjectId = kms.ProjectId,
            BucketKeyEnabled = kms.BucketKeyEnabled ? true : null,
        },
        BucketEncryption.Other other => new ObservedRow { Algorithm = other.Algorithm },
        _ => throw new InvalidOperationException(encryption.GetType().Name),
    };
}
