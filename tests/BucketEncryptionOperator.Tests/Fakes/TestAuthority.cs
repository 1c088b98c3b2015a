using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>
/// A certificate authority that no system trusts, and a server's certificate for 127.0.0.1 that it has signed.
/// </summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _authority;

    public TestAuthority(string name)
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
        _authority = request.CreateSelfSigned(From, Until);
        KeyPem = key.ExportPkcs8PrivateKeyPem();

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var serverRequest = new CertificateRequest("CN=server", serverKey, HashAlgorithmName.SHA256);
        serverRequest.CertificateExtensions.Add(names.Build());
        using var signed = serverRequest.Create(_authority, From, Until, [1, 2, 3, 4]);
        using var withKey = signed.CopyWithPrivateKey(serverKey);
        Server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), password: null);
    }

    public string Pem => _authority.ExportCertificatePem();

    public string KeyPem { get; }

    public X509Certificate2 Server { get; }

    public void Dispose()
    {
        _authority.Dispose();
        Server.Dispose();
    }
}
