using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class AmbientIdentitiesTests
{
    /// <summary>What goes wrong → the step, the code and the kind that the failure has.</summary>
    private static readonly Dictionary<
        string,
        (TemporaryIdentity Identity, Func<string, Reply> Script, string Step, string Code, FailureKind Kind)
    > Table = new(StringComparer.Ordinal)
    {
        ["the role does not trust the account"] = (
            Rrsa,
            Json(403, """{"Code": "NoPermission", "Message": "hush-token is not for you", "RequestId": "r-1"}"""),
            "AssumeRoleWithOIDC",
            "NoPermission",
            FailureKind.Denied
        ),
        ["there is no such role"] = (
            Rrsa,
            Json(404, """{"Code": "EntityNotExist.Role", "RequestId": "r-1"}"""),
            "AssumeRoleWithOIDC",
            "EntityNotExist.Role",
            FailureKind.Denied
        ),
        ["the token service asks to go slower"] = (
            Rrsa,
            Json(400, """{"Code": "Throttling.User", "Message": "Request was denied due to user flow control."}"""),
            "AssumeRoleWithOIDC",
            "Throttling.User",
            FailureKind.Throttled
        ),
        ["the token service fails"] = (
            Rrsa,
            Json(503, """{"Code": "ServiceUnavailable"}"""),
            "AssumeRoleWithOIDC",
            "ServiceUnavailable",
            FailureKind.Transient
        ),
        ["a proxy answers in its place"] = (
            Rrsa,
            Json(502, "<html>hush-token</html>"),
            "AssumeRoleWithOIDC",
            "HTTP_502",
            FailureKind.Transient
        ),
        ["a redirect, which is not followed"] = (
            Rrsa,
            _ => ScriptedServer.Answer(302, "", "Location: http://127.0.0.1:1/"),
            "AssumeRoleWithOIDC",
            "HTTP_302",
            FailureKind.Transient
        ),
        ["a gateway's page in place of the token service"] = (
            Rrsa,
            Json(403, "<html>blocked</html>"),
            "AssumeRoleWithOIDC",
            "HTTP_403",
            FailureKind.Transient
        ),
        ["a gateway that knows no route to the token service"] = (
            Web,
            Json(404, "404 page not found"),
            "AssumeRoleWithWebIdentity",
            "HTTP_404",
            FailureKind.Transient
        ),
        ["metadata that answer nobody now"] = (
            Ecs,
            r =>
                r.StartsWith("PUT", StringComparison.Ordinal)
                    ? ScriptedServer.Answer(200, "hush-session")
                    : ScriptedServer.Answer(403),
            "GetRamRoleName",
            "HTTP_403",
            FailureKind.Transient
        ),
        ["a code and a request id that repeat the token"] = (
            Rrsa,
            Json(403, """{"Code": "hush-token", "Message": "no", "RequestId": "hush-token"}"""),
            "AssumeRoleWithOIDC",
            "HTTP_403",
            FailureKind.Transient
        ),
        ["an answer without keys"] = (
            Rrsa,
            Json(200, """{"Credentials": {"AccessKeyId": "id"}}"""),
            "AssumeRoleWithOIDC",
            "UnreadableAnswer",
            FailureKind.Transient
        ),
        ["an answer that is no JSON"] = (
            Rrsa,
            Json(200, "hush-token"),
            "AssumeRoleWithOIDC",
            "UnreadableAnswer",
            FailureKind.Transient
        ),
        ["a key that would be a header of its own"] = (
            Rrsa,
            Json(200, OssKeys.Replace("STS.id", "STS.id\\r\\nx: y", StringComparison.Ordinal)),
            "AssumeRoleWithOIDC",
            "UnreadableAnswer",
            FailureKind.Transient
        ),
        ["an answer without end"] = (
            Rrsa,
            _ => new Reply.Endless("HTTP/1.1 200 OK\r\n\r\n"),
            "AssumeRoleWithOIDC",
            "AnswerTooLarge",
            FailureKind.Transient
        ),
        ["a reset"] = (Rrsa, _ => new Reply.Reset(), "AssumeRoleWithOIDC", "BrokenAnswer", FailureKind.Transient),
        ["a token of the pod that has ended"] = (
            Web,
            Json(400, Refusal("ExpiredTokenException")),
            "AssumeRoleWithWebIdentity",
            "ExpiredTokenException",
            FailureKind.Denied
        ),
        ["an issuer that the account does not know"] = (
            Web,
            Json(400, Refusal("InvalidIdentityToken")),
            "AssumeRoleWithWebIdentity",
            "InvalidIdentityToken",
            FailureKind.Denied
        ),
        ["a role that does not trust the account"] = (
            Web,
            Json(403, Refusal("AccessDenied")),
            "AssumeRoleWithWebIdentity",
            "AccessDenied",
            FailureKind.Denied
        ),
        ["an issuer that did not answer the service"] = (
            Web,
            Json(400, Refusal("IDPCommunicationError")),
            "AssumeRoleWithWebIdentity",
            "IDPCommunicationError",
            FailureKind.Transient
        ),
        ["a document type"] = (
            Web,
            Json(200, "<!DOCTYPE x [<!ENTITY e \"hush-token\">]>" + IamKeys),
            "AssumeRoleWithWebIdentity",
            "UnreadableAnswer",
            FailureKind.Transient
        ),
        ["an instance without a role"] = (
            Ecs,
            r =>
                r.StartsWith("PUT", StringComparison.Ordinal)
                    ? ScriptedServer.Answer(200, "hush-session")
                    : ScriptedServer.Answer(404),
            "GetRamRoleName",
            "HTTP_404",
            FailureKind.Denied
        ),
        ["a role's name that leads elsewhere"] = (
            Ecs,
            _ => ScriptedServer.Answer(200, "../../user-data"),
            "GetRamRoleName",
            "NoRamRole",
            FailureKind.Denied
        ),
        ["a role that is not the instance's"] = (
            new AmbientIdentity.EcsRamRole("other"),
            r =>
                r.StartsWith("PUT", StringComparison.Ordinal)
                    ? ScriptedServer.Answer(200, "hush-session")
                    : ScriptedServer.Answer(404),
            "GetRamRoleCredentials",
            "HTTP_404",
            FailureKind.Denied
        ),
        ["metadata that have no keys now"] = (
            new AmbientIdentity.EcsRamRole("r"),
            Json(200, """{"Code": "Failed", "Message": "hush-session"}"""),
            "GetRamRoleCredentials",
            "Failed",
            FailureKind.Denied
        ),
        ["a token of a service account that its role does not trust"] = (
            Account,
            Json(403, Refusal("AccessDenied", TokenFor("sts.amazonaws.com"))),
            "AssumeRoleWithWebIdentity",
            "AccessDenied",
            FailureKind.Denied
        ),
        ["a service account whose role does not trust its provider"] = (
            RamAccount,
            Json(
                400,
                $$"""{"Code": "AuthenticationFail.NoPermission", "Message": "{{TokenFor("sts.aliyuncs.com")}}"}"""
            ),
            "AssumeRoleWithOIDC",
            "AuthenticationFail.NoPermission",
            FailureKind.Denied
        ),
        ["an agent without an association"] = (
            Pod,
            Json(404, """{"code": "ResourceNotFoundException", "message": "hush-token has no association"}"""),
            "GetPodIdentityCredentials",
            "ResourceNotFoundException",
            FailureKind.Denied
        ),
        ["something else at the agent's address"] = (
            Pod,
            Json(404, "404 page not found"),
            "GetPodIdentityCredentials",
            "HTTP_404",
            FailureKind.Transient
        ),
        ["an agent without keys"] = (
            Pod,
            Json(200, """{"AccessKeyId": "ASIAid", "SecretAccessKey": "hush-secret"}"""),
            "GetPodIdentityCredentials",
            "UnreadableAnswer",
            FailureKind.Transient
        ),
        ["a role that does not want the external id"] = (
            Assumed,
            Json(403, Refusal("AccessDenied", "hush-basis-token")),
            "AssumeRole",
            "AccessDenied",
            FailureKind.Denied
        ),
        ["a key that may assume nothing, for it is not known"] = (
            Assumed,
            Json(403, Refusal("InvalidClientTokenId", "hush-basis-token")),
            "AssumeRole",
            "InvalidClientTokenId",
            FailureKind.Denied
        ),
        ["a region of the token service that is not enabled"] = (
            Assumed,
            Json(403, Refusal("RegionDisabledException", "hush-basis-token")),
            "AssumeRole",
            "RegionDisabledException",
            FailureKind.Denied
        ),
        ["a gateway's page in place of the role"] = (
            Assumed,
            Json(403, "<html>hush-basis-token</html>"),
            "AssumeRole",
            "HTTP_403",
            FailureKind.Transient
        ),
        ["a code that repeats the token of who assumes the role"] = (
            Assumed,
            Json(403, Refusal("hush-basis-token", "hush-basis-token")),
            "AssumeRole",
            "HTTP_403",
            FailureKind.Transient
        ),
        ["a role that is not there"] = (
            RamAssumed,
            Json(
                404,
                """{"Code": "EntityNotExist.Role", "Message": "hush-basis-secret", "RequestId": "hush-basis-token"}"""
            ),
            "AssumeRole",
            "EntityNotExist.Role",
            FailureKind.Denied
        ),
        ["a role that the account may not assume"] = (
            RamAssumed,
            Json(403, """{"Code": "NoPermission", "RequestId": "r-1"}"""),
            "AssumeRole",
            "NoPermission",
            FailureKind.Denied
        ),
        ["too many roles a second"] = (
            RamAssumed,
            Json(400, """{"Code": "Throttling", "RequestId": "r-1"}"""),
            "AssumeRole",
            "Throttling",
            FailureKind.Throttled
        ),
        ["a role's answer that breaks off"] = (
            RamAssumed,
            _ => new Reply.Reset(),
            "AssumeRole",
            "BrokenAnswer",
            FailureKind.Transient
        ),
        ["a role's answer without end"] = (
            Assumed,
            _ => new Reply.Endless("HTTP/1.1 200 OK\r\n\r\n"),
            "AssumeRole",
            "AnswerTooLarge",
            FailureKind.Transient
        ),
        ["a role's answer with a document type"] = (
            Assumed,
            Json(200, "<!DOCTYPE x [<!ENTITY e \"hush-token\">]>" + IamKeys),
            "AssumeRole",
            "UnreadableAnswer",
            FailureKind.Transient
        ),
        ["a role's redirect, which is not followed"] = (
            Assumed,
            _ => ScriptedServer.Answer(307, "", "Location: http://127.0.0.1:1/"),
            "AssumeRole",
            "HTTP_307",
            FailureKind.Transient
        ),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public async Task A_failure_names_the_step_and_the_code_and_no_token(string sentence)
    {
        var (identity, script, step, code, kind) = Table[sentence];
        _script = script;

        var thrown = await Assert.ThrowsAsync<KeySourceException>(() => FetchAsync(identity).Within());

        Assert.Equal(
            (step, code, kind, kind == FailureKind.Denied),
            (thrown.Failure.Operation, thrown.Failure.Code, thrown.Failure.Kind, thrown.Failure.ConcernsCredentials)
        );
        Assert.DoesNotContain(
            "hush",
            $"{thrown} {thrown.Failure} {(code == "Failed" ? "" : thrown.Said)}",
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("no variable", "TokenFileNotNamed")]
    [InlineData("no file", "TokenFileMissing")]
    [InlineData("a folder", "TokenFileUnreadable")]
    [InlineData("an empty file", "TokenFileInvalid")]
    [InlineData("two lines", "TokenFileInvalid")]
    [InlineData("a file without end", "TokenFileInvalid")]
    public async Task A_token_that_cannot_be_read_is_a_step_of_its_own_and_nothing_is_sent(string sentence, string code)
    {
        _environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = sentence switch
        {
            "no variable" => "",
            "no file" => _tokenFile + ".none",
            "a folder" => Path.GetTempPath(),
            "a file without end" => "/dev/zero",
            _ => _tokenFile,
        };
        await File.WriteAllTextAsync(_tokenFile, sentence == "two lines" ? "hush\nhush" : "\n");

        var failure = await FailAsync(Web);

        Assert.Equal(("ReadTokenFile", code), (failure.Operation, failure.Code));
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task A_role_that_nobody_names_is_said_by_field_and_variable()
    {
        var failure = await FailAsync(Rrsa with { RoleArn = null });

        Assert.Equal("RoleNotGiven", failure.Code);
        Assert.Contains(
            "rrsa.roleArn, and the operator's environment no ALIBABA_CLOUD_ROLE_ARN",
            failure.Message,
            StringComparison.Ordinal
        );
    }
}
