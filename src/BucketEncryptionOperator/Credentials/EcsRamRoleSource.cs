using System.Net;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The RAM role of the ECS instance: temporary keys from the instance's metadata, at an address that is the same on
/// every instance and leads nowhere else. First a session's token (version 2); where that is not to be had, without
/// (version 1). The variables are those of Alibaba Cloud's own libraries.
/// </summary>
internal sealed class EcsRamRoleSource(IdentityHttp http, IdentityOptions options)
{
    public const string TokenStep = "GetMetadataToken";
    public const string NameStep = "GetRamRoleName";
    public const string Step = "GetRamRoleCredentials";
    private const string NameVariable = "ALIBABA_CLOUD_ECS_METADATA";
    private const string OffVariable = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
    private const string NoVersion1Variable = "ALIBABA_CLOUD_IMDSV1_DISABLED";
    private const string Credentials = "/latest/meta-data/ram/security-credentials/";
    private const int LongestName = 64;
    private const int LongestToken = 1024;

    /// <summary>Seconds: used at once, and never again.</summary>
    private const string TokenLife = "60";

    private const string WhoMustAct =
        "Attach the RAM role to the instance, or correct ecsRamRole.name (docs/credentials.md).";

    private static readonly Uri Address = new("http://100.100.100.200");

    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public async Task<TemporaryKey> FetchAsync(AmbientIdentity.EcsRamRole identity, CancellationToken cancellationToken)
    {
        if (options.IsTrue(OffVariable))
            throw IdentityErrors.NotSetUp(
                TokenStep,
                Reasons.MetadataDisabled,
                $"{OffVariable} is true in the operator's environment.",
                "Remove it, or use another source of keys."
            );
        var token = await TokenAsync(cancellationToken);
        var name =
            identity.Name
            ?? options.Variable(NameVariable)
            ?? (await AskAsync(Credentials, NameStep, token, cancellationToken)).Body.Trim();
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw IdentityErrors.NotSetUp(
                NameStep,
                Reasons.NoRamRole,
                "the instance's metadata name no RAM role.",
                WhoMustAct
            );
        var answer = await AskAsync(Credentials + name, Step, token, cancellationToken);
        var fields = AnswerFields.OfJson(answer.Body);
        if (fields["Code"] is { } code and not "Success")
            throw IdentityErrors.Refused(
                Step,
                answer with
                {
                    Status = HttpStatusCode.Forbidden,
                },
                code,
                fields["Message"],
                requestId: null,
                token ?? "",
                WhoMustAct
            );
        return fields.Key(Step, "ecs-ram-role/" + name, answer, ("AccessKeyId", "AccessKeySecret", "SecurityToken"));
    }

    /// <returns>Null: version 1 must do.</returns>
    private async Task<string?> TokenAsync(CancellationToken cancellationToken)
    {
        var isRequired = options.IsTrue(NoVersion1Variable);
        using var request = new HttpRequestMessage(
            HttpMethod.Put,
            new Uri(options.Metadata ?? Address, "/latest/api/token")
        );
        request.Headers.Add("X-aliyun-ecs-metadata-token-ttl-seconds", TokenLife);
        try
        {
            var answer = await http.SendAsync(request, TokenStep, cancellationToken);
            var token = answer.Body.Trim();
            if (answer.IsSuccess && token.Length is > 0 and <= LongestToken && VisibleAscii.IsAll(token))
                return token;
            return isRequired ? throw Refused(TokenStep, answer, token: "") : null;
        }
        catch (KeySourceException) when (!isRequired)
        {
            return null; // the way back may be one hop too long for it, while version 1 answers
        }
    }

    private async Task<IdentityAnswer> AskAsync(
        string path,
        string step,
        string? token,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(options.Metadata ?? Address, path));
        if (token is not null)
            request.Headers.Add("X-aliyun-ecs-metadata-token", token);
        var answer = await http.SendAsync(request, step, cancellationToken);
        return answer.IsSuccess ? answer : throw Refused(step, answer, token ?? "");
    }

    /// <summary>
    /// The metadata have no codes: what is not there is told by a bare 404. (Nobody else is at their address.)
    /// </summary>
    private static KeySourceException Refused(string step, IdentityAnswer answer, string token)
    {
        var code = answer.Status == HttpStatusCode.NotFound ? Reasons.OfStatus((int)answer.Status) : null;
        return IdentityErrors.Refused(step, answer, code, message: null, requestId: null, token, WhoMustAct);
    }
}
