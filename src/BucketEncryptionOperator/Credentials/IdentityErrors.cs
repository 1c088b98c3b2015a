using System.Net;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>What a refusal by whoever gives temporary keys means. The codes are many and not all documented; what matters is whether time mends it.</summary>
internal static class IdentityErrors
{
    private const int MaxMessage = 256;

    /// <summary>Shorter ones would be found in any text.</summary>
    private const int ShortestToken = 8;

    /// <param name="step">The vendor's name of the call.</param>
    /// <param name="code">The vendor's, where the answer has one.</param>
    /// <param name="message">The vendor's. Dropped if the token is in it.</param>
    /// <param name="token">What was sent.</param>
    public static KeySourceException Refused(string step, IdentityAnswer answer, string? code, string? message, string? requestId, string token, string hint)
    {
        var kind = KindOf(answer.Status, code ?? "");
        var echoes = token.Length >= ShortestToken && message?.Contains(token, StringComparison.Ordinal) == true;
        var failure = new Failure(kind, step, code ?? $"HTTP_{(int)answer.Status}")
        {
            HttpStatus = (int)answer.Status,
            Message = $"{step} was refused.",
            Hint = kind == FailureKind.Denied ? hint : null,
            RequestId = requestId,
            ConcernsCredentials = kind == FailureKind.Denied,
        };
        return new KeySourceException(failure) { Said = message is null || echoes ? "" : OneLine(message) };
    }

    public static KeySourceException Unreadable(string step) => new(new Failure(FailureKind.Transient, step, "UnreadableAnswer")
    {
        Message = $"{step}: the answer has no keys in it that could be read.",
        Hint = "Check whether something on the way answers in the vendor's place.",
    });

    public static KeySourceException NotSetUp(string step, string code, string message, string hint) =>
        new(new Failure(FailureKind.Denied, step, code) { Message = $"{step}: {message}", Hint = hint, ConcernsCredentials = true });

    private static FailureKind KindOf(HttpStatusCode status, string code) =>
        status == HttpStatusCode.TooManyRequests || code.StartsWith("Throttling", StringComparison.Ordinal) || code == "RequestLimitExceeded" ? FailureKind.Throttled
        // The service could not ask the cluster for its signing keys; "a limited number of times" is its own advice.
        : (int)status >= 500 || code == "IDPCommunicationError" ? FailureKind.Transient
        : FailureKind.Denied;

    private static string OneLine(string text) => string.Concat(Failure.Cut(text.Trim(), MaxMessage).Select(c => char.IsControl(c) ? ' ' : c));
}
