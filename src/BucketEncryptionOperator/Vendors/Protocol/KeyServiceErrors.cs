using System.Collections.Frozen;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>An error of a key service, in the vendor's form.</summary>
internal sealed record KeyServiceError(string Code, string? Message, string? RequestId);

/// <summary>What some error codes of a key service mean.</summary>
/// <param name="Hint">What a person can do; null for a right that is missing.</param>
internal sealed record KeyErrorMeaning(FailureKind Kind, string? Hint, params IReadOnlyList<string> Codes)
{
    /// <summary>The signature was refused. A clock that is wrong may be why.</summary>
    public bool IsOfSignature { get; init; }
}

/// <summary>
/// Turns the error answer of a key service into what it means. Only a code that is known here says something about a
/// key or a right, and only beside a status of a refusal: everything else may be anybody's answer.
/// </summary>
/// <param name="right">The right to ask, in the vendor's words.</param>
/// <param name="verdicts">Codes that say something about the key, with what they say.</param>
internal sealed class KeyServiceErrors(
    string right,
    IReadOnlyDictionary<string, Func<string, KeyHealth>> verdicts,
    params IEnumerable<KeyErrorMeaning> rows
)
{
    public const string SlowDown = "The key service asks to go slower: the operator does so by itself.";
    public const string Failed = "The key service failed: wait, the operator asks again.";
    public const string WrongKey =
        "The key service does not take the store's access key: check that it, its secret and its token belong "
        + "together, and that the key service knows them.";

    /// <summary>Vendors accept signatures of a quarter of an hour.</summary>
    private static readonly TimeSpan CloseEnough = TimeSpan.FromMinutes(5);

    private readonly FrozenDictionary<string, KeyErrorMeaning> _rows = rows.SelectMany(r =>
            r.Codes.Select(c => (Code: c, Row: r))
        )
        .ToFrozenDictionary(r => r.Code, r => r.Row, StringComparer.Ordinal);

    /// <summary>Codes that have a meaning.</summary>
    public IEnumerable<string> Codes => _rows.Keys.Concat(verdicts.Keys);

    public bool Knows(string code) =>
        _rows.ContainsKey(code) || verdicts.ContainsKey(code) || Reasons.KeyServiceFailed.Is(code);

    /// <summary>Reads an answer that is no description of a key.</summary>
    /// <param name="error">Null where the answer does not have the form of the vendor's errors.</param>
    public KeyAnswer Read(KeyQuestion question, KeyServiceError? error, VendorResponse response, AnswerContext context)
    {
        if (error is null)
            return KeyFailures.Foreign(response, context);
        var isRefusal = (int)response.Status is >= 400 and < 500;
        if (isRefusal && verdicts.GetValueOrDefault(error.Code) is { } verdict)
            return KeyAnswer.Of(verdict(error.Code));
        var row = _rows.GetValueOrDefault(error.Code);
        if (row is null || response.IsSuccess || (row.Kind == FailureKind.Denied && !isRefusal))
            return KeyFailures.NotUnderstood(
                response,
                context,
                $"The key service answers with HTTP {(int)response.Status} and the code {Word(error.Code)}, which says "
                    + "nothing of the key here."
            );
        return new KeyAnswer(
            Health: null,
            new Failure(row.Kind, context.Operation, error.Code)
            {
                HttpStatus = (int)response.Status,
                Message = VendorText.OneLine(error.Message, VendorText.MaxMessage),
                Hint = row.Hint ?? $"Grant the key's owner {right} on the KMS key {question.KmsKey.Id}.",
                RequestId = Word(error.RequestId),
                RetryAfter = response.RetryAfter(context.Now),
                IsVendorAnswer = true,
            }
        )
        {
            IsSkewed = row.IsOfSignature && MayBeSkewed(response, context),
        };
    }

    private static string? Word(string? text) => VendorText.OneLine(text, VendorText.MaxWord);

    private static bool MayBeSkewed(VendorResponse response, AnswerContext context) =>
        response.Headers.Date is { } theirs && (theirs - context.Now).Duration() > CloseEnough;
}
