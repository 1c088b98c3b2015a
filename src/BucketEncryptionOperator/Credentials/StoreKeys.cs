using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>The access keys of stores, wherever they come from.</summary>
internal sealed class StoreKeys(SecretKeys secrets, TemporaryKeys temporary)
{
    /// <summary>The key to use now, or why there is none.</summary>
    public Task<Result<AccessKey>> GetAsync(KeySource source, CancellationToken cancellationToken) =>
        source switch
        {
            KeySource.FromSecret from => secrets.GetAsync(from.Secret, cancellationToken),
            KeySource.FromIdentity from => temporary.GetAsync(from.Identity, cancellationToken),
            _ => throw new ArgumentException(source.GetType().Name, nameof(source)),
        };

    /// <summary>
    /// Another text: the store's owner gave other keys. Temporary ones that follow each other are no change: nobody has
    /// changed anything.
    /// </summary>
    public string VersionOf(KeySource source) =>
        source is KeySource.FromSecret from ? secrets.VersionOf(from.Secret) : "";

    /// <summary>No store uses it any more.</summary>
    public void Forget(KeySource source)
    {
        if (source is KeySource.FromSecret secret)
            secrets.Forget(secret.Secret);
        else if (source is KeySource.FromIdentity ambient)
            temporary.Forget(ambient.Identity);
    }
}
