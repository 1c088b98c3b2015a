namespace Integration.Tests;

public sealed partial class CrdRulesTests
{
    private const string Iam = "roleArn: 'arn:aws:iam::123456789012:role/r'";
    private const string Ram = "roleArn: 'acs:ram::1:role/r'";

    private static (string Case, string Kind, string Spec, string Message)[] RefusedIdentities =>
        [
            ("pod-identity-elsewhere", Store, Keys("{podIdentity: {}}"), "podIdentity goes only with vendor S3"),
            (
                "account-elsewhere",
                Store,
                Keys($"{{serviceAccountRef: {{name: a, {Iam}}}}}", "HuaweiOBS"),
                "serviceAccountRef goes only with vendors AlibabaOSS and S3"
            ),
            (
                "account-of-a-cluster-store",
                ClusterStore,
                Keys($"{{serviceAccountRef: {{name: a, {Iam}}}}}", "S3"),
                "a ClusterBucketStore has none"
            ),
            (
                "account-without-a-provider",
                Store,
                Keys($"{{serviceAccountRef: {{name: a, {Ram}}}}}"),
                "with vendor AlibabaOSS a serviceAccountRef has roleArn"
            ),
            (
                "account-with-a-provider-of-no-use",
                Store,
                Keys($"{{serviceAccountRef: {{name: a, {Iam}, oidcProviderArn: 'acs:ram::1:oidc-provider/p'}}}}", "S3"),
                "with vendor S3 it has"
            ),
            (
                "account-with-the-other-vendors-role",
                Store,
                Keys($"{{serviceAccountRef: {{name: a, {Ram}}}}}", "S3"),
                "with vendor S3 it has"
            ),
            (
                "account-without-a-role",
                Store,
                Keys("{serviceAccountRef: {name: a}}", "S3"),
                "spec.credentials.serviceAccountRef.roleArn: Required value"
            ),
            (
                "roles-elsewhere",
                Store,
                Keys($"{{secretRef: {{name: k}}, assumeRole: [{{{Iam}}}]}}", "JDCloudOSS"),
                "assumeRole goes only with vendors AlibabaOSS and S3"
            ),
            (
                "roles-without-a-source",
                Store,
                Keys($"{{assumeRole: [{{{Iam}}}]}}", "S3"),
                "credentials has exactly one of secretRef"
            ),
            ("no-roles", Store, Keys("{secretRef: {name: k}, assumeRole: []}", "S3"), "should have at least 1 items"),
            (
                "five-roles",
                Store,
                Keys(
                    $"{{secretRef: {{name: k}}, assumeRole: [{string.Join(',', Enumerable.Repeat($"{{{Iam}}}", 5))}]}}",
                    "S3"
                ),
                "must have at most 4 items"
            ),
            (
                "a-role-of-the-other-vendor",
                Store,
                Keys($"{{secretRef: {{name: k}}, assumeRole: [{{{Iam}}}]}}"),
                "a role's ARN is acs:ram::ACCOUNT:role/NAME with vendor AlibabaOSS"
            ),
            (
                "a-role-that-is-none",
                Store,
                Keys("{secretRef: {name: k}, assumeRole: [{roleArn: 'arn:aws:iam::123456789012:user/u'}]}", "S3"),
                "a role's ARN is arn:aws:iam::ACCOUNT:role/NAME or acs:ram::ACCOUNT:role/NAME"
            ),
            (
                "external-id-in-the-middle",
                Store,
                Keys($"{{secretRef: {{name: k}}, assumeRole: [{{{Iam}, externalId: xx}}, {{{Iam}}}]}}", "S3"),
                "only the last role has externalId and sessionTags"
            ),
            (
                "external-ids-twice",
                Store,
                Keys(
                    $"{{secretRef: {{name: k}}, assumeRole: [{{{Iam}, externalId: xx}}, {{{Iam}, externalId: xx}}]}}",
                    "S3"
                ),
                "only the last role has externalId and sessionTags"
            ),
            (
                "external-id-on-the-operators-identity",
                Store,
                Keys($"{{webIdentity: {{}}, assumeRole: [{{{Iam}, externalId: xx}}]}}", "S3"),
                "with the operator's own identity externalId is NAMESPACE/STORE"
            ),
            (
                "tags-on-the-operators-identity",
                Store,
                Keys($"{{podIdentity: {{}}, assumeRole: [{{{Iam}, sessionTags: {{team: x}}}}]}}", "S3"),
                "neither it nor sessionTags can be chosen"
            ),
            (
                "external-id-with-a-blank",
                Store,
                Keys($"{{secretRef: {{name: k}}, assumeRole: [{{{Iam}, externalId: 'a b'}}]}}", "S3"),
                "an external id has letters"
            ),
            (
                "tags-elsewhere",
                Store,
                Keys($"{{secretRef: {{name: k}}, assumeRole: [{{{Ram}, sessionTags: {{team: x}}}}]}}"),
                "sessionTags go only with vendor S3"
            ),
            (
                "tag-with-an-odd-key",
                Store,
                Keys($"{{secretRef: {{name: k}}, assumeRole: [{{{Iam}, sessionTags: {{'a*': x}}}}]}}", "S3"),
                "a tag's key has 1 to 128"
            ),
        ];
}
