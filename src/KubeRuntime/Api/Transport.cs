using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KubeRuntime.Api;

/// <summary>
/// The open connections of one client. They are bound to the certificates that they were made with; when those are replaced in their files, the next
/// request finds new connections. What runs on the old ones goes on to its end; left alone, they close as idle ones do.
/// HTTP/2 with several connections: the server allows 100 streams on one, and a watch holds its stream for minutes.
/// </summary>
/// <param name="around">Puts handlers of the client's own around the one that sends.</param>
internal sealed class Transport(
    KubeConnection connection, string product, TimeProvider time, Func<HttpMessageHandler, HttpMessageHandler> around)
    : IDisposable
{
    private readonly StaggeredConnector _connector = new(time);
    private readonly Lock _gate = new();
    private X509Certificate2Collection? _authorities;
    private X509Certificate2? _certificate;
    private HttpClient? _http;

    public HttpClient Current
    {
        get
        {
            lock (_gate)
            {
                var (authorities, certificate) = (connection.CertificateAuthorities.Current, connection.ClientCertificate?.Current);
                if (_http is null || !ReferenceEquals(authorities, _authorities) || !ReferenceEquals(certificate, _certificate))
                {
                    (_authorities, _certificate) = (authorities, certificate);
                    _http = Open(authorities, certificate); // not disposed: that would fail requests that are about to be sent
                }
                return _http;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _http?.Dispose();
    }

    private HttpClient Open(X509Certificate2Collection authorities, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = Tls(authorities, certificate),
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = connection.PingAfter,
            KeepAlivePingTimeout = connection.PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            ConnectCallback = _connector.DialAsync,
            UseProxy = connection.Proxy is not null,
            Proxy = connection.Proxy,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            ResponseDrainTimeout = TimeSpan.Zero, // an HTTP/1.1 watch that is given up has no end to wait for
            AllowAutoRedirect = false,
            UseCookies = false,
        };
        var http = new HttpClient(around(new SocketErrorHandler(handler)))
        {
            BaseAddress = connection.Server,
            Timeout = Timeout.InfiniteTimeSpan, // each call has its own deadline
        };
        http.DefaultRequestHeaders.UserAgent.ParseAdd(product);
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return http;
    }

    private static SslClientAuthenticationOptions Tls(X509Certificate2Collection authorities, X509Certificate2? certificate)
    {
        var options = new SslClientAuthenticationOptions();
        if (authorities.Count > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            options.CertificateChainPolicy = policy;
        }
        if (certificate is not null)
            options.ClientCertificates = [certificate];
        return options;
    }
}
