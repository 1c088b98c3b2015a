namespace BucketEncryptionOperator.Encryption;

/// <summary>Which KMS key a policy asks for.</summary>
internal abstract record KeyRequirement
{
    private KeyRequirement() { }

    /// <summary>Any will do; one that is set is kept.</summary>
    public sealed record Any : KeyRequirement;

    /// <summary>The key that the vendor manages: none is named.</summary>
    /// <param name="AnsweredAs">The id under which the store answers that key; null: the store names none.</param>
    public sealed record VendorDefault(string? AnsweredAs = null) : KeyRequirement;

    /// <param name="ProjectId">Where the vendor keeps keys in projects; null: not declared.</param>
    public sealed record Named(string Id, string? ProjectId = null) : KeyRequirement;
}

/// <summary>
/// The encryption that a policy declares. What it leaves open is left as it is on the bucket: <see cref="IsMetBy"/>
/// does not look at it, and <see cref="TargetFrom"/> takes it over.
/// </summary>
internal abstract record DesiredEncryption
{
    private DesiredEncryption() { }

    /// <summary>The declared algorithm, in the words of a policy.</summary>
    public abstract string Algorithm { get; }

    /// <summary>Whether everything declared holds; what is not declared never counts.</summary>
    public abstract bool IsMetBy(BucketEncryption observed);

    /// <summary>What the bucket shall have: the declared parts, and the rest as observed.</summary>
    public abstract BucketEncryption TargetFrom(BucketEncryption observed);

    /// <summary>Equal for equal declarations, across restarts and versions: it is kept in a policy's status.</summary>
    public virtual string Fingerprint => Algorithm;

    /// <summary>Whether a bucket that is as the one declares is always as the other declares too.</summary>
    public virtual bool AgreesWith(DesiredEncryption other) => Fingerprint == other.Fingerprint;

    /// <summary>The same declaration, for a bucket whose store answers the vendor's key under a name.</summary>
    /// <param name="vendorKey">As <see cref="VendorKeyOf"/> has found it earlier; null: no such name is known.</param>
    public virtual DesiredEncryption Knowing(string? vendorKey) => this;

    /// <summary>
    /// Returns the id under which the store answers its own key, or null. Some stores write down the id of their
    /// default key when a write names none. A key that appears after our own write without a key, and was not there
    /// before it, is that key.
    /// </summary>
    /// <param name="before">What the bucket had right before the write; null: not known.</param>
    /// <param name="written">What the write said.</param>
    /// <param name="after">What a read found after the write; null: nothing could be read.</param>
    public virtual string? VendorKeyOf(BucketEncryption? before, BucketEncryption written, BucketEncryption? after) =>
        null;

    /// <param name="MeansAes256">
    /// The store encrypts every bucket, and a removal leaves the vendor's own keys: that is then as little as there can
    /// be.
    /// </param>
    public sealed record None(bool MeansAes256 = false) : DesiredEncryption
    {
        public override string Algorithm => "None";

        public override bool IsMetBy(BucketEncryption observed) =>
            observed is BucketEncryption.None || (MeansAes256 && observed is BucketEncryption.Aes256);

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
                    KeyRequirement.Named named => "id:"
                        + named.Id
                        + (named.ProjectId is { } project ? "/project:" + project : ""),
                    KeyRequirement.VendorDefault => "vendorDefault",
                    _ => "any",
                };
                // What was added to the API later stands only where it is declared: a fingerprint outlives the version
                // that made it.
                var bucketKey = BucketKeyEnabled switch
                {
                    null => "",
                    true => "/bucketKey:True",
                    false => "/bucketKey:False",
                };
                // Literals, not the names of the enumeration: a rename there must not change what statuses hold.
                var cipher = Cipher switch
                {
                    null => "any",
                    DataCipher.Aes256 => "Aes256",
                    DataCipher.Sm4 => "Sm4",
                    _ => "Other",
                };
                return $"KMS/{key}/{cipher}{bucketKey}";
            }
        }

        public override bool AgreesWith(DesiredEncryption other) =>
            other is Kms kms
            && Cipher == kms.Cipher
            && BucketKeyEnabled == kms.BucketKeyEnabled
            && (Key, kms.Key) switch
            {
                (KeyRequirement.Any, KeyRequirement.Any) => true,
                (KeyRequirement.Named a, KeyRequirement.Named b) => a.ProjectId == b.ProjectId
                    && KmsKeyId.Same(a.Id, b.Id),
                _ => AsksForVendors && kms.AsksForVendors,
            };

        public override DesiredEncryption Knowing(string? vendorKey) =>
            vendorKey is not null && Key is KeyRequirement.VendorDefault
                ? this with
                {
                    Key = new KeyRequirement.VendorDefault(vendorKey),
                }
                : this;

        public override string? VendorKeyOf(
            BucketEncryption? before,
            BucketEncryption written,
            BucketEncryption? after
        ) =>
            Key is KeyRequirement.VendorDefault
            && before is not null
            && written is BucketEncryption.Kms { KeyId: null }
            && after is BucketEncryption.Kms { KeyId: { } key }
            && !KmsKeyId.IsVendors(key)
            && !KmsKeyId.Same(key, (before as BucketEncryption.Kms)?.KeyId)
                ? key
                : null;

        /// <summary>The key that the vendor manages, whichever way it is asked for.</summary>
        private bool AsksForVendors =>
            Key is KeyRequirement.VendorDefault || (Key is KeyRequirement.Named named && KmsKeyId.IsVendors(named.Id));

        public override bool IsMetBy(BucketEncryption observed) =>
            observed is BucketEncryption.Kms kms
            && (Cipher is null || Cipher == kms.Cipher)
            && (BucketKeyEnabled is null || BucketKeyEnabled == kms.BucketKeyEnabled)
            && (Key is KeyRequirement.Any || HasKey(kms))
            && (Key is not KeyRequirement.Named { ProjectId: { } project } || project == kms.ProjectId);

        public override BucketEncryption TargetFrom(BucketEncryption observed)
        {
            var live = observed as BucketEncryption.Kms;
            var (keyId, projectId) = Key switch
            {
                // A key that is the same in another spelling stays as the bucket has it. A project is its key's: it
                // does not outlive it.
                KeyRequirement.Named named when live is not null && HasKey(live) => (
                    live.KeyId,
                    named.ProjectId ?? live.ProjectId
                ),
                KeyRequirement.VendorDefault when live is not null && HasKey(live) => (live.KeyId, live.ProjectId),
                KeyRequirement.Named named => (named.Id, named.ProjectId),
                KeyRequirement.VendorDefault => (null, null),
                _ => (live?.KeyId, live?.ProjectId),
            };
            return new BucketEncryption.Kms(
                keyId,
                Cipher ?? live?.Cipher ?? DataCipher.Aes256,
                projectId,
                BucketKeyEnabled ?? observed.SaysBucketKey
            );
        }

        /// <summary>The bucket has the key that is asked for, in whatever spelling.</summary>
        private bool HasKey(BucketEncryption.Kms live) =>
            Key switch
            {
                _ when AsksForVendors && (live.KeyId is null || KmsKeyId.IsVendors(live.KeyId)) => true,
                KeyRequirement.Named named => KmsKeyId.Same(named.Id, live.KeyId),
                KeyRequirement.VendorDefault { AnsweredAs: { } name } => KmsKeyId.Same(name, live.KeyId),
                _ => false,
            };
    }
}
