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
            KeySource.FromIdentity { Identity: AssumedRole role } => OfRoleAsync(role, cancellationToken),
            KeySource.FromIdentity from => temporary.GetAsync(from.Identity, basis: null, cancellationToken),
            _ => throw new ArgumentException(source.GetType().Name, nameof(source)),
        };

    /// <summary>
    /// Returns the version of the keys. A new version means that the store's owner gave other keys. Temporary keys that
    /// follow each other have one version: nobody changed anything.
    /// </summary>
    public string VersionOf(KeySource source) =>
        source.Parts.Last() is KeySource.FromSecret from ? secrets.VersionOf(from.Secret) : "";

    /// <summary>Called when no store uses the source any more. What it stands on is another source.</summary>
    public void Forget(KeySource source)
    {
        if (source is KeySource.FromSecret secret)
            secrets.Forget(secret.Secret);
        else if (source is KeySource.FromIdentity identity)
            temporary.Forget(identity.Identity);
    }

    /// <summary>
    /// The key of a role. It is used while what it stands on cannot be read now, and not any more when that is gone or
    /// refused: a Secret that is deleted ends the role's use, too.
    /// </summary>
    private async Task<Result<AccessKey>> OfRoleAsync(AssumedRole role, CancellationToken cancellationToken)
    {
        var (basis, failure) = await GetAsync(role.Base, cancellationToken);
        if (basis is not null)
            return await temporary.GetAsync(role, basis, cancellationToken);
        if (failure is not { PassesByItself: true })
            temporary.TakeBack(role); // nor later, when it is only not known what became of the base
        return temporary.UsableOf(role) is { } key
            ? new Result<AccessKey>(key, Failure: null)
            : new Result<AccessKey>(Value: null, failure);
    }
}
