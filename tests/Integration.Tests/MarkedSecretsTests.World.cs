using System.Net;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;
using ObjectStoreSimulator.State;

namespace Integration.Tests;

public sealed partial class MarkedSecretsTests
{
    private IEnumerable<string> Stores() =>
        [
            SecretYaml("good", "good", $"{Mark}-secret"),
            SecretYaml("wrong", "other", $"{Mark}-wrong"),
            SecretYaml("wrong-too", "another", $"{Mark}-wrong"),
            SecretYaml("malformed", "other", $"{Mark} with blanks"),
            StoreYaml("all-codes", "{secretRef: {name: good}}"),
            StoreYaml("wrong-v4", "{secretRef: {name: wrong}}"),
            StoreYaml("wrong-v1", "{secretRef: {name: wrong-too}}", more: "alibaba: {signatureVersion: V1}"),
            StoreYaml("malformed", "{secretRef: {name: malformed}}"),
            StoreYaml("sts-refuses", $"{{rrsa: {{roleArn: '{RamRole}', oidcProviderArn: '{Provider}'}}}}"),
            StoreYaml(
                "bad-token-file",
                "{webIdentity: {roleArn: 'arn:aws:iam::123456789012:role/operator'}}",
                vendor: "S3"
            ),
            StoreYaml("given-keys", "{ecsRamRole: {}}"),
            StoreYaml("agent-refuses", "{podIdentity: {}}", vendor: "S3"),
            SecretYaml("base", "base", $"{Mark}-secret"),
            SecretYaml("wrong-base", "wrong-base", $"{Mark}-wrong"),
            StoreYaml("role-given", $"{{secretRef: {{name: base}}, assumeRole: [{{roleArn: '{Given}'}}]}}"),
            StoreYaml("role-refused", $"{{secretRef: {{name: base}}, assumeRole: [{{roleArn: '{Given}-2'}}]}}"),
            StoreYaml("role-rejected", $"{{secretRef: {{name: wrong-base}}, assumeRole: [{{roleArn: '{Given}'}}]}}"),
            AccountYaml("buckets", "account-refused"),
            AccountYaml("silent", "another"),
            StoreYaml(
                "account-refused",
                $"{{serviceAccountRef: {{name: buckets, roleArn: '{RamRole}', oidcProviderArn: '{Provider}'}}}}"
            ),
            StoreYaml(
                "account-not-offered",
                $"{{serviceAccountRef: {{name: silent, roleArn: '{RamRole}', oidcProviderArn: '{Provider}'}}}}"
            ),
            StoreYaml("tls", "{secretRef: {name: good}}", endpoint: Secure),
            StoreYaml("echoed-code", "{secretRef: {name: good}}"),
            .. _keyReasons.Keys.Select(name =>
                StoreYaml(name, "{secretRef: {name: good}}", more: $"kmsEndpoint: \"{Plain}\"")
            ),
            .. Rejections.SelectMany(r =>
                new[]
                {
                    SecretYaml("of-" + r.ToLowerInvariant(), "good-" + r, $"{Mark}-secret"),
                    StoreYaml(
                        "rejected-" + r.ToLowerInvariant(),
                        $"{{secretRef: {{name: of-{r.ToLowerInvariant()}}}}}"
                    ),
                }
            ),
        ];

    private async Task ApplyPoliciesAsync()
    {
        await fixture.Cluster.KubectlAsync("-n", TheScene.Namespace, "delete", "bep", "--all");
        await fixture.Cluster.ApplyAsync(
            string.Join(
                "\n---\n",
                _reasons.Keys.Select(name =>
                    TheScene
                        .PolicyYaml(
                            name,
                            BucketsOf(name),
                            _keyReasons.ContainsKey(name)
                                ? $"{{algorithm: KMS, kmsKey: {{id: {name}}}}}"
                                : "{algorithm: KMS}"
                        )
                        .Replace("{name: oss}", $"{{name: {name}}}", StringComparison.Ordinal)
                )
            )
        );
    }

