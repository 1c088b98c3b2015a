using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Policies;

/// <summary>What a policy asks for, valid by construction.</summary>
internal sealed record DesiredState(DesiredEncryption Encryption, ImmutableArray<BucketAddress> Buckets, bool AllowDowngrade, TimeSpan Resync);

/// <summary>A value, or why there is none. Exactly one of the two is set.</summary>
internal readonly record struct Read<T>(T? Value, Failure? Failure)
    where T : class;

/// <summary>
/// Turns a policy and its store into what is to be done. The CRDs have refused most nonsense already; what is left here is what
/// only both objects together, or the operator's own settings, can tell, and what an older CRD let through.
/// </summary>
internal sealed class PolicyReader(EndpointAllowList allowedEndpoints)
{
    public static readonly TimeSpan DefaultResync = TimeSpan.FromMinutes(10);

    public const string ReadPolicy = "ReadPolicy";
    public const string ReadStore = "ReadStore";

    public Read<DesiredState> Read(BucketEncryptionPolicy policy, ObjectStore? store)
    {
        var name = policy.Spec.StoreRef.Name;
        if (store is null)
        {
            return Fail(new Failure(FailureKind.Missing, ReadStore, "StoreNotFound")
            {
                Message = $"spec.storeRef: there is no ObjectStore \"{name}\" in this namespace.",
                Hint = "Create it, or point a new policy at one that exists.",
            });
        }
        if (ReadEncryption(policy.Spec.Encryption) is not { } encryption)
            return Fail(Invalid(ReadPolicy, $"spec.encryption.algorithm: \"{policy.Spec.Encryption.Algorithm}\" is not known; allowed are AES256, KMS, SM4 and None."));
        if (VendorCatalog.Find(store.Spec.Vendor) is not { } vendor)
            return Fail(Invalid(ReadStore, $"ObjectStore \"{name}\", spec.vendor: \"{store.Spec.Vendor}\" is not known; allowed are {VendorCatalog.Names}."));

        var endpointText = store.Spec.Endpoint ?? vendor.DefaultEndpoint(store.Spec.Region);
        if (!Uri.TryCreate(endpointText, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("https" or "http") || endpoint.PathAndQuery != "/" || endpoint.UserInfo.Length > 0)
            return Fail(Invalid(ReadStore, $"ObjectStore \"{name}\", spec.endpoint: must be scheme and host only, for example {vendor.DefaultEndpoint("cn-hangzhou")}."));
        if (!allowedEndpoints.Allows(endpoint))
        {
            return Fail(Invalid(ReadStore, $"ObjectStore \"{name}\", spec.endpoint: {endpoint.GetLeftPart(UriPartial.Authority)} is not allowed.") with
            {
                Code = "EndpointNotAllowed",
                Hint = "Ask whoever runs the operator to list it in --allowed-endpoints (plain http with its scheme).",
            });
        }

        var pathStyle = store.Spec.Addressing == "Path" || endpoint.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6;
        var buckets = policy.Spec.Buckets.Select(b => new BucketAddress(b.Name, endpoint, store.Spec.Region, pathStyle)).ToImmutableArray();
        var resync = policy.Spec.ResyncInterval is { } text ? GoDuration.Parse(text) : DefaultResync;
        return resync is { } interval && interval > TimeSpan.Zero
            ? new Read<DesiredState>(new DesiredState(encryption, buckets, policy.Spec.AllowDowngrade == true, interval), Failure: null)
            : Fail(Invalid(ReadPolicy, $"spec.resyncInterval: \"{policy.Spec.ResyncInterval}\" is not a duration such as 10m."));
    }

    private static DesiredEncryption? ReadEncryption(EncryptionSpec spec) => spec.Algorithm switch
    {
        "None" => new DesiredEncryption.None(),
        "AES256" => new DesiredEncryption.Aes256(),
        "SM4" => new DesiredEncryption.Sm4(),
        "KMS" => new DesiredEncryption.Kms(
            spec.KmsKey switch
            {
                { Id: { } id } => new KeyRequirement.Named(id),
                { VendorDefault: true } => new KeyRequirement.VendorDefault(),
                _ => new KeyRequirement.Any(),
            },
            spec.KmsDataEncryption switch
            {
                "SM4" => DataCipher.Sm4,
                "AES256" => DataCipher.Aes256,
                _ => null,
            }),
        _ => null,
    };

    private static Failure Invalid(string operation, string message) => new(FailureKind.Invalid, operation, "InvalidSpec") { Message = message };

    private static Read<DesiredState> Fail(Failure failure) => new(Value: null, failure);
}
