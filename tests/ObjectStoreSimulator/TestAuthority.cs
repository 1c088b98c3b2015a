using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ObjectStoreSimulator;

/// <summary>
/// A certificate authority that lives as long as the process, for clients that are to be told whom to trust
/// (<c>caBundle</c>).
/// </summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 _authority;

    // By the machine's clock, whatever a test's says: so do the clients' TLS stacks.
    private readonly DateTimeOffset _from = TimeProvider.System.GetUtcNow().AddDays(-1);
    private readonly DateTimeOffset _until = TimeProvider.System.GetUtcNow().AddDays(30);

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=object store simulator", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true,
                hasPathLengthConstraint: false,
                0,
                critical: true
            )
        );
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _authority = request.CreateSelfSigned(_from, _until);
        Server = SignServer();
    }

    /// <summary>The authority's certificate, to be trusted.</summary>
    public string Pem => _authority.ExportCertificatePem();

    /// <summary>For 127.0.0.1, ::1, localhost and *.localhost, with its key.</summary>
    public X509Certificate2 Server { get; }

    public void Dispose()
    {
        Server.Dispose();
        _authority.Dispose();
    }

    private X509Certificate2 SignServer()
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        names.AddDnsName("localhost");
        names.AddDnsName("*.localhost");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false)
        );
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(
            _authority,
            _from,
            _until,
            RandomNumberGenerator.GetBytes(8)
        );
        return certificate.CopyWithPrivateKey(key);
    }
}
