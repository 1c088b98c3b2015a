using BucketEncryptionOperator.Encryption;
using k8s;
using k8s.Models;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>What the API server is asked about service accounts: one account, and a token of it.</summary>
/// <param name="Get">Returns the account.</param>
/// <param name="Request">Returns a token of the account for one audience; null if the answer has none.</param>
/// <remarks>Both throw a <see cref="KubeApiException"/> when the API server does not give it.</remarks>
internal sealed record ServiceAccountApi(
    Func<NamespacedName, CancellationToken, Task<V1ServiceAccount>> Get,
    Func<NamespacedName, string, CancellationToken, Task<string?>> Request
)
{
    /// <summary>Seconds: the least that the API server issues. A token is used at once, and never again.</summary>
    private const long TokenLife = 600;

    public static ServiceAccountApi Of(KubeClient client) =>
        new(
            (name, token) =>
                client.CallAsync(
                    $"GET serviceaccounts {name}",
                    k =>
                        k.CoreV1.ReadNamespacedServiceAccountAsync(name.Name, name.Namespace, cancellationToken: token),
                    token
                ),
            async (name, audience, token) => (
                    await client.CallAsync(
                        $"POST serviceaccounts/token {name}",
                        k =>
                            k.CoreV1.CreateNamespacedServiceAccountTokenAsync(
                                new Authenticationv1TokenRequest
                                {
                                    ApiVersion = "authentication.k8s.io/v1",
                                    Kind = "TokenRequest",
                                    Spec = new V1TokenRequestSpec
                                    {
                                        Audiences = [audience],
                                        ExpirationSeconds = TokenLife,
                                    },
                                },
                                name.Name,
                                name.Namespace,
                                cancellationToken: token
                            ),
                        token
                    )
                ).Status?.Token
        );
}

/// <summary>
/// Tokens of the service accounts that namespaced stores name, for one token service each. An account is used only if
/// it names the store (<see cref="StoresAnnotation"/>): a store's author may name any account of the namespace, and
/// need not have a right to it. A token stays in memory, and goes to the token service only.
/// </summary>
internal sealed class ServiceAccountTokens(ServiceAccountApi api, TokenAudiences audiences)
{
    public const string ReadStep = "ReadServiceAccount";
    public const string TokenStep = "RequestToken";

    /// <summary>
    /// On a ServiceAccount: the names of the BucketStores of its namespace that may use it, separated by commas.
    /// </summary>
    public const string StoresAnnotation = "bucketencryption.io/stores";

    private const int MaxLength = 32 * 1024;

    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public async Task<string> TokenAsync(ServiceAccountIdentity identity, CancellationToken cancellationToken)
    {
        var account = identity.Account;
        if (!IsOffered(await AskAsync(account, ReadStep, api.Get(account, cancellationToken)), identity.Store))
            throw Failed(
                Reasons.ServiceAccountNotOffered,
                ReadStep,
                $"ServiceAccount \"{account.Name}\" does not name the store \"{identity.Store}\".",
                $"If the store may use it, add it to the ServiceAccount's annotation {StoresAnnotation}: "
                    + $"\"{identity.Store}\".",
                isTakenBack: true
            );
        var audience = audiences.For(identity.Protocol);
        if (audiences.IsOfApiServer(audience))
            throw OfApiServer(audience);
        var token = await AskAsync(account, TokenStep, api.Request(account, audience, cancellationToken));
        if (token is not { Length: > 0 and <= MaxLength } || !VisibleAscii.IsAll(token))
            throw Failed(Reasons.ServiceAccountUnreadable, TokenStep, "The answer has no token.", hint: null);
        // By default an API server takes what is for its own name as an issuer.
        if (TokenAudiences.IsForIssuer(token, audience))
            throw OfApiServer(audience);
        return TokenAudiences.IsOnlyFor(token, audience)
            ? token
            : throw Failed(
                Reasons.AudienceNotAllowed,
                TokenStep,
                $"The API server issued a token that is not for the audience \"{audience}\" alone.",
                "Check whether something on the way changes requests for tokens.",
                isTakenBack: true
            );
    }

    private static bool IsOffered(V1ServiceAccount account, string store) =>
        account.Metadata.Annotations?.TryGetValue(StoresAnnotation, out var names) == true
        && names.Split(',', StringSplitOptions.TrimEntries).Contains(store, StringComparer.Ordinal);

    private static async Task<T> AskAsync<T>(NamespacedName account, string step, Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (KubeApiException e)
        {
            throw e.Failure switch
            {
                KubeFailureKind.NotFound => Failed(
                    Reasons.ServiceAccountNotFound,
                    step,
                    $"There is no ServiceAccount \"{account.Name}\" in namespace \"{account.Namespace}\".",
                    $"Create it, with the store's name in its annotation {StoresAnnotation}.",
                    isTakenBack: true
                ),
                KubeFailureKind.Denied => Failed(
                    Reasons.ServiceAccountForbidden,
                    step,
                    $"The operator may not {(step == ReadStep ? "get" : "request tokens of")} the ServiceAccount "
                        + $"\"{account.Name}\".",
                    "Ask the operator's administrator to list the namespace, or the account, in rbac.serviceAccounts."
                ),
                KubeFailureKind.Throttled => new KeySourceException(
                    new Failure(Reasons.ServiceAccountUnreadable, step)
                    {
                        Kind = FailureKind.Throttled,
                        Message = "The Kubernetes API asks to go slower.",
                        RetryAfter = e.RetryAfter,
                    }
                ),
                _ => Failed(
                    Reasons.ServiceAccountUnreadable,
                    step,
                    "The Kubernetes API did not answer as asked.",
                    hint: null
                ),
            };
        }
    }

    private static KeySourceException OfApiServer(string audience) =>
        Failed(
            Reasons.AudienceNotAllowed,
            TokenStep,
            $"The audience \"{audience}\" is the API server's own, so its tokens are good at the API server.",
            "Ask the operator's administrator to correct --token-audiences, or the API server's audiences.",
            isTakenBack: true
        );

    private static KeySourceException Failed(
        FailureReason reason,
        string step,
        string message,
        string? hint,
        bool isTakenBack = false
    ) =>
        new(
            new Failure(reason, step)
            {
                Message = message,
                Hint = hint,
                ConcernsCredentials = reason.Kind is FailureKind.Denied or FailureKind.Missing,
            }
        )
        {
            IsTakenBack = isTakenBack,
        };
}
