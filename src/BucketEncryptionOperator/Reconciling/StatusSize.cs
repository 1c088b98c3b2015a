using System.Collections.Immutable;
using System.Text.Json;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Keeps a status within what the API server stores with its managed fields. What goes, in this order: the documents of
/// planned writes; texts of errors that rows share, which are then said once (<see cref="PolicyStatus.Problems"/>);
/// messages of all other errors; request ids; of the targets of plans everything but the algorithm; the plans of rows
/// that have an error. A status that fits is left as it is.
/// </summary>
internal static class StatusSize
{
    /// <summary>
    /// Bytes of JSON. The API server refuses an object of 1.5 MiB, and drops the managed fields of a smaller one that
    /// comes near.
    /// </summary>
    public const int Max = 700 * 1024;

    private const int MostProblems = 64;

    /// <summary>Bytes of a row without documents and texts, at the most that is seen; a cheap upper bound.</summary>
    private const int PlainRow = 680;

    /// <summary>Bytes of one character of a text in JSON, at most: as an escape sequence.</summary>
    private const int PerCharacter = 6;

    public static PolicyStatus Fit(PolicyStatus status) =>
        Fits(status) ? status
        : WithoutDocuments(status) is var a && Fits(a) ? a
        : WithProblems(a) is var b && Fits(b) ? b
        : WithoutMessages(b) is var c && Fits(c) ? c
        : WithoutRequests(c) is var d && Fits(d) ? d
        : WithoutTargets(d) is var e && Fits(e) ? e
        : WithoutPlans(e);

    /// <summary>
    /// The status with the texts of its problems in each row again, as it was before it was made to fit.
    /// </summary>
    public static PolicyStatus Expand(PolicyStatus status)
    {
        if (status.Problems is not { IsDefaultOrEmpty: false } problems)
            return status;
        var known = new Dictionary<ProblemKey, ProblemStatus>();
        foreach (var problem in problems)
            known.TryAdd(new ProblemKey(problem.Operation, problem.Code, problem.HttpStatus, problem.Ec), problem);
        return status with
        {
            Problems = null,
            Buckets =
            [
                .. status.Buckets.Select(row =>
                    row.Error is { Message: null, Hint: null } error
                    && known.GetValueOrDefault(KeyOf(error)) is { } said
                        ? row with
                        {
                            Error = error with { Message = said.Message, Hint = said.Hint },
                        }
                        : row
                ),
            ],
        };
    }

    private static bool Fits(PolicyStatus status) =>
        Bound(status) <= Max
        || JsonSerializer.SerializeToUtf8Bytes(status, ApiJsonContext.Default.PolicyStatus).Length <= Max;

    private static int Bound(PolicyStatus status)
    {
        var bytes = 0;
        foreach (var row in status.Buckets)
            bytes +=
                PlainRow
                + PerCharacter
                    * (
                        Length(row.Planned?.Document)
                        + Length(row.Original?.Document)
                        + Length(row.Error?.Message)
                        + Length(row.Error?.Hint)
                        + Length(row.Observed?.KmsKeyId)
                        + Length(row.Planned?.Target.KmsKeyId)
                        + Length(row.Writes?.Hash)
                        + Length(row.VendorKeyId)
                        + Length(row.Partition)
                    );
        return bytes;
    }

    private static int Length(string? text) => text?.Length ?? 0;

    private static PolicyStatus WithoutDocuments(PolicyStatus status) =>
        WithRows(status, r => r.Planned is { } plan ? r with { Planned = plan with { Document = null } } : r);

    /// <summary>
    /// Says the texts of errors once. Of errors with one code and different hints only the first keeps its texts there.
    /// </summary>
    private static PolicyStatus WithProblems(PolicyStatus status)
    {
        var problems = new Dictionary<ProblemKey, ProblemStatus>();
        foreach (var error in status.Buckets.Select(r => r.Error).OfType<BucketError>())
        {
            var key = KeyOf(error);
            if (problems.TryGetValue(key, out var said))
            {
                if (said.Hint == error.Hint)
                    problems[key] = said with { Count = said.Count + 1 };
            }
            else if (problems.Count < MostProblems)
                problems[key] = new ProblemStatus
                {
                    Operation = error.Operation,
                    Code = error.Code,
                    HttpStatus = error.HttpStatus,
                    Ec = error.Ec,
                    Message = error.Message,
                    Hint = error.Hint,
                    Count = 1,
                };
        }
        var shorter = WithErrors(
            status,
            e =>
                problems.GetValueOrDefault(KeyOf(e)) is { } said && said.Hint == e.Hint
                    ? e with
                    {
                        Message = null,
                        Hint = null,
                    }
                    // An empty text: of an error without texts nobody must think that they are among the problems
                    : e with
                    {
                        Message = e.Message ?? "",
                    }
        );
        return shorter with { Problems = [.. problems.Values] };
    }

    private static PolicyStatus WithoutMessages(PolicyStatus status) =>
        WithErrors(status, e => e.Message is null ? e : e with { Message = "" });

    private static PolicyStatus WithoutRequests(PolicyStatus status) =>
        WithErrors(status, e => e with { RequestId = null });

    private static PolicyStatus WithoutTargets(PolicyStatus status) =>
        WithRows(
            status,
            r =>
                r.Planned is { } plan
                    ? r with
                    {
                        Planned = plan with { Target = new ObservedEncryption { Algorithm = plan.Target.Algorithm } },
                    }
                    : r
        );

    /// <summary>A row without an error keeps its plan, which says why the bucket is Drifted.</summary>
    private static PolicyStatus WithoutPlans(PolicyStatus status) =>
        WithRows(status, r => r.Error is null ? r : r with { Planned = null });

    private static PolicyStatus WithErrors(PolicyStatus status, Func<BucketError, BucketError> change) =>
        WithRows(status, r => r.Error is { } error ? r with { Error = change(error) } : r);

    private static PolicyStatus WithRows(PolicyStatus status, Func<BucketStatus, BucketStatus> change) =>
        status with
        {
            Buckets = [.. status.Buckets.Select(change)],
        };

    private static ProblemKey KeyOf(BucketError error) => new(error.Operation, error.Code, error.HttpStatus, error.Ec);

    private readonly record struct ProblemKey(string Operation, string Code, int? HttpStatus, string? Ec);
}
