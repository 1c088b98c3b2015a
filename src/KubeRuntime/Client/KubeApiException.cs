using System.Net;

namespace KubeRuntime.Client;

/// <summary>
/// What an answer of the API server means for its caller. Callers look at this, never at status codes or texts.
/// </summary>
public enum KubeFailureKind
{
    /// <summary>
    /// 5xx, 401, no connection, a time-out, half an answer, or a page about an object that is not the API server's: the
    /// same call may work later. (401: the token has just been replaced, or the server cannot check it now.)
    /// </summary>
    Transient,

    /// <summary>429: later, and not before <see cref="KubeApiException.RetryAfter"/>.</summary>
    Throttled,

    /// <summary>409: the object has changed since it was read.</summary>
    Conflict,

    /// <summary>404: no such object, or no such kind.</summary>
    NotFound,

    /// <summary>
    /// 410, as a status or inside a watch: the resource version or continue token is too old, list again.
    /// </summary>
    Expired,

    /// <summary>403: the operator's account may not.</summary>
    Denied,

    /// <summary>400, 405, 415, 422 and the like: the request is wrong, and will be wrong again.</summary>
    Invalid,

    /// <summary>The answer is larger than the client reads.</summary>
    TooLarge,
}

/// <summary>
/// A call to the API server that did not succeed. The message holds verb, path without query, status and the server's
/// words; never a token or a body.
/// </summary>
public sealed class KubeApiException : Exception
{
    /// <summary>
    /// Maximum of <see cref="RetryAfter"/>. An answer must not delay a loop for a year, nor for longer than a timer can
    /// count (which throws).
    /// </summary>
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    public KubeApiException(KubeFailureKind failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    public KubeFailureKind Failure { get; }

    /// <summary>
    /// Name of the object that the API server itself says does not exist: the answer is a <c>Status</c> with the reason
    /// NotFound that names it. Null for a 404 of a proxy or of a path that is not served, which says nothing about an
    /// object.
    /// </summary>
    public string? MissingObject { get; init; }

    /// <summary>Time that the server asked to wait; at most <see cref="LongestRetryAfter"/>.</summary>
    public TimeSpan? RetryAfter
    {
        get;
        init => field = value > LongestRetryAfter ? LongestRetryAfter : value;
    }

    /// <summary>
    /// Redirects are not followed (they could carry the token away) and count as passing, like everything odd that a
    /// proxy says.
    /// </summary>
    internal static KubeFailureKind Classify(HttpStatusCode status) =>
        status switch
        {
            HttpStatusCode.NotFound => KubeFailureKind.NotFound,
            HttpStatusCode.Conflict => KubeFailureKind.Conflict,
            HttpStatusCode.Gone => KubeFailureKind.Expired,
            HttpStatusCode.Forbidden => KubeFailureKind.Denied,
            HttpStatusCode.TooManyRequests => KubeFailureKind.Throttled,
            HttpStatusCode.RequestTimeout or HttpStatusCode.Unauthorized => KubeFailureKind.Transient,
            >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError => KubeFailureKind.Invalid,
            _ => KubeFailureKind.Transient,
        };
}
