namespace BucketEncryptionOperator.Encryption;

/// <summary>What one bucket shall have in the end, and whether it may get weaker on the way.</summary>
internal abstract record Goal
{
    private Goal(bool allowDowngrade) => AllowDowngrade = allowDowngrade;

    public bool AllowDowngrade { get; }

    /// <summary>Equal for equal goals, across restarts and versions: writes of it are counted in a status.</summary>
    public abstract string Fingerprint { get; }

    /// <param name="wasWritten">This goal was written, and what was observed came after the write.</param>
    public abstract bool IsMetBy(Observation observed, bool wasWritten);

    /// <summary>What a write would make of it.</summary>
    public abstract BucketEncryption TargetFrom(BucketEncryption observed);

    /// <param name="AtLeast">Something stronger that is there already is as good.</param>
    public sealed record Declared(DesiredEncryption Encryption, bool AtLeast, bool Consent) : Goal(Consent)
    {
        public override string Fingerprint => Encryption.Fingerprint;

        public override bool IsMetBy(Observation observed, bool wasWritten) =>
            (Encryption.IsDefaultMetBy(observed.Encryption) || HasMore(observed.Encryption))
            && (Encryption.IsBlockMetBy(observed.Encryption) || BlocksMore(observed.Encryption));

        public override BucketEncryption TargetFrom(BucketEncryption observed) =>
            HasMore(observed) ? Encryption.BlockingIn(observed) : Encryption.TargetFrom(observed);

        /// <summary>A stronger default encryption is there: nothing declared is missing, something is on top.</summary>
        private bool HasMore(BucketEncryption observed)
        {
            var target = Encryption.TargetFrom(observed);
            return AtLeast && target.IsWeakerThan(observed) && !observed.IsWeakerThan(target);
        }

        private bool BlocksMore(BucketEncryption observed) =>
            AtLeast && Encryption.Blocked is { } wanted && observed.Blocked?.Covers(wanted) == true;

        /// <summary>Two policies that want the same of one bucket do not quarrel.</summary>
        public bool AgreesWith(Declared other) => AtLeast == other.AtLeast && Encryption.AgreesWith(other.Encryption);

        /// <inheritdoc cref="DesiredEncryption.Knowing"/>
        public Declared Knowing(string? vendorKey) => this with { Encryption = Encryption.Knowing(vendorKey) };
    }

    /// <summary>What was there before the first write, to the last element.</summary>
    public sealed record PutBack(Original.Recorded Original, bool Consent) : Goal(Consent)
    {
        public override string Fingerprint =>
            "Original/"
            + FingerprintOf(Original.Encryption)
            + (Original.Encryption.Blocked is { } blocked ? "/blocked:" + blocked : "");

        /// <summary>
        /// A vendor may write the same in another form: once it was put back, what we understand of it decides. "None"
        /// is put back by a removal, so the document in which it was said does not count. The very document is the
        /// original, even where an older version understood less of it.
        /// </summary>
        public override bool IsMetBy(Observation observed, bool wasWritten) =>
            (Original.Document is not null && Original.Document == observed.Repeated)
            || (
                Original.Encryption == observed.Encryption
                && (
                    Original.Encryption is BucketEncryption.None
                    || (
                        wasWritten
                        && (Original.Encryption.Blocked ?? observed.Encryption.Blocked) == observed.Encryption.Blocked
                    )
                )
            );

        public override BucketEncryption TargetFrom(BucketEncryption observed) => Original.Encryption;

        /// <summary>
        /// Returns literals of its own, which statuses hold. They do not follow a change of the texts that people read
        /// (<see cref="BucketEncryption"/>'s <c>ToString</c>), although they began as the same words.
        /// </summary>
        private static string FingerprintOf(BucketEncryption encryption) =>
            encryption switch
            {
                BucketEncryption.None => "None",
                BucketEncryption.Aes256 => "AES256",
                BucketEncryption.Sm4 => "SM4",
                BucketEncryption.Kms kms => (kms.KeyId is { } key ? $"KMS with key {key}" : "KMS with the vendor's key")
                    + (kms.ProjectId is { } project ? $" of project {project}" : "")
                    + kms.Cipher switch
                    {
                        DataCipher.Sm4 => " and SM4 data encryption",
                        DataCipher.Other => " and a data encryption that is not known",
                        _ => "",
                    }
                    + (kms.BucketKeyEnabled ? " and a bucket key" : ""),
                BucketEncryption.Dsse dsse => dsse.KeyId is { } key
                    ? $"DSSE with key {key}"
                    : "DSSE with the vendor's key",
                BucketEncryption.Other other => other.Algorithm,
                _ => throw new InvalidOperationException(encryption.GetType().Name),
            };
    }
}

/// <summary>What a bucket had before its policy's first write.</summary>
internal abstract record Original
{
    /// <summary>Bytes; a vendor's document has some hundred.</summary>
    public const int MaxDocument = 4 * 1024;

    /// <summary>Bytes of all documents of a policy: they are kept in its status.</summary>
    public const int MaxDocuments = 256 * 1024;

    private Original() { }

    /// <param name="Document">What a PUT of it sends; null where nothing was configured.</param>
    public sealed record Recorded(BucketEncryption Encryption, string? Document, DateTimeOffset At) : Original;

    /// <summary>The policy has, or may have, written before anybody recorded what was there.</summary>
    public sealed record Unavailable : Original;
}
