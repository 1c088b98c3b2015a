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
    /// <param name="problems">Why the rows may not be all buckets that are meant.</param>
    public static PolicyVerdict Of(
        ImmutableArray<StatusStanding> rows,
        Failure? failure,
        ImmutableArray<Failure> problems
    )
    {
        if (failure is not null)
            return Of(failure);
        var verdict = Of(rows);
        foreach (var problem in problems.Reverse())
            verdict = Both(Of(problem), verdict);
        return verdict;
    }

    private static PolicyVerdict Of(Failure failure)
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

    /// <summary>
    /// The worse of the two gives the reason, unless both need a person, or both may pass, for different reasons.
    /// </summary>
    private static PolicyVerdict Both(PolicyVerdict first, PolicyVerdict second)
    {
        var worse = first.Worst >= second.Worst ? first : second;
        var isOneReason =
            first.Reason == second.Reason
            || first.Worst >= Standing.Missing != second.Worst >= Standing.Missing
            || first.Worst <= Standing.Noted
            || second.Worst <= Standing.Noted;
        return new PolicyVerdict(
            worse.Worst,
            isOneReason ? worse.Reason : Reasons.MultipleErrors.Name,
            Messages.Join(first.Message, second.Message)
        );
    }

    private static PolicyVerdict Of(ImmutableArray<StatusStanding> rows)
    {
        if (rows.IsEmpty)
            return new PolicyVerdict(Standing.Good, Reasons.InSync.Name, "No bucket is selected.");
        if (rows.All(r => r.Standing == Standing.Good))
            return new PolicyVerdict(
                Standing.Good,
                Reasons.InSync.Name,
                rows.Length == 1
                    ? "The bucket is encrypted as declared."
                    : $"All {rows.Length} buckets are encrypted as declared."
            );
        if (rows.All(r => r.Standing <= Standing.Noted) && rows.All(r => r.Row.Planned is null))
            return new PolicyVerdict(
                Standing.Noted,
                Reasons.OwnedByOthers.Name,
                $"{Listing(rows)} Another policy owns each of those that are not, and writes it."
            );
        if (rows.All(r => r.Standing <= Standing.Noted))
            return new PolicyVerdict(
                Standing.Noted,
                Reasons.Audited.Name,
                $"{Listing(rows)} Mode Audit writes nothing; status.buckets[].planned says what Enforce would send."
            );
        var worst = rows.Max(r => r.Standing);
        // Rows that need a person give the reason. Those that may pass give it only where no other row fails, and those
        // that are only noted never.
        var failing =
            worst >= Standing.Missing
                ? rows.Where(r => r.Standing >= Standing.Missing)
                : rows.Where(r => r.Standing > Standing.Noted);
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
