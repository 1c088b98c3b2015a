namespace BucketEncryptionOperator.Credentials;

/// <summary>Where a store says that its keys are.</summary>
internal abstract record KeySource
{
    private KeySource() { }

    public sealed record FromSecret(SecretSource Secret) : KeySource;

    public sealed record FromIdentity(AmbientIdentity Identity) : KeySource;
}
