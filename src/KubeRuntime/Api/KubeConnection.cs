using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KubeRuntime.Api;

/// <summary>Where the API server is, how it proves who it is, and how we prove who we are.</summary>
public sealed record KubeConnection(Uri Server)
{
    /// <summary>Roots that the server's certificate must chain to; empty means the system's.</summary>
    public X509Certificate2Collection CertificateAuthorities { get; init; } = [];

    /// <summary>Name to expect in the server's certificate, and to send in SNI and Host, instead of the host of <see cref="Server"/>.</summary>
    public string? TlsServerName { get; init; }

    public X509Certificate2? ClientCertificate { get; init; }
    public BearerToken? Token { get; init; }

    /// <summary>Where the connection was read from, for logs.</summary>
    public string Origin { get; init; } = "";

    /// <summary>Redacted: a record's own form would print the token's type today, and its text after some later change.</summary>
    public override string ToString() => $"{Server} ({Origin})";

    internal SslClientAuthenticationOptions TlsOptions()
    {
        var options = new SslClientAuthenticationOptions();
        if (CertificateAuthorities.Count > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(CertificateAuthorities);
            options.CertificateChainPolicy = policy;
        }
        if (ClientCertificate is { } certificate)
            options.ClientCertificates = [certificate];
        return options;
    }
}
