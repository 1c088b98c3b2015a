using System.Net;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Why a key service has said nothing about a key.</summary>
internal static class KeyFailures
{
    private const string LookInFront =
        "Look at gateways, proxies and load balancers in front of the key service, and at the store's kmsEndpoint.";

    /// <summary>Nothing in the answer is the key service's own.</summary>
    public static KeyAnswer Foreign(VendorResponse response, AnswerContext context) =>
        Failed(
            response,
            context,
            $"The answer (HTTP {(int)response.Status}) is not the key service's.",
            LookInFront,
            isForeign: true
        );

    /// <summary>The answer has the vendor's form, and says nothing that the operator knows.</summary>
    public static KeyAnswer NotUnderstood(VendorResponse response, AnswerContext context, string message) =>
        Failed(
            response,
            context,
            message,
            "Look at the key with the vendor's own tool; if that shows a state, report the answer as a bug of the "
                + "operator's.",
            isForeign: false
        );

    /// <summary>A description of another key than was asked for: a cache or a gateway has mixed up two.</summary>
    public static KeyAnswer AnotherKey(VendorResponse response, AnswerContext context) =>
        Failed(response, context, "The answer is about another key than was asked for.", LookInFront, isForeign: true);

    /// <summary>A state that this version does not know. It is not guessed at.</summary>
    public static KeyAnswer UnknownState(VendorResponse response, AnswerContext context, string state) =>
        NotUnderstood(
            response,
            context,
            $"The key's state is \"{VendorText.OneLine(state, VendorText.MaxWord)}\", which this version of the "
                + "operator does not know."
        );

    /// <summary>The request lacks something that only the policy's author can say.</summary>
    public static VendorException NotAsked(FailureReason reason, string operation, string message, string hint) =>
        new(
            new Failure(reason, operation)
            {
                Message = message,
                Hint = hint,
                NotSent = true,
            }
        );

    private static KeyAnswer Failed(
        VendorResponse response,
        AnswerContext context,
        string message,
        string hint,
        bool isForeign
    ) =>
        new(
            Health: null,
            new Failure(Reasons.KeyServiceFailed, context.Operation)
            {
                Kind =
                    response.Status == HttpStatusCode.TooManyRequests
                        ? FailureKind.Throttled
                        : Reasons.KeyServiceFailed.Kind,
                HttpStatus = (int)response.Status,
                Message = message,
                Hint = hint,
                RetryAfter = response.RetryAfter(context.Now),
                IsForeign = isForeign,
            }
        );
}
