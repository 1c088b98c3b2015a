namespace BucketEncryptionOperator.Encryption;

/// <summary>Which KMS key a policy asks for.</summary>
internal abstract record KeyRequirement
{
    private KeyRequirement()
    {
    }

    /// <summary>Any will do; one that is set is kept.</summary>
    public sealed record Any : KeyRequirement;

    /// <summary>The key that the vendor manages: none is named.</summary>
    public sealed record VendorDefault : KeyRequirement;

    /// <param name="ProjectId">Where the vendor keeps keys in projects; null: not declared.</param>
    public sealed record Named(string Id, string? ProjectId = null) : KeyRequirement;
}

/// <summary>
/// The encryption that a policy declares. What it leaves open is left as it is on the bucket: <see cref="IsMetBy"/> does not look
/// at it, and <see cref="TargetFrom"/> takes it over.
/// </summary>
internal abstract record DesiredEncryption
{
    private DesiredEncryption()
    {
    }

    /// <summary>The declared algorithm, in the words of a policy.</summary>
    public abstract string Algorithm { get; }

    /// <summary>Whether everything declared holds; what is not declared never counts.</summary>
    public abstract bool IsMetBy(BucketEncryption observed);

    /// <summary>What the bucket shall have: the declared parts, and the rest as observed.</summary>
    public abstract BucketEncryption TargetFrom(BucketEncryption observed);

    /// <summary>Equal for equal declarations, across restarts and versions: it is kept in a policy's status.</summary>
    public virtual string Fingerprint => Algorithm;

    /// <param name="MeansAes256">
    /// The store encrypts every bucket, and a removal leaves the vendor's own keys: that is then as little as there can be.
    /// </param>
    public sealed record None(bool MeansAes256 = false) : DesiredEncryption
    {
        public override string Algorithm => "None";

        public override bool IsMetBy(BucketEncryption observed) => observed is BucketEncryption.None || (MeansAes256 && observed is BucketEncryption.Aes256);

        public override BucketEncryption TargetFrom(BucketEncryption observed) => new BucketEncryption.None();
    }

    public sealed record Aes256 : DesiredEncryption
    {
        public override string Algorithm => "AES256";

        public override bool IsMetBy(BucketEncryption observed) => observed is BucketEncryption.Aes256;

        public override BucketEncryption TargetFrom(BucketEncryption observed) => new BucketEncryption.Aes256();
    }

    public sealed record Sm4 : DesiredEncryption
    {
        public override string Algorithm => "SM4";

        public override bool IsMetBy(BucketEncryption observed) => observed is BucketEncryption.Sm4;

        public override BucketEncryption TargetFrom(BucketEncryption observed) => new BucketEncryption.Sm4();
    }

    /// <param name="Cipher">Null: left as it is.</param>
    /// <param name="BucketKeyEnabled">Null: left as it is.</param>
    public sealed record Kms(KeyRequirement Key, DataCipher? Cipher, bool? BucketKeyEnabled = null) : DesiredEncryption
    {
        public override string Algorithm => "KMS";

        public override string Fingerprint
        {
            get
            {
                var key = Key switch
                {
                    KeyRequirement.Named named => "id:" + named.Id + (named.ProjectId is { } project ? "/project:" + project : ""),
                    KeyRequirement.VendorDefault => "vendorDefault",
                    _ => "any",
                };
                // What was added to the API later stands only where it is declared: a fingerprint outlives the version that made it.
                var bucketKey = BucketKeyEnabled is { } enabled ? $"/bucketKey:{enabled}" : "";
                return $"KMS/{key}/{(Cipher is { } cipher ? cipher.ToString() : "any")}{bucketKey}";
            }
        }

        public override bool IsMetBy(BucketEncryption observed) =>
            observed is BucketEncryption.Kms kms
            && (Cipher is null || Cipher == kms.Cipher)
            && (BucketKeyEnabled is null || BucketKeyEnabled == kms.BucketKeyEnabled)
            && Key switch
            {
                KeyRequirement.Named named => KmsKeyId.Same(named.Id, kms.KeyId) && (named.ProjectId is null || named.ProjectId == kms.ProjectId),
                KeyRequirement.VendorDefault => kms.KeyId is null,
                _ => true,
            };

        public override BucketEncryption TargetFrom(BucketEncryption observed)
        {
            var live = observed as BucketEncryption.Kms;
            var (keyId, projectId) = Key switch
            {
                // A key that is the same in another spelling stays as the bucket has it. A project is its key's: it does not outlive it.
                KeyRequirement.Named named when KmsKeyId.Same(named.Id, live?.KeyId) => (live?.KeyId, named.ProjectId ?? live?.ProjectId),
                KeyRequirement.Named named => (named.Id, named.ProjectId),
                KeyRequirement.VendorDefault => (null, null),
                _ => (live?.KeyId, live?.ProjectId),
            };
            return new BucketEncryption.Kms(keyId, Cipher ?? live?.Cipher ?? DataCipher.Aes256, projectId, BucketKeyEnabled ?? live?.BucketKeyEnabled ?? false);
        }
    }
}

/// <summary>Vendors answer a key in another form than it was given: <c>id</c>, an ARN <c>…:key/id</c>, or <c>region:domain:key/id</c>.</summary>
internal static class KmsKeyId
{
    private const string KeySegment = "key/";

    public static bool Same(string? a, string? b) => a is not null && b is not null && Bare(a).Equals(Bare(b), StringComparison.Ordinal);

    /// <summary>What follows <c>key/</c>; an alias (<c>…:alias/x</c>) and a bare id are left as they are, for they name themselves.</summary>
    private static ReadOnlySpan<char> Bare(string id)
    {
        var at = id.LastIndexOf(KeySegment, StringComparison.Ordinal);
        var bare = at == 0 || (at > 0 && id[at - 1] == ':') ? id.AsSpan(at + KeySegment.Length) : id;
        return bare.IsEmpty ? id : bare;
    }
}
