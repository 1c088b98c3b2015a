namespace BucketEncryptionOperator.Encryption;

/// <summary>Which KMS key a policy asks for.</summary>
internal abstract record KeyRequirement
{
    private KeyRequirement() { }

    /// <summary>Equal for equal requirements, across restarts and versions: it is kept in a policy's status.</summary>
    public abstract string Fingerprint { get; }

    /// <summary>The key that the vendor manages, whichever way it is asked for.</summary>
    protected virtual bool AsksForVendors => false;

    /// <summary>What a write names where the bucket has another key, or none; null: no key is named.</summary>
    protected virtual string? WrittenAs => null;

    /// <summary>The key is the one that is asked for, in whatever spelling.</summary>
    /// <param name="keyId">Of a bucket with KMS; null: it names none.</param>
    public abstract bool IsMetBy(string? keyId);

    /// <summary>What a write names. A key that is the same in another spelling stays as the bucket has it.</summary>
    public string? KeyFrom(BucketEncryption live) => live.UsesKms && IsMetBy(live.KmsKey) ? live.KmsKey : WrittenAs;

    public virtual bool AgreesWith(KeyRequirement other) => AsksForVendors && other.AsksForVendors;

    /// <inheritdoc cref="DesiredEncryption.Knowing"/>
    public virtual KeyRequirement Knowing(string vendorKey) => this;

    /// <summary>Any will do; one that is set is kept.</summary>
    public sealed record Any : KeyRequirement
    {
        public override string Fingerprint => "any";

        public override bool IsMetBy(string? keyId) => true;

        public override bool AgreesWith(KeyRequirement other) => other is Any;
    }

    /// <summary>The key that the vendor manages: none is named.</summary>
    /// <param name="AnsweredAs">The id under which the store answers that key; null: the store names none.</param>
    public sealed record VendorDefault(string? AnsweredAs = null) : KeyRequirement
    {
        public override string Fingerprint => "vendorDefault";

        protected override bool AsksForVendors => true;

        public override bool IsMetBy(string? keyId) =>
            keyId is null || KmsKeyId.IsVendors(keyId) || KmsKeyId.Same(AnsweredAs, keyId);

        public override KeyRequirement Knowing(string vendorKey) => new VendorDefault(vendorKey);
    }

    /// <param name="ProjectId">Where the vendor keeps keys in projects; null: not declared.</param>
    public sealed record Named(string Id, string? ProjectId = null) : KeyRequirement
    {
        public override string Fingerprint => "id:" + Id + (ProjectId is null ? "" : "/project:" + ProjectId);

        protected override bool AsksForVendors => KmsKeyId.IsVendors(Id);

        protected override string WrittenAs => Id;

        public override bool IsMetBy(string? keyId) =>
            KmsKeyId.Same(Id, keyId) || (AsksForVendors && (keyId is null || KmsKeyId.IsVendors(keyId)));

        public override bool AgreesWith(KeyRequirement other) =>
            other is Named named ? ProjectId == named.ProjectId && KmsKeyId.Same(Id, named.Id) : base.AgreesWith(other);
    }
}
