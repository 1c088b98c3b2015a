using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// Turns a policy's <c>spec.encryption</c> into the encryption that it declares, without regard to its store. The CRD
/// refuses the same, but may be older.
/// </summary>
internal static class EncryptionReader
{
    private const string Kms = "KMS";
    private const string Dsse = "DSSE";

    /// <returns>
    /// The encryption; or what is wrong, which begins with the field's name below <c>spec.encryption</c>.
    /// </returns>
    public static (DesiredEncryption? Encryption, string? Problem) Read(EncryptionSpec spec)
    {
        if (ReadDefault(spec) is not { } desired)
            return (
                null,
                $"algorithm: \"{spec.Algorithm}\" is not known; allowed are AES256, KMS, DSSE, SM4 and None."
            );
        if ((ProblemOfPlace(spec) ?? ProblemOfValues(spec)) is { } problem)
            return (null, problem);
        return spec.BlockedEncryptionTypes is { } words
            ? (desired with { Blocked = BlockedTypes.Of(words) }, null)
            : (desired, null);
    }

    /// <summary>Fields that do not go with the algorithm, or not alone.</summary>
    private static string? ProblemOfPlace(EncryptionSpec spec)
    {
        if (spec.KmsKey is not null && spec.Algorithm is not (Kms or Dsse))
            return $"kmsKey: goes only with algorithm KMS or DSSE, and the algorithm is {spec.Algorithm}.";
        if (spec.KmsDataEncryption is not null && spec.Algorithm != Kms)
            return $"kmsDataEncryption: goes only with algorithm KMS, and the algorithm is {spec.Algorithm}.";
        if (spec.BucketKeyEnabled is not null && spec.Algorithm != Kms)
            return $"bucketKeyEnabled: goes only with algorithm KMS, and the algorithm is {spec.Algorithm}.";
        if (spec.BlockedEncryptionTypes is not null && spec.Algorithm == "None")
            return "blockedEncryptionTypes: does not go with algorithm None, which is a removal; declare AES256.";
        if (spec.KmsProjectId is not null && spec.KmsKey?.Id is null)
            return "kmsProjectId: goes only with kmsKey.id, whose project it is.";
        return spec.KmsKey is { } key && key.Id is not null == (key.VendorDefault == true)
            ? "kmsKey: name exactly one of id and vendorDefault."
            : null;
    }

    private static string? ProblemOfValues(EncryptionSpec spec)
    {
        if (spec.KmsKey?.Id is { } id && !IsKeyId(id))
            return $"kmsKey.id: \"{id}\" is not a valid key id: use letters, digits and any of \":/_.-\", at most 256.";
        if (spec.KmsProjectId is { } project && !IsKeyId(project))
            return $"kmsProjectId: \"{project}\" is not a valid project id: use letters, digits and any of \":/_.-\", "
                + "at most 256.";
        if (spec.KmsDataEncryption is not (null or "SM4" or "AES256"))
            return $"kmsDataEncryption: \"{spec.KmsDataEncryption}\" is not known; allowed are AES256 and SM4.";
        return spec.BlockedEncryptionTypes is { } blocked && !IsBlockList(blocked)
            ? $"blockedEncryptionTypes: [{string.Join(", ", blocked)}] is not valid; name what is blocked ("
                + $"{BlockedTypes.CustomerKeys}), or {BlockedTypes.Nothing} alone for nothing."
            : null;
    }

    /// <returns>Null where the algorithm is not known.</returns>
    private static DesiredEncryption? ReadDefault(EncryptionSpec spec) =>
        spec.Algorithm switch
        {
            "None" => new DesiredEncryption.None(),
            "AES256" => new DesiredEncryption.Aes256(),
            "SM4" => new DesiredEncryption.Sm4(),
            Kms => new DesiredEncryption.Kms(
                KeyOf(spec),
                spec.KmsDataEncryption switch
                {
                    "SM4" => DataCipher.Sm4,
                    "AES256" => DataCipher.Aes256,
                    _ => null,
                },
                spec.BucketKeyEnabled
            ),
            Dsse => new DesiredEncryption.Dsse(KeyOf(spec)),
            _ => null,
        };

    private static KeyRequirement KeyOf(EncryptionSpec spec) =>
        spec.KmsKey switch
        {
            { Id: { } named } => new KeyRequirement.Named(named, spec.KmsProjectId),
            { VendorDefault: true } => new KeyRequirement.VendorDefault(),
            _ => new KeyRequirement.Any(),
        };

    /// <summary>An empty list is refused: some tools leave it out, and absent means something else.</summary>
    private static bool IsBlockList(ImmutableArray<string> words) =>
        words is [BlockedTypes.CustomerKeys] or [BlockedTypes.Nothing];

    private static bool IsKeyId(string id) =>
        id.Length is > 0 and <= 256
        && char.IsAsciiLetterOrDigit(id[0])
        && id.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '/' or '_' or '.' or '-');
}
