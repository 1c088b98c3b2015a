using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Policies;

/// <summary>What a policy asks for, valid by construction.</summary>
internal sealed record DesiredState(DesiredEncryption Encryption, ImmutableArray<BucketAddress> Buckets, bool AllowDowngrade, TimeSpan Resync);

/// <summary>
/// Turns a policy and the place of its store into what is to be done. The CRDs have refused most nonsense already; what is left here is what
/// only both objects together, or the operator's own settings, can tell, and what an older CRD let through.
/// </summary>
internal static class PolicyReader
{
    public static readonly TimeSpan DefaultResync = TimeSpan.FromMinutes(10);

    public const string ReadPolicy = "ReadPolicy";

    /// <summary>What a clock takes; how short is sensible, the CRD says (30 s), and an installation may say otherwise.</summary>
    private static readonly TimeSpan ShortestResync = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestResync = TimeSpan.FromHours(24);

    public static Read<DesiredState> Read(BucketEncryptionPolicy policy, StorePlace place)
    {
        var (encryption, problem) = ReadEncryption(policy.Spec.Encryption);
        if (encryption is null)
            return new(Value: null, problem);
        var resync = policy.Spec.ResyncInterval is { } text ? GoDuration.Parse(text) : DefaultResync;
        if (resync is not { } interval || interval < ShortestResync || interval > LongestResync)
            return new(Value: null, Invalid(ReadPolicy, $"spec.resyncInterval: \"{policy.Spec.ResyncInterval}\" is not a duration such as 10m, at most 24h."));
        if (ProblemOfBuckets(policy.Spec.Buckets) is { } bucketProblem)
            return new(Value: null, Invalid(ReadPolicy, bucketProblem));

        if (StoreRules.ProblemOf(encryption, place.Traits) is { } wrong)
            return new(Value: null, Invalid(ReadPolicy, wrong));
        if (policy.Spec.Buckets.Select(b => StoreRules.ProblemOf(b.Name, place.Traits)).FirstOrDefault(p => p is not null) is { } wrongName)
            return new(Value: null, Invalid(ReadPolicy, wrongName));
        var desired = encryption is DesiredEncryption.None ? new DesiredEncryption.None(place.Traits.AlwaysEncrypted) : encryption;
        return new(new DesiredState(desired, [.. policy.Spec.Buckets.Select(b => place.Address(b.Name))], policy.Spec.AllowDowngrade == true, interval), Failure: null);
    }

    private static Read<DesiredEncryption> ReadEncryption(EncryptionSpec spec)
    {
        DesiredEncryption? simple = spec.Algorithm switch
        {
            "None" => new DesiredEncryption.None(),
            "AES256" => new DesiredEncryption.Aes256(),
            "SM4" => new DesiredEncryption.Sm4(),
            _ => null,
        };
        if (simple is null && spec.Algorithm != "KMS")
            return Wrong($"algorithm: \"{spec.Algorithm}\" is not known; allowed are AES256, KMS, SM4 and None.");
        if (simple is not null && spec.KmsKey is not null)
            return Wrong($"kmsKey: goes only with algorithm KMS, and the algorithm is {spec.Algorithm}.");
        if (simple is not null && spec.KmsDataEncryption is not null)
            return Wrong($"kmsDataEncryption: goes only with algorithm KMS, and the algorithm is {spec.Algorithm}.");
        if (simple is not null && spec.BucketKeyEnabled is not null)
            return Wrong($"bucketKeyEnabled: goes only with algorithm KMS, and the algorithm is {spec.Algorithm}.");
        if (spec.KmsProjectId is not null && spec.KmsKey?.Id is null)
            return Wrong("kmsProjectId: goes only with kmsKey.id, whose project it is.");
        if (simple is not null)
            return new(simple, Failure: null);

        if (spec.KmsKey is { } key && key.Id is not null == (key.VendorDefault == true))
            return Wrong("kmsKey: name exactly one of id and vendorDefault.");
        if (spec.KmsKey?.Id is { } id && !IsKeyId(id))
            return Wrong($"kmsKey.id: \"{id}\" is none; it has letters, digits and any of \":/_.-\", at most 256.");
        if (spec.KmsProjectId is { } project && !IsKeyId(project))
            return Wrong($"kmsProjectId: \"{project}\" is none; it has letters, digits and any of \":/_.-\", at most 256.");
        if (spec.KmsDataEncryption is not (null or "SM4" or "AES256"))
            return Wrong($"kmsDataEncryption: \"{spec.KmsDataEncryption}\" is not known; allowed are AES256 and SM4.");
        return new(
            new DesiredEncryption.Kms(
                spec.KmsKey switch
                {
                    { Id: { } named } => new KeyRequirement.Named(named, spec.KmsProjectId),
                    { VendorDefault: true } => new KeyRequirement.VendorDefault(),
                    _ => new KeyRequirement.Any(),
                },
                spec.KmsDataEncryption switch
                {
                    "SM4" => DataCipher.Sm4,
                    "AES256" => DataCipher.Aes256,
                    _ => null,
                },
                spec.BucketKeyEnabled),
            Failure: null);

        static Read<DesiredEncryption> Wrong(string message) => new(Value: null, Invalid(ReadPolicy, "spec.encryption." + message));
    }

    /// <summary>A bucket's name becomes a part of a host: what the CRD says of it is held here once more, for the CRD may be older.</summary>
    private static string? ProblemOfBuckets(ImmutableArray<BucketReference> buckets)
    {
        if (buckets.IsDefaultOrEmpty)
            return "spec.buckets: name at least one bucket.";
        if (buckets.FirstOrDefault(b => b.Name.Length is < 3 or > 63 || !b.Name.Split('.').All(IsLabel)) is { } bad)
            return $"spec.buckets: \"{bad.Name}\" is no bucket name; one has 3 to 63 lower-case letters, digits and hyphens (where the store takes them: and dots between them), and starts and ends with a letter or digit.";
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return buckets.FirstOrDefault(b => !seen.Add(b.Name)) is { } twice ? $"spec.buckets: \"{twice.Name}\" must be named once." : null;
    }

    private static bool IsLabel(string text) => text.Length > 0 && text.All(StoreReader.IsLabelLetter) && text[0] != '-' && text[^1] != '-';

    private static bool IsKeyId(string id) => id.Length is > 0 and <= 256 && char.IsAsciiLetterOrDigit(id[0]) && id.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '/' or '_' or '.' or '-');

    private static Failure Invalid(string operation, string message) => new(FailureKind.Invalid, operation, "InvalidSpec") { Message = message };
}
