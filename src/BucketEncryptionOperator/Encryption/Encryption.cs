namespace BucketEncryptionOperator.Encryption;

/// <summary>Cipher of the data under a KMS key. A vendor that says nothing means AES256.</summary>
internal enum DataCipher
{
    Aes256,
    Sm4,

    /// <summary>One that this version does not know. Never declared, and kept wherever no cipher is declared.</summary>
    Other,
}

/// <summary>
/// The default encryption that a bucket has. "Nothing is configured" is one of its values, not an error.
/// </summary>
internal abstract record BucketEncryption
{
    private BucketEncryption() { }

    /// <summary>
    /// The algorithm as scripts and statuses read it: <c>None</c>, <c>AES256</c>, <c>SM4</c>, <c>KMS</c>, <c>DSSE</c>,
    /// or the vendor's own word for another one. A promise, unlike <see cref="object.ToString"/>, which is for people.
    /// </summary>
    public abstract string Algorithm { get; }

    /// <summary>
    /// How much the algorithm protects, weakest first. Who manages the key is another matter: see
    /// <see cref="IsWeakerThan"/>.
    /// </summary>
    protected abstract int Rank { get; }

    /// <summary>What it says in words for people, without what is blocked.</summary>
    protected abstract string Words { get; }

    /// <summary>What is blocked beside it; null: the document does not say.</summary>
    public BlockedTypes? Blocked { get; init; }

    /// <summary>A key of the vendor's key service encrypts, a named one or the vendor's own.</summary>
    public bool UsesKms => this is Kms or Dsse;

    /// <summary>The named key where <see cref="UsesKms"/>; null: the vendor's key, or no such encryption.</summary>
    public string? KmsKey =>
        this switch
        {
            Kms kms => kms.KeyId,
            Dsse dsse => dsse.KeyId,
            _ => null,
        };

    /// <summary>
    /// The document has a bucket key switched on beside an encryption that makes no use of one. That is no part of the
    /// encryption, so no comparison looks at it; but a change to KMS keeps it.
    /// </summary>
    public bool IdleBucketKey { get; init; }

    /// <summary>A bucket key is switched on, with an effect or without.</summary>
    public bool SaysBucketKey => this is Kms kms ? kms.BucketKeyEnabled : IdleBucketKey;

    /// <summary>
    /// A key of the account's own; nobody knows whether an unknown algorithm has one, so it counts as having it.
    /// </summary>
    private bool HasOwnKey => this is Other || (KmsKey is { } id && !KmsKeyId.IsVendors(id));

    /// <summary>
    /// Whether it takes away something that <paramref name="other"/> has: of the algorithm's strength, or the account's
    /// own key. Each of two can be weaker than the other (DSSE with the vendor's key, and KMS with an own key).
    /// </summary>
    public bool IsWeakerThan(BucketEncryption other) => Rank < other.Rank || (other.HasOwnKey && !HasOwnKey);

    /// <summary>Whether a write of it takes anything away from a bucket that has <paramref name="present"/>.</summary>
    public bool Weakens(BucketEncryption present) =>
        IsWeakerThan(present) || (Blocked is { } kept && present.Blocked is { } blocked && !kept.Covers(blocked));

    /// <summary>Neither an idle bucket key nor what is blocked is part of the default encryption.</summary>
    public virtual bool Equals(BucketEncryption? other) =>
        other is not null && EqualityContract == other.EqualityContract;

    public override int GetHashCode() => EqualityContract.GetHashCode();

    public sealed override string ToString() =>
        Blocked is { IsEmpty: false } ? $"{Words} and {Blocked} blocked" : Words;

    public sealed record None : BucketEncryption
    {
        public override string Algorithm => "None";

        protected override int Rank => 0;

        protected override string Words => "None";
    }

    /// <summary>The vendor's own keys.</summary>
    public sealed record Aes256 : BucketEncryption
    {
        public override string Algorithm => "AES256";

