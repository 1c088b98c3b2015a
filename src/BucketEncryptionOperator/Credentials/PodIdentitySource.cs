using System.Net;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// EKS Pod Identity: temporary keys of the role that is associated with the operator's service account, from an agent
/// on the node. The variables are those that EKS's webhook sets: where the agent is, and the file with the pod's token,
/// which is the proof. As in AWS's SDKs, plain http goes only to the node itself.
/// </summary>
internal sealed class PodIdentitySource(IdentityHttp link, IdentityHttp network, IdentityOptions options)
{
    public const string Step = "GetPodIdentityCredentials";
    private const string UriVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    private const string TokenFileVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

    private const string WhoMustAct =
        "Check the pod identity association of the operator's service account, and the role's trust policy "
        + "(docs/credentials.md).";

    /// <summary>The addresses of the agents of ECS and EKS, which are the same on every node.</summary>
    private static readonly HashSet<string> OnTheNode = new(StringComparer.OrdinalIgnoreCase)
    {
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
    };

    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public async Task<TemporaryKey> FetchAsync(CancellationToken cancellationToken)
    {
        var address = Address(options.Variable(UriVariable));
        var token = await TokenFile.ReadAsync(
            options.Variable(TokenFileVariable),
            TokenFileVariable,
            cancellationToken
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.TryAddWithoutValidation("Authorization", token);
        var http = address.Scheme == Uri.UriSchemeHttps ? network : link;
        var answer = await http.SendAsync(request, Step, cancellationToken);
        var fields = AnswerFields.OfJson(answer.Body);
        if (!answer.IsSuccess)
            throw IdentityErrors.Refused(
                Step,
                answer,
                fields["code"],
                fields["message"],
                requestId: null,
                token,
                WhoMustAct
            );
        return fields.Key(Step, "pod-identity", answer, ("AccessKeyId", "SecretAccessKey", "Token"));
    }

    private static Uri Address(string? variable)
    {
        if (variable is null)
            throw NotSetUp($"the operator's environment has no {UriVariable}.");
        return
            Uri.TryCreate(variable, UriKind.Absolute, out var address)
            && address.UserInfo.Length == 0
            && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && IsOnTheNode(address)))
            ? address
            : throw NotSetUp($"{UriVariable} is no address of the node, and none with https.");
    }

    private static bool IsOnTheNode(Uri address) =>
        IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip)
        && (IPAddress.IsLoopback(ip) || OnTheNode.Contains(ip.ToString()));

    private static KeySourceException NotSetUp(string message) =>
        IdentityErrors.NotSetUp(
            Step,
            Reasons.PodIdentityNotSetUp,
            message,
            "Associate a role with the operator's service account, and restart its pods (docs/credentials.md)."
        );
}
