using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// Maps the fields of a store that are named after vendors to neutral types. Outside of <c>Vendors</c>, only this class
/// and the wire records name vendors.
/// </summary>
internal static class StoreSpecMapping
{
    private const string Alibaba = "AlibabaOSS";
    private const string S3 = "S3";

    /// <summary>
    /// The vendors that a field of <c>credentials</c> belongs to, of those fields that do not belong to all. The CRD
    /// refuses others, too.
    /// </summary>
    public static IReadOnlyDictionary<string, string[]> OnlyFor { get; } =
        new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["rrsa"] = [Alibaba],
            ["ecsRamRole"] = [Alibaba],
            ["webIdentity"] = [S3],
            ["podIdentity"] = [S3],
            ["serviceAccountRef"] = [Alibaba, S3],
            ["assumeRole"] = [Alibaba, S3],
            ["sessionTags"] = [S3],
        };

    /// <summary>
    /// The vendors that trade a service account's token, how, and the audience that their own webhooks ask for. AWS's
    /// is the same in every partition.
    /// </summary>
    public static ImmutableArray<(string Vendor, TokenProtocol Protocol, string Audience)> TokenAudiences { get; } =
    [(Alibaba, TokenProtocol.Rpc, "sts.aliyuncs.com"), (S3, TokenProtocol.Query, "sts.amazonaws.com")];

    /// <summary>Returns the names of the sources that are set.</summary>
    public static IReadOnlyList<string> Sources(this CredentialsSpec spec) =>
        [
            .. new[]
            {
                (spec.SecretRef is null, "secretRef"),
                (spec.ServiceAccountRef is null, "serviceAccountRef"),
                (spec.Rrsa is null, "rrsa"),
                (spec.EcsRamRole is null, "ecsRamRole"),
                (spec.WebIdentity is null, "webIdentity"),
                (spec.PodIdentity is null, "podIdentity"),
            }
                .Where(f => !f.Item1)
                .Select(f => f.Item2),
        ];

    /// <summary>Returns the names of all fields that are set, those of roles included.</summary>
    public static IEnumerable<string> Fields(this CredentialsSpec spec) =>
        [
            .. spec.Sources(),
            .. spec.AssumeRole.IsEmpty ? Array.Empty<string>() : ["assumeRole"],
            .. spec.AssumeRole.Any(r => r.SessionTags is not null) ? (string[])["sessionTags"] : [],
        ];

    /// <returns>Where the keys of the store come from; null when it names no source.</returns>
    public static KeySource? KeySource(this BucketStoreSpec spec, StoreScope scope)
    {
        var source = spec.Credentials.Source(spec, scope);
        var roles = spec.Credentials.AssumeRole;
        if (source is null)
            return null;
        var isLent = scope.IsNamespaced && source is KeySource.FromIdentity { Identity: AmbientIdentity };
        for (var i = 0; i < roles.Length; i++)
        {
            var isLast = i == roles.Length - 1;
            source = new KeySource.FromIdentity(
                new AssumedRole(source, ProtocolOf(spec.Vendor), roles[i].RoleArn, scope.SessionName, spec.Region)
                {
                    ExternalId =
                        !isLast ? null
                        : isLent ? scope.ExternalId
                        : roles[i].ExternalId,
                    Tags = isLast ? SessionTags.Of(roles[i].SessionTags) : SessionTags.None,
                }
            );
        }
        return source;
    }

    /// <summary>
    /// Returns what the vendor binds. Here a field of a vendor becomes a name and a value; what it means, and whether
    /// it is valid, only the vendor knows.
    /// </summary>
    public static StoreSettings Settings(this BucketStoreSpec spec, Uri endpoint)
    {
        (string Path, string? Value)[] fields =
        [
            ("alibaba.signatureVersion", spec.Alibaba?.SignatureVersion),
            ("alibaba.cloudBoxId", spec.Alibaba?.CloudBoxId),
            ("s3.expectedBucketOwner", spec.S3?.ExpectedBucketOwner),
        ];
        return new(spec.Region, endpoint)
        {
            ForVendor =
            [
                .. from field in fields
                where field.Value is not null
                select new VendorSetting(field.Path.Split('.')[^1], "spec." + field.Path, field.Value),
            ],
        };
    }

    public static SecretSource In(this SecretReference reference, string ns)
    {
        var names = new SecretSource(new NamespacedName(ns, reference.Name));
        return names with
        {
            IdKey = reference.AccessKeyIdKey ?? names.IdKey,
            SecretKey = reference.AccessKeySecretKey ?? names.SecretKey,
            TokenKey = reference.SecurityTokenKey ?? names.TokenKey,
        };
    }

    /// <returns>The source of the first field that is set; null when none is.</returns>
    private static KeySource? Source(this CredentialsSpec credentials, BucketStoreSpec spec, StoreScope scope) =>
        credentials switch
        {
            { SecretRef: { } secret } => new KeySource.FromSecret(secret.In(scope.SecretNamespace)),
            { ServiceAccountRef: { } account } => new KeySource.FromIdentity(
                new ServiceAccountIdentity(
                    new NamespacedName(scope.SecretNamespace, account.Name),
                    scope.Name,
                    ProtocolOf(spec.Vendor),
                    account.RoleArn,
                    account.OidcProviderArn,
                    scope.SessionName,
                    spec.Region
                )
            ),
            { Rrsa: { } rrsa } => new KeySource.FromIdentity(
                new AmbientIdentity.Rrsa(
                    rrsa.RoleArn,
                    rrsa.OidcProviderArn,
                    rrsa.SessionName ?? RrsaSpec.DefaultSession,
                    spec.Region
                )
            ),
            { EcsRamRole: { } role } => new KeySource.FromIdentity(new AmbientIdentity.EcsRamRole(role.Name)),
            { WebIdentity: { } web } => new KeySource.FromIdentity(
                new AmbientIdentity.WebIdentity(web.RoleArn, spec.Region)
            ),
            { PodIdentity: not null } => new KeySource.FromIdentity(new AmbientIdentity.PodIdentity()),
            _ => null,
        };

    private static TokenProtocol ProtocolOf(string vendor) =>
        vendor == Alibaba ? TokenProtocol.Rpc : TokenProtocol.Query;
}
