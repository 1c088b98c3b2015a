using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What the rows of a policy come to: the one reason and message of its condition Ready.</summary>
/// <param name="Worst">The worst standing of all rows.</param>
internal sealed record PolicyVerdict(Standing Worst, string Reason, string Message)
{
    private const int NamedBuckets = 10;
    private const int MaxReason = 128;

    /// <summary>The operator has failed, and not the policy or its vendor.</summary>
    public bool IsBug { get; init; }

    /// <param name="failure">Why the buckets were not read; null where they were.</param>
    public static PolicyVerdict Of(ImmutableArray<StatusStanding> rows, Failure? failure)
    {
        if (failure is not null)
        {
            var standing =
                failure.PassesByItself || failure.Kind == FailureKind.Bug ? Standing.Unread
                : failure.Kind == FailureKind.Missing ? Standing.Missing
                : Standing.Stuck;
            return new PolicyVerdict(
                standing,
                ToReason(failure.Code, failure.HttpStatus),
                Messages.Join(failure.Message, failure.Hint)
            )
            {
                IsBug = failure.Kind == FailureKind.Bug,
            };
        }
        if (rows.All(r => r.Standing == Standing.Good))
            return new PolicyVerdict(
                Standing.Good,
                Reasons.InSync.Name,
                rows.Length == 1
                    ? "The bucket is encrypted as declared."
                    : $"All {rows.Length} buckets are encrypted as declared."
            );
        if (rows.All(r => r.Standing <= Standing.Noted))
            return new PolicyVerdict(
                Standing.Noted,
                Reasons.Audited.Name,
                $"{Listing(rows)} Mode Audit writes nothing; status.buckets[].planned says what Enforce would send."
            );
        var worst = rows.Max(r => r.Standing);
        // Rows that need a person give the reason. Those that may pass give it only where no other row fails.
        var failing =
            worst >= Standing.Missing
                ? rows.Where(r => r.Standing >= Standing.Missing)
                : rows.Where(r => r.Standing != Standing.Good);
        var reasons = failing.Select(ReasonOf).Distinct(StringComparer.Ordinal).ToList();
        var hints = failing.Select(r => r.Row.Error?.Hint).Distinct(StringComparer.Ordinal).ToList();
        var message = Messages.Join(Listing(rows), hints is [{ } hint] ? hint : null);
        return new PolicyVerdict(worst, reasons is [var one] ? one : Reasons.MultipleErrors.Name, message);
    }

    /// <summary>
    /// A vendor's code as a condition reason, which must be one word: <c>KMS.NotFoundException</c> becomes
    /// <c>KMS_NotFoundException</c>.
    /// </summary>
    public static string ToReason(string code, int? httpStatus)
    {
        var word = string.Concat(code.Take(MaxReason).Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')).Trim('_');
        return word.Length > 0 && char.IsAsciiLetter(word[0]) ? word
            : httpStatus is { } status ? Reasons.OfStatus(status)
            : Reasons.Unspecified.Name;
    }

    private static string ReasonOf(StatusStanding row) =>
        row.KeyRejected ? Reasons.CredentialsRejected.Name
        : row.IsNotTheStore ? Reasons.NotTheStore.Name
        : row.Row.Error is { } error ? ToReason(error.Code, error.HttpStatus)
        : row.Row.State == BucketStatus.Releasing ? Reasons.Releasing.Name
        : Reasons.Pending.Name;

    /// <summary>Names and codes only: what the vendor's texts add may change from one answer to the next.</summary>
    private static string Listing(ImmutableArray<StatusStanding> rows)
    {
        // Rows that need a person first, then the order of the spec. A kept row knows no finer order.
        var failing = rows.Where(r => r.Standing != Standing.Good)
            .OrderByDescending(r => r.Standing >= Standing.Missing)
            .ToList();
        var named = string.Join(
            ", ",
            failing.Take(NamedBuckets).Select(r => $"{r.Row.Name}: {r.Row.Error?.Code ?? Word(r)}")
        );
        var more = failing.Count > NamedBuckets ? $", and {failing.Count - NamedBuckets} more" : "";
        var ours = rows.Where(r => r.Row.State != BucketStatus.Releasing).ToList();
        return $"{ours.Count(r => r.Row.State == BucketStatus.InSync)} of {ours.Count} buckets are as declared. "
            + $"{named}{more}.";

        static string Word(StatusStanding row) =>
            row.Row.State == BucketStatus.Releasing ? Reasons.Releasing.Name
            : row.Standing == Standing.Noted ? "Drift"
            : Reasons.Pending.Name;
    }
}
