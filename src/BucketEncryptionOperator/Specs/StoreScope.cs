using System.Security.Cryptography;
using System.Text;

namespace BucketEncryptionOperator.Specs;

/// <summary>Where a store belongs.</summary>
/// <param name="SecretNamespace">Namespace of the Secret: of a namespaced store, its own.</param>
/// <param name="IsNamespaced">
/// Whether the store is namespaced, so that a tenant may have written it; otherwise it is cluster-scoped.
/// </param>
/// <param name="Name">Name of the store.</param>
internal sealed record StoreScope(string SecretNamespace, bool IsNamespaced, string Name)
{
    /// <summary>The most that both AWS and Alibaba Cloud take.</summary>
    private const int LongestSessionName = 64;

    private const int HashLength = 16;

    /// <summary>
    /// What a vendor's audit log shows of who assumed a role: the store, and after an @ the namespace, if it has one. A
    /// name that is too long ends in a hash in place of its end.
    /// </summary>
    public string SessionName
    {
        get
        {
            var name = IsNamespaced ? $"{Name}@{SecretNamespace}" : Name;
            // One character is too short for the services.
            if (name.Length is > 1 and <= LongestSessionName)
                return name;
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..HashLength];
            return $"{name[..Math.Min(name.Length, LongestSessionName - HashLength - 1)]}-{hash}";
        }
    }

    /// <summary>
    /// What a role checks, in its trust policy, that the operator assumes with its own identity for a store of a
    /// namespace: no other namespace, and no other store, gets the role.
    /// </summary>
    public string ExternalId => $"{SecretNamespace}/{Name}";
}
