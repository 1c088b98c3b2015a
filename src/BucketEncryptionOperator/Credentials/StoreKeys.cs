using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>The access keys of stores, from whichever source.</summary>
internal sealed class StoreKeys(SecretKeys secrets, TemporaryKeys temporary)
{
    /// <summary>Returns the key to use now, or why there is none.</summary>
    public Task<Result<AccessKey>> GetAsync(KeySource source, CancellationToken cancellationToken) =>
        source switch
        {
            KeySource.FromSecret from => secrets.GetAsync(from.Secret, cancellationToken),
            KeySource.FromIdentity from => temporary.GetAsync(from.Identity, cancellationToken),
            _ => throw new ArgumentException(source.GetType().Name, nameof(source)),
        };

    /// <summary>
    /// Returns the version of the keys. A new version means that the store's owner gave other keys. Temporary keys that
    /// follow each other have one version: nobody changed anything.
    /// </summary>
    public string VersionOf(KeySource source) =>
        source is KeySource.FromSecret from ? secrets.VersionOf(from.Secret) : "";

    /// <summary>Called when no store uses the source any more.</summary>
    public void Forget(KeySource source)
    {
        if (source is KeySource.FromSecret secret)
            secrets.Forget(secret.Secret);
        else if (source is KeySource.FromIdentity ambient)
            temporary.Forget(ambient.Identity);
    }
}
