namespace BucketEncryptionOperator.Credentials;

/// <summary>Where a store says that its keys are.</summary>
internal abstract record KeySource
{
    private KeySource() { }

    /// <summary>The source, and below it what it stands on: a chain of roles has one for each of them.</summary>
    public IEnumerable<KeySource> Parts
    {
        get
        {
            for (var part = this; part is not null; part = (part as FromIdentity)?.Base)
                yield return part;
        }
    }

    public sealed record FromSecret(SecretSource Secret) : KeySource
    {
        public override string ToString() => $"Secret {Secret.Name}";
    }

    public sealed record FromIdentity(TemporaryIdentity Identity) : KeySource
    {
        /// <summary>The identity that assumes the role; null unless the identity is an assumed role.</summary>
        public KeySource? Base => (Identity as AssumedRole)?.Base;

        public override string ToString() => Identity.ToString();
    }
}
