namespace Integration.Tests;

public sealed partial class CrdRulesTests
{
    private static readonly (string Case, string Kind, string Spec, string Message)[] Refused =
    [
        .. RefusedSelectors,
        .. RefusedIdentities,
        ("none-without-consent", Policy, Spec("{algorithm: None}"), "set spec.allowDowngrade to true"),
        (
            "key-with-aes256",
            Policy,
            Spec("{algorithm: AES256, kmsKey: {id: k}}"),
            "a KMS key goes only with algorithm KMS or DSSE: remove kmsKey, or set algorithm to one of them"
        ),
        (
            "key-with-sm4",
            Policy,
            Spec("{algorithm: SM4, kmsKey: {vendorDefault: true}}"),
            "a KMS key goes only with algorithm KMS"
        ),
        (
            "cipher-without-kms",
            Policy,
            Spec("{algorithm: AES256, kmsDataEncryption: SM4}"),
            "kmsDataEncryption goes only with algorithm KMS"
        ),
        ("two-keys", Policy, Spec("{algorithm: KMS, kmsKey: {id: k, vendorDefault: true}}"), "name exactly one of id"),
        ("empty-key", Policy, Spec("{algorithm: KMS, kmsKey: {}}"), "name exactly one of id"),
        (
            "vendor-default-false",
            Policy,
            Spec("{algorithm: KMS, kmsKey: {vendorDefault: false}}"),
            "Unsupported value: false"
        ),
        ("key-with-a-blank", Policy, Spec("{algorithm: KMS, kmsKey: {id: 'a b'}}"), "and no blanks"),
        ("unknown-algorithm", Policy, Spec("{algorithm: ROT13}"), "Unsupported value: \"ROT13\""),
        ("unknown-cipher", Policy, Spec("{algorithm: KMS, kmsDataEncryption: DES}"), "Unsupported value: \"DES\""),
        ("no-buckets", Policy, Spec("{algorithm: AES256}", buckets: ""), "should have at least 1 items"),
        ("bucket-twice", Policy, Spec("{algorithm: AES256}", buckets: "{name: same}, {name: same}"), "Duplicate value"),
        (
            "bucket-upper-case",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: Upper}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "bucket-with-two-dots",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: a..b}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "bucket-with-a-dot-and-a-hyphen",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: a.-b}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "project-without-key",
            Policy,
            Spec("{algorithm: KMS, kmsProjectId: p}"),
            "kmsProjectId goes only with kmsKey.id"
        ),
        (
            "project-with-the-vendors-key",
            Policy,
            Spec("{algorithm: KMS, kmsKey: {vendorDefault: true}, kmsProjectId: p}"),
            "kmsProjectId goes only with kmsKey.id"
        ),
        (
            "project-with-a-blank",
            Policy,
            Spec("{algorithm: KMS, kmsKey: {id: k}, kmsProjectId: 'a b'}"),
            "a project id has letters"
        ),
        (
            "bucket-key-without-kms",
            Policy,
            Spec("{algorithm: AES256, bucketKeyEnabled: false}"),
            "bucketKeyEnabled goes only with algorithm KMS"
        ),
        (
            "bucket-key-with-dsse",
            Policy,
            Spec("{algorithm: DSSE, bucketKeyEnabled: true}"),
            "bucketKeyEnabled goes only with algorithm KMS (DSSE has no bucket key)"
        ),
        (
            "cipher-with-dsse",
            Policy,
            Spec("{algorithm: DSSE, kmsDataEncryption: SM4}"),
            "kmsDataEncryption goes only with algorithm KMS"
        ),
        (
            "blocked-with-none",
            Policy,
            Spec("{algorithm: None, blockedEncryptionTypes: [SSE-C]}", more: ", allowDowngrade: true"),
            "blockedEncryptionTypes does not go with algorithm None"
        ),
        (
            "blocked-with-an-empty-list",
            Policy,
            Spec("{algorithm: AES256, blockedEncryptionTypes: []}"),
            "write NONE to block nothing"
        ),
        (
            "blocked-and-nothing",
            Policy,
            Spec("{algorithm: AES256, blockedEncryptionTypes: [SSE-C, NONE]}"),
            "NONE stands alone"
        ),
        (
            "blocked-twice",
            Policy,
            Spec("{algorithm: AES256, blockedEncryptionTypes: [SSE-C, SSE-C]}"),
            "Duplicate value"
        ),
        (
            "blocked-unknown",
            Policy,
            Spec("{algorithm: AES256, blockedEncryptionTypes: [SSE-S3]}"),
            "Unsupported value: \"SSE-S3\""
        ),
        (
            "bucket-too-short",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: ab}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "bucket-ends-in-a-hyphen",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: abc-}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "resync-too-short",
            Policy,
            Spec("{algorithm: AES256}", more: ", resyncInterval: 0s"),
            "resyncInterval is a duration such as 90s"
        ),
        (
            "resync-too-long",
            Policy,
            Spec("{algorithm: AES256}", more: ", resyncInterval: 25h"),
            "resyncInterval is a duration such as 90s"
        ),
        (
            "resync-no-duration",
            Policy,
            Spec("{algorithm: AES256}", more: ", resyncInterval: often"),
            "resyncInterval is a duration such as 90s"
        ),
        (
            "other-kind-of-store",
            Policy,
            "{storeRef: {kind: Secret, name: x}, buckets: [{name: abc}], encryption: {algorithm: AES256}}",
            "Unsupported value: \"Secret\""
        ),
        ("unknown-vendor", Store, StoreSpec(vendor: "FloppyDisk"), "Unsupported value: \"FloppyDisk\""),
        (
            "rate-limit-of-none",
            Store,
            StoreSpec(more: ", rateLimit: {requestsPerSecond: 0}"),
            "spec.rateLimit.requestsPerSecond"
        ),
        (
            "concurrency-without-bound",
            Store,
            StoreSpec(more: ", rateLimit: {maxConcurrency: 65}"),
            "spec.rateLimit.maxConcurrency"
        ),
        (
            "two-values-under-one-key",
            Store,
            StoreSpec(more: "")
                .Replace("{name: k}", "{name: k, accessKeyIdKey: x, accessKeySecretKey: x}", StringComparison.Ordinal),
            "must be three different keys"
        ),
        ("region-with-prefix", Store, StoreSpec(region: "oss-cn-hangzhou"), "goes without the prefix oss-"),
        ("region-illegal", Store, StoreSpec(region: "cn_hangzhou/../x"), "a region id has lower-case letters"),
        (
            "endpoint-without-scheme",
            Store,
            StoreSpec(endpoint: "oss-cn-hangzhou.aliyuncs.com"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-with-user",
            Store,
            StoreSpec(endpoint: "https://me@oss-cn-hangzhou.aliyuncs.com"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-with-path",
            Store,
            StoreSpec(endpoint: "https://oss-cn-hangzhou.aliyuncs.com/x"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-with-query",
            Store,
            StoreSpec(endpoint: "https://oss-cn-hangzhou.aliyuncs.com?x"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-of-ipv6-without-brackets",
            Store,
            StoreSpec(endpoint: "http://fd00::5:9000"),
            "an IPv6 address stands in brackets"
        ),
        (
            "endpoint-of-a-zone",
            Store,
            StoreSpec(endpoint: "http://[fe80::1%25eth0]:9000"),
            "endpoint is scheme and host only"
        ),
        ("endpoint-of-brackets", Store, StoreSpec(endpoint: "http://[]:9000"), "endpoint is scheme and host only"),
        ("addressing-unknown", Store, StoreSpec(more: ", addressing: Telepathy"), "Unsupported value: \"Telepathy\""),
        (
            "alibaba-block-elsewhere",
            Store,
            StoreSpec(vendor: "S3", more: ", alibaba: {}"),
            "alibaba goes only with vendor AlibabaOSS"
        ),
        ("s3-block-elsewhere", Store, StoreSpec(more: ", s3: {}"), "s3 goes only with vendor S3"),
        (
            "cname-elsewhere",
            Store,
            StoreSpec(vendor: "S3", more: ", addressing: CName"),
            "CName goes only with vendor AlibabaOSS"
        ),
        (
            "path-at-huawei",
            Store,
            StoreSpec(vendor: "HuaweiOBS", more: ", addressing: Path"),
            "HuaweiOBS takes the bucket in the host only"
        ),
        (
            "cname-without-endpoint",
            Store,
            "{vendor: AlibabaOSS, region: cn-hangzhou, addressing: CName, credentials: {secretRef: {name: k}}}",
            "addressing CName needs endpoint"
        ),
        (
            "cloudbox-without-endpoint",
            Store,
            "{vendor: AlibabaOSS, region: cn-hangzhou, alibaba: {cloudBoxId: cb-1}, "
                + "credentials: {secretRef: {name: k}}}",
            "alibaba.cloudBoxId needs endpoint"
        ),
        (
            "cloudbox-with-cname",
            Store,
            StoreSpec(more: ", addressing: CName, alibaba: {cloudBoxId: cb-1}"),
            "a CloudBox has no CName"
        ),
        ("cloudbox-illegal", Store, StoreSpec(more: ", alibaba: {cloudBoxId: box-1}"), "a CloudBox id begins with cb-"),
        ("signature-unknown", Store, StoreSpec(more: ", alibaba: {signatureVersion: V2}"), "Unsupported value: \"V2\""),
        (
            "owner-illegal",
            Store,
            StoreSpec(vendor: "S3", more: ", s3: {expectedBucketOwner: me}"),
            "an account id has 12 digits"
        ),
        (
            "partition-with-a-blank",
            ClusterStore,
            StoreSpec(more: ", partition: 'a b'"),
            "a partition has letters, digits and any of"
        ),
        ("ca-bundle-of-words", Store, StoreSpec(more: ", caBundle: 'trust me'"), "caBundle has certificates in PEM"),
        (
            "ca-bundle-with-a-key",
            ClusterStore,
            StoreSpec(more: ", caBundle: '-----BEGIN CERTIFICATE----- -----BEGIN EC PRIVATE KEY-----'"),
            "and no private key"
        ),
        (
            "kms-endpoint-with-a-path",
            Store,
            StoreSpec(more: ", kmsEndpoint: 'https://kms.cn-hangzhou.aliyuncs.com/v1'"),
            "kmsEndpoint is scheme and host only"
        ),
        ("key-checks-unknown", ClusterStore, StoreSpec(more: ", keyChecks: 'Off'"), "spec.keyChecks"),
        ("partition-of-nothing", ClusterStore, StoreSpec(more: ", partition: ''"), "spec.partition"),
        (
            "cluster-endpoint-with-user",
            ClusterStore,
            StoreSpec(endpoint: "https://me@oss-cn-hangzhou.aliyuncs.com"),
            "endpoint is scheme and host only"
        ),
        (
            "values-for-exists",
            ClusterStore,
            Allowing("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
            "Exists and DoesNotExist take none"
        ),
        (
            "no-values-for-in",
            ClusterStore,
            Allowing("{matchExpressions: [{key: a, operator: In}]}"),
            "In and NotIn need values"
        ),
        (
            "an-operator-that-is-none",
            ClusterStore,
            Allowing("{matchExpressions: [{key: a, operator: Like, values: [b]}]}"),
            "Unsupported value: \"Like\""
        ),
        (
            "no-source-of-keys",
            Store,
            Keys("{}"),
            "credentials has exactly one of secretRef, serviceAccountRef, rrsa, ecsRamRole, webIdentity and podIdentity"
        ),
        (
            "two-sources-of-keys",
            Store,
            Keys("{secretRef: {name: k}, ecsRamRole: {}}"),
            "credentials has exactly one of secretRef, serviceAccountRef, rrsa, ecsRamRole, webIdentity and podIdentity"
        ),
        ("rrsa-elsewhere", Store, Keys("{rrsa: {}}", "S3"), "rrsa goes only with vendor AlibabaOSS: use secretRef"),
        (
            "ecs-role-elsewhere",
            Store,
            Keys("{ecsRamRole: {}}", "HuaweiOBS"),
            "ecsRamRole goes only with vendor AlibabaOSS: use secretRef"
        ),
        (
            "web-identity-elsewhere",
            Store,
            Keys("{webIdentity: {}}"),
            "webIdentity goes only with vendor S3: use secretRef"
        ),
        ("role-without-arn", Store, Keys("{rrsa: {roleArn: my-role}}"), "a role's ARN is acs:ram::ACCOUNT:role/NAME"),
        (
            "role-as-provider",
            Store,
            Keys("{rrsa: {oidcProviderArn: 'acs:ram::1:role/r'}}"),
            "an OIDC provider's ARN is acs:ram::ACCOUNT:oidc-provider/NAME"
        ),
        ("session-with-a-blank", Store, Keys("{rrsa: {sessionName: 'a b'}}"), "a session's name has 2 to 64 letters"),
        (
            "ecs-role-with-a-path",
            Store,
            Keys("{ecsRamRole: {name: '../x'}}"),
            "a RAM role's name (not its ARN) has letters"
        ),
        (
            "iam-role-without-arn",
            Store,
            Keys("{webIdentity: {roleArn: my-role}}", "S3"),
            "a role's ARN is arn:aws:iam::ACCOUNT:role/NAME"
        ),
        ("no-credentials", Store, "{vendor: AlibabaOSS, region: cn-hangzhou}", "spec.credentials: Required value"),
    ];
}
