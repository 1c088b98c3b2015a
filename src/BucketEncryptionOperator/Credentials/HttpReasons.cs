using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>Which reason an HTTP request that brought no answer has.</summary>
internal static class HttpReasons
{
    public static FailureReason Of(HttpRequestError error) =>
        error switch
        {
            HttpRequestError.NameResolutionError => Reasons.NameNotResolved,
            HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError => Reasons.Unreachable,
            HttpRequestError.SecureConnectionError => Reasons.TlsFailed,
            HttpRequestError.ConfigurationLimitExceeded => Reasons.AnswerTooLarge,
            _ => Reasons.BrokenAnswer,
        };
}