        protected override int Rank => 1;

        protected override string Words => "AES256";
    }

    /// <summary>The vendor's own keys, with the SM4 cipher.</summary>
    public sealed record Sm4 : BucketEncryption
    {
        public override string Algorithm => "SM4";

        protected override int Rank => 1;

        protected override string Words => "SM4";
    }

    /// <param name="KeyId">A named key, or null: the key that the vendor manages.</param>
    /// <param name="ProjectId">Of the named key, where the vendor keeps keys in projects.</param>
    /// <param name="BucketKeyEnabled">
    /// One data key a bucket rather than one an object. A vendor that says nothing means no.
    /// </param>
    public sealed record Kms(string? KeyId, DataCipher Cipher, string? ProjectId = null, bool BucketKeyEnabled = false)
        : BucketEncryption
    {
        public override string Algorithm => "KMS";

        /// <summary>An unknown cipher counts as an unknown algorithm does.</summary>
        protected override int Rank => Cipher == DataCipher.Other ? 4 : 2;

        protected override string Words
        {
            get
            {
                var key = KeyId is null ? "KMS with the vendor's key" : $"KMS with key {KeyId}";
                var project = ProjectId is null ? "" : $" of project {ProjectId}";
                var cipher = Cipher switch
                {
                    DataCipher.Sm4 => " and SM4 data encryption",
                    DataCipher.Other => " and a data encryption that is not known",
                    _ => "",
                };
                return key + project + cipher + (BucketKeyEnabled ? " and a bucket key" : "");
            }
        }
    }

    /// <summary>Two layers of encryption under one KMS key; no bucket key, and no choice of a cipher.</summary>
    /// <param name="KeyId">A named key, or null: the key that the vendor manages.</param>
    public sealed record Dsse(string? KeyId) : BucketEncryption
    {
        public override string Algorithm => "DSSE";

        protected override int Rank => 3;

        protected override string Words => KeyId is null ? "DSSE with the vendor's key" : $"DSSE with key {KeyId}";
    }

    /// <summary>
    /// An algorithm that this version does not know. It counts as the strongest: it is never replaced without consent.
    /// </summary>
    public sealed record Other(string Algorithm) : BucketEncryption
    {
        public override string Algorithm { get; } = Algorithm;

        protected override int Rank => 4;

        protected override string Words => Algorithm;
    }
}

/// <summary>What a read of a bucket found.</summary>
/// <param name="Document">
/// The vendor's document as read, null when nothing is configured. A later write starts from it, so that what we do not
/// model is kept. Only the vendor's own adapter looks inside.
/// </param>
internal sealed record Observation(BucketEncryption Encryption, string? Document)
{
    /// <summary>
    /// The vendor's own words for "nothing is configured", where it had some: for whoever repeats them. Nobody decides
    /// by it.
    /// </summary>
    public Failure? NotConfigured { get; init; }

    /// <summary>
    /// The store is known to have no KMS key of its own: KMS without a named key would make every upload fail.
    /// </summary>
    public bool NeedsNamedKey { get; init; }

    /// <summary>
    /// The store is known to refuse every upload where a bucket key is switched on beside AES256 (Ceph).
    /// </summary>
    public bool RefusesIdleBucketKey { get; init; }

    /// <summary>The bucket has what such a store refuses uploads for.</summary>
    public bool HasHarmfulBucketKey =>
        RefusesIdleBucketKey && Encryption is BucketEncryption.Aes256 { IdleBucketKey: true };

    /// <summary>Returns the target without what such a store refuses uploads for.</summary>
    public BucketEncryption WithoutHarm(BucketEncryption target) =>
        RefusesIdleBucketKey ? target with { IdleBucketKey = false } : target;

    /// <summary>
    /// What a PUT of the very same would send; null where nothing is configured, and where nobody has asked for it.
    /// </summary>
    public string? Repeated { get; init; }
}
