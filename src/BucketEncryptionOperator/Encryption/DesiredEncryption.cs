namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// The encryption that a policy declares: the default encryption, and what is blocked beside it. What it leaves open is
/// left as it is on the bucket: <see cref="IsMetBy"/> does not look at it, and <see cref="TargetFrom"/> takes it over.
/// </summary>
internal abstract record DesiredEncryption
{
    private DesiredEncryption() { }

    /// <summary>The declared algorithm, in the words of a policy.</summary>
    public abstract string Algorithm { get; }

    /// <summary>The KMS key that is asked for; null where the algorithm has none.</summary>
    public virtual KeyRequirement? AskedKey => null;

    /// <summary>Null: left as it is. Never with <see cref="None"/>, which a removal brings about.</summary>
    public BlockedTypes? Blocked { get; init; }

    /// <summary>
    /// Equal for equal declarations, across restarts and versions: it is kept in a policy's status. So what was added
    /// to the API later stands only where it is declared.
    /// </summary>
    public string Fingerprint => DefaultFingerprint + (Blocked is null ? "" : "/blocked:" + Blocked);

    /// <summary>That of everything but <see cref="Blocked"/>.</summary>
    protected virtual string DefaultFingerprint => Algorithm;

    /// <summary>Whether everything declared holds; what is not declared never counts.</summary>
    public bool IsMetBy(BucketEncryption observed) => IsDefaultMetBy(observed) && IsBlockMetBy(observed);

    /// <summary>Whether the declared default encryption is there, whatever is blocked.</summary>
    public abstract bool IsDefaultMetBy(BucketEncryption observed);

    /// <summary>Whether just the declared types are blocked. A bucket that says nothing blocks nothing.</summary>
    public bool IsBlockMetBy(BucketEncryption observed) =>
        Blocked is null || Blocked == (observed.Blocked ?? BlockedTypes.Of());

    /// <summary>What the bucket shall have: the declared parts, and the rest as observed.</summary>
    public BucketEncryption TargetFrom(BucketEncryption observed) => BlockingFrom(observed, DefaultFrom(observed));

    /// <summary>What the bucket shall have where it keeps its default encryption.</summary>
    public BucketEncryption BlockingIn(BucketEncryption observed) => BlockingFrom(observed, observed);

    private BucketEncryption BlockingFrom(BucketEncryption observed, BucketEncryption target) =>
        target with
        {
            Blocked = Blocked ?? observed.Blocked,
            IdleBucketKey = observed.SaysBucketKey,
        };

    protected abstract BucketEncryption DefaultFrom(BucketEncryption observed);

    /// <summary>Whether a bucket that is as the one declares is always as the other declares too.</summary>
    public bool AgreesWith(DesiredEncryption other) => Blocked == other.Blocked && AgreesOnDefault(other);

    protected virtual bool AgreesOnDefault(DesiredEncryption other) => DefaultFingerprint == other.DefaultFingerprint;

    /// <summary>The same declaration, for a bucket whose store answers the vendor's key under a name.</summary>
    /// <param name="vendorKey">As <see cref="VendorKeyOf"/> has found it earlier; null: no such name is known.</param>
    public DesiredEncryption Knowing(string? vendorKey) => vendorKey is null ? this : KnowingKey(vendorKey);

    protected virtual DesiredEncryption KnowingKey(string vendorKey) => this;

    /// <summary>
    /// Returns the id under which the store answers its own key, or null. Some stores write down the id of their
    /// default key when a write names none. A key that appears after our own write without a key, and was not there
    /// before it, is that key.
    /// </summary>
    /// <param name="before">What the bucket had right before the write; null: not known.</param>
    /// <param name="written">What the write said.</param>
    /// <param name="after">What a read found after the write; null: nothing could be read.</param>
    public string? VendorKeyOf(BucketEncryption? before, BucketEncryption written, BucketEncryption? after) =>
        AskedKey is KeyRequirement.VendorDefault
        && before is not null
        && written is { UsesKms: true, KmsKey: null }
        && after is { UsesKms: true, KmsKey: { } key }
        && !KmsKeyId.IsVendors(key)
        && !KmsKeyId.Same(key, before.KmsKey)
            ? key
            : null;

