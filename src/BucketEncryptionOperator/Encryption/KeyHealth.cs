namespace BucketEncryptionOperator.Encryption;

/// <summary>Whether a store can encrypt new objects with a KMS key, in the words of its key service.</summary>
internal abstract record KeyHealth
{
    private KeyHealth() { }

    /// <summary>Whether a status says the same about both: the request id of a failure, for example, does not count.
    /// </summary>
    public virtual bool SaysTheSameAs(KeyHealth? other) => Equals(other);

    /// <summary>The key is enabled, is for encryption, and is in the store's region.</summary>
    public sealed record Usable : KeyHealth;

    /// <summary>The key service itself says that the key cannot be used.</summary>
    /// <param name="Reason">One of the rows <c>Key…</c> of <see cref="Reasons"/>.</param>
    /// <param name="VendorState">The vendor's own word: a state or an error code.</param>
    public sealed record Unusable(Reason Reason, string VendorState) : KeyHealth
    {
        /// <summary>When the vendor deletes the key; null where it is not to be deleted, or no date is known.</summary>
        public DateTimeOffset? DeletionDate { get; init; }

        /// <summary>What a person can do about it.</summary>
        public required string Hint { get; init; }

        /// <summary>No upload can use the key: no bucket is moved to it.</summary>
        public bool IsDead => Reason.Has(ReasonTraits.DeadKey);
    }

    /// <summary>It may not be asked, or there was no answer of the key service's own.</summary>
    /// <param name="Failure">
    /// With <see cref="Reasons.DescribeKeyDenied"/>, <see cref="Reasons.KeyProjectUnknown"/> or
    /// <see cref="Reasons.KeyServiceFailed"/> as the meaning of its kind.
    /// </param>
    public sealed record Unknown(Failure Failure) : KeyHealth
    {
        public override bool SaysTheSameAs(KeyHealth? other) =>
            other is Unknown unknown && (unknown.Failure.Kind, unknown.Failure.Code) == (Failure.Kind, Failure.Code);
    }
}

/// <summary>A KMS key, as a policy or a bucket names it.</summary>
/// <param name="ProjectId">Where the vendor keeps keys in projects; null: not known.</param>
internal sealed record KmsKeyName(string Id, string? ProjectId = null);
