using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KubeRuntime.Client;

/// <summary>Which certificates a TLS connection accepts.</summary>
public static class CertificateTrust
{
    /// <summary>Accepts certificates that chain to one of the roots; without roots, to one of the system's.</summary>
    /// <remarks>Revocation is not checked: a private authority seldom has a list that can be reached.</remarks>
    public static SslClientAuthenticationOptions In(X509Certificate2Collection roots)
    {
        var options = new SslClientAuthenticationOptions();
        if (roots.Count == 0)
            return options;
        options.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        return options;
    }
}