    /// <param name="MeansAes256">
    /// The store encrypts every bucket, and a removal leaves the vendor's own keys: that is then as little as there can
    /// be.
    /// </param>
    public sealed record None(bool MeansAes256 = false) : DesiredEncryption
    {
        public override string Algorithm => "None";

        public override bool IsDefaultMetBy(BucketEncryption observed) =>
            observed is BucketEncryption.None || (MeansAes256 && observed is BucketEncryption.Aes256);

        protected override BucketEncryption DefaultFrom(BucketEncryption observed) => new BucketEncryption.None();
    }

    public sealed record Aes256 : DesiredEncryption
    {
        public override string Algorithm => "AES256";

        public override bool IsDefaultMetBy(BucketEncryption observed) => observed is BucketEncryption.Aes256;

        protected override BucketEncryption DefaultFrom(BucketEncryption observed) => new BucketEncryption.Aes256();
    }

    public sealed record Sm4 : DesiredEncryption
    {
        public override string Algorithm => "SM4";

        public override bool IsDefaultMetBy(BucketEncryption observed) => observed is BucketEncryption.Sm4;

        protected override BucketEncryption DefaultFrom(BucketEncryption observed) => new BucketEncryption.Sm4();
    }

    /// <param name="Cipher">Null: left as it is.</param>
    /// <param name="BucketKeyEnabled">Null: left as it is.</param>
    public sealed record Kms(KeyRequirement Key, DataCipher? Cipher, bool? BucketKeyEnabled = null) : DesiredEncryption
    {
        public override string Algorithm => "KMS";

        public override KeyRequirement AskedKey => Key;

        private string? Project => (Key as KeyRequirement.Named)?.ProjectId;

        protected override string DefaultFingerprint
        {
            get
            {
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
                return $"KMS/{Key.Fingerprint}/{cipher}{bucketKey}";
            }
        }

        protected override bool AgreesOnDefault(DesiredEncryption other) =>
            other is Kms kms
            && Cipher == kms.Cipher
            && BucketKeyEnabled == kms.BucketKeyEnabled
            && Key.AgreesWith(kms.Key);

        protected override DesiredEncryption KnowingKey(string vendorKey) => this with { Key = Key.Knowing(vendorKey) };

        public override bool IsDefaultMetBy(BucketEncryption observed) =>
            observed is BucketEncryption.Kms kms
            && (Cipher is null || Cipher == kms.Cipher)
            && (BucketKeyEnabled is null || BucketKeyEnabled == kms.BucketKeyEnabled)
            && Key.IsMetBy(kms.KeyId)
            && (Project is null || Project == kms.ProjectId);

        protected override BucketEncryption DefaultFrom(BucketEncryption observed)
        {
            var live = observed as BucketEncryption.Kms;
            // A project is its key's: it does not outlive it.
            var liveProject = live is not null && Key.IsMetBy(live.KeyId) ? live.ProjectId : null;
            return new BucketEncryption.Kms(
                Key.KeyFrom(observed),
                Cipher ?? live?.Cipher ?? DataCipher.Aes256,
                Project ?? liveProject,
                BucketKeyEnabled ?? observed.SaysBucketKey
            );
        }
    }

    /// <summary>Two layers of encryption under one KMS key.</summary>
    public sealed record Dsse(KeyRequirement Key) : DesiredEncryption
    {
        public override string Algorithm => "DSSE";

        public override KeyRequirement AskedKey => Key;

        protected override string DefaultFingerprint => "DSSE/" + Key.Fingerprint;

        protected override bool AgreesOnDefault(DesiredEncryption other) =>
            other is Dsse dsse && Key.AgreesWith(dsse.Key);

        protected override DesiredEncryption KnowingKey(string vendorKey) => this with { Key = Key.Knowing(vendorKey) };

        public override bool IsDefaultMetBy(BucketEncryption observed) =>
            observed is BucketEncryption.Dsse dsse && Key.IsMetBy(dsse.KeyId);

        protected override BucketEncryption DefaultFrom(BucketEncryption observed) =>
            new BucketEncryption.Dsse(Key.KeyFrom(observed));
    }
}
