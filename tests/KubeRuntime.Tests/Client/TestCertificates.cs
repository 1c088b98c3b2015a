using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeRuntime.Tests.Client;

/// <summary>A certificate authority of a test, and what it signs.</summary>
internal sealed class TestCertificates : IDisposable
{
    // Real years: the TLS stack looks at the machine's clock.
    private static readonly DateTimeOffset From = TimeProvider.System.GetUtcNow().AddDays(-1);
    private static readonly DateTimeOffset Until = TimeProvider.System.GetUtcNow().AddDays(30);

    public TestCertificates(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true,
                hasPathLengthConstraint: false,
                0,
                critical: true
            )
        );
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        Authority = request.CreateSelfSigned(From, Until);
    }

    public X509Certificate2 Authority { get; }

    public string AuthorityPem => Authority.ExportCertificatePem();

    public X509Certificate2 Server(string? dnsName, IPAddress? address)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (dnsName is not null)
            names.AddDnsName(dnsName);
        if (address is not null)
            names.AddIpAddress(address);
        return Sign("server", "1.3.6.1.5.5.7.3.1", names);
    }

    public (string Certificate, string Key) Client(string name)
    {
        using var certificate = Sign(name, "1.3.6.1.5.5.7.3.2", names: null);
        return (certificate.ExportCertificatePem(), certificate.GetECDsaPrivateKey()?.ExportPkcs8PrivateKeyPem() ?? "");
    }

    public void Dispose() => Authority.Dispose();

    private X509Certificate2 Sign(string name, string usage, SubjectAlternativeNameBuilder? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        if (names is not null)
            request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(Authority, From, Until, RandomNumberGenerator.GetBytes(8));
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), password: null);
    }
}
