using System.Net;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// Classifies the refusals of token services. Their codes are many and not all documented; the important question is
/// whether waiting helps.
/// </summary>
internal static class IdentityErrors
{
    private const int MaxMessage = 256;

    private const string Unnamed =
        "The answer has no error code of the service: see whether a proxy or gateway on the way answers in its place.";

    /// <param name="step">The vendor's name of the call.</param>
    /// <param name="code">
    /// Code of the vendor; null if there is none: then the answer may come from anything on the way, and counts as
    /// transient.
    /// </param>
    /// <param name="message">Message of the vendor.</param>
    /// <param name="token">The token that was sent. A text that repeats it is dropped.</param>
    public static KeySourceException Refused(
        string step,
        IdentityAnswer answer,
        string? code,
        string? message,
        string? requestId,
        string token,
        string hint
    )
    {
        code = KeyRedaction.Repeats(code, token) ? null : code;
        var kind = KindOf(answer.Status, code);
        var failure = new Failure(kind, step, code ?? Reasons.OfStatus((int)answer.Status))
        {
            HttpStatus = (int)answer.Status,
            Message = $"{step} was refused.",
            Hint =
                kind == FailureKind.Denied ? hint
                : code is null ? Unnamed
                : null,
            RequestId = KeyRedaction.Repeats(requestId, token) ? null : requestId,
            ConcernsCredentials = kind == FailureKind.Denied,
        };
        var isSafe = message is not null && !KeyRedaction.Repeats(message, token);
        return new KeySourceException(failure) { Said = isSafe ? OneLine(message ?? "") : "" };
    }

    public static KeySourceException Unreadable(string step) =>
        new(
            new Failure(Reasons.UnreadableAnswer, step)
            {
                Message = $"{step}: the answer has no keys in it that could be read.",
                Hint = "Check whether something on the way answers in the vendor's place.",
            }
        );

    public static KeySourceException NotSetUp(string step, FailureReason reason, string message, string hint) =>
        new(
            new Failure(reason, step)
            {
                Message = $"{step}: {message}",
                Hint = hint,
                ConcernsCredentials = true,
            }
        );

    private static FailureKind KindOf(HttpStatusCode status, string? code) =>
        code switch
        {
            _ when status == HttpStatusCode.TooManyRequests => FailureKind.Throttled,
            _ when (int)status >= 500 => FailureKind.Transient,
            null => FailureKind.Transient,
            "RequestLimitExceeded" => FailureKind.Throttled,
            _ when code.StartsWith("Throttling", StringComparison.Ordinal) => FailureKind.Throttled,
            // The service could not ask the cluster for its signing keys; "a limited number of times" is its own
            // advice.
            "IDPCommunicationError" => FailureKind.Transient,
            _ => FailureKind.Denied,
        };

    private static string OneLine(string text) =>
        string.Concat(Failure.Cut(text.Trim(), MaxMessage).Select(c => char.IsControl(c) ? ' ' : c));
}