    private static IEnumerable<string> BucketsOf(string policy) =>
        policy == "all-codes" ? Codes.Except(Rejections, StringComparer.Ordinal).Select(BucketOf)
        : Rejections.FirstOrDefault(r => policy == "rejected-" + r.ToLowerInvariant()) is { } rejection
            ? [BucketOf(rejection) + "-key"]
        : [policy];

    private Dictionary<string, string> Environment() =>
        new(StringComparer.Ordinal)
        {
            ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = _tokenFile,
            ["AWS_WEB_IDENTITY_TOKEN_FILE"] = _brokenTokenFile,
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = Plain + "/v1/credentials",
            ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = _tokenFile,
        };

    private string Plain => fixture.Vendor.Url.GetLeftPart(UriPartial.Authority);

    private string Secure => Tls.Url.GetLeftPart(UriPartial.Authority);

    private string StoreYaml(
        string name,
        string credentials,
        string vendor = "AlibabaOSS",
        string? endpoint = null,
        string more = ""
    ) =>
        $$"""
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketStore
            metadata: {name: {{name}}, namespace: {{TheScene.Namespace}} }
            spec:
              vendor: {{vendor}}
              region: cn-hangzhou
              endpoint: "{{endpoint ?? Plain}}"
              credentials: {{credentials}}
              {{more}}
            """;

    private string AccountYaml(string name, string stores) =>
        $$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata:
              name: {{name}}
              namespace: {{TheScene.Namespace}}
              annotations: {bucketencryption.io/stores: {{stores}} }
            """;

    private string SecretYaml(string name, string id, string secret) =>
        $$"""
            apiVersion: v1
            kind: Secret
            metadata: {name: {{name}}, namespace: {{TheScene.Namespace}} }
            stringData: {accessKeyId: {{id}}, accessKeySecret: "{{secret}}", securityToken: {{Mark}}-token }
            """;

    private static bool IsRejection(string code)
    {
        using var answer = new HttpResponseMessage(HttpStatusCode.Forbidden);
        return VendorCatalog
            .Find("AlibabaOSS")!
            .Dialect.Errors.Read(
                new VendorResponse(answer.StatusCode, $"<Error><Code>{code}</Code></Error>", answer.Headers),
                new AnswerContext(AnswerContext.Get)
            )
            .ConcernsCredentials;
    }

    private static string BucketOf(string code) =>
        "code-" + code.ToLowerInvariant().Replace('.', '-').Replace('_', '-');

    /// <summary>A careless vendor: the token that came with the request is in its message.</summary>
    private static FaultRule Echoing(string bucket, string code) =>
        new()
        {
            Bucket = bucket,
            Action = FaultAction.Error,
            Status = 403,
            Code = code,
            Message = $"the token {Mark}-token is no good",
        };

    /// <summary>
    /// A key service that is as careless: in the message, the code, a page, and the state of the key.
    /// </summary>
    private static IEnumerable<FaultRule> KeyServiceFaults()
    {
        yield return OfKey("kms-denied") with
        {
            Action = FaultAction.Error,
            Status = 403,
            Code = "Forbidden.NoPermission",
            Message = $"the token {Mark}-token may not",
        };
        yield return OfKey("kms-echoed-code") with
        {
            Action = FaultAction.Error,
            Status = 403,
            Code = $"{Mark}-token",
        };
        yield return OfKey("kms-page") with
        {
            Body = $"<html>{Mark}-token</html>",
            ContentType = "text/html",
        };
        yield return OfKey("kms-state") with
        {
            Body =
                $$"""{"RequestId":"{{Mark}}-token","KeyMetadata":{"KeyId":"kms-state","KeyState":"{{Mark}}-token"} }""",
            ContentType = "application/json",
        };

        static FaultRule OfKey(string key) => new() { KmsKey = key, Action = FaultAction.Page };
    }

    private static string Around(string text)
    {
        var at = Marks.Max(mark => text.IndexOf(mark, StringComparison.Ordinal));
        return text[Math.Max(0, at - 150)..Math.Min(text.Length, at + 60)].ReplaceLineEndings(" ");
    }
}
