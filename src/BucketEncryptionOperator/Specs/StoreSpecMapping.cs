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
    /// <summary>
    /// The vendor that a field of <c>credentials</c> belongs to, of those fields that belong to one. The CRD refuses
    /// others, too.
    /// </summary>
    public static IReadOnlyDictionary<string, string> OnlyFor { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["rrsa"] = "AlibabaOSS",
            ["ecsRamRole"] = "AlibabaOSS",
            ["webIdentity"] = "S3",
        };

    /// <summary>Returns the names of the fields that are set.</summary>
    public static IReadOnlyList<string> Fields(this CredentialsSpec spec) =>
        [
            .. new[]
            {
                (spec.SecretRef is null, "secretRef"),
                (spec.Rrsa is null, "rrsa"),
                (spec.EcsRamRole is null, "ecsRamRole"),
                (spec.WebIdentity is null, "webIdentity"),
            }
                .Where(f => !f.Item1)
                .Select(f => f.Item2),
        ];

    /// <param name="ns">Namespace of the Secret.</param>
    /// <param name="region">The store's region.</param>
    /// <returns>The source of the first field that is set; null when none is.</returns>
    public static KeySource? Source(this CredentialsSpec spec, string ns, string region) =>
        spec switch
        {
            { SecretRef: { } secret } => new KeySource.FromSecret(secret.In(ns)),
            { Rrsa: { } rrsa } => new KeySource.FromIdentity(
                new AmbientIdentity.Rrsa(
                    rrsa.RoleArn,
                    rrsa.OidcProviderArn,
                    rrsa.SessionName ?? RrsaSpec.DefaultSession,
                    region
                )
            ),
            { EcsRamRole: { } role } => new KeySource.FromIdentity(new AmbientIdentity.EcsRamRole(role.Name)),
            { WebIdentity: { } web } => new KeySource.FromIdentity(
                new AmbientIdentity.WebIdentity(web.RoleArn, region)
            ),
            _ => null,
        };

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
}
