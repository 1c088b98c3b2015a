using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using k8s;

namespace KubeRuntime.Client;

/// <summary>
/// The library's client, and with it the open connections. They are bound to the certificates that they were made with;
/// when those are replaced, the next request finds new connections. What runs on the old ones goes on to its end; left
/// alone, they close as idle ones do.
/// HTTP/2 with several connections: the server allows 100 streams on one, and a watch holds its stream for minutes.
/// </summary>
/// <param name="handlers">Makes the handlers around the one that sends, the outermost first.</param>
internal sealed class Transport(
    KubeConnection connection,
    string product,
    TimeProvider time,
    Func<DelegatingHandler[]> handlers
) : IDisposable
{
    private readonly StaggeredConnector _connector = new(time);
    private readonly Lock _gate = new();
    private X509Certificate2Collection? _authorities;
    private X509Certificate2? _certificate;
    private Kubernetes? _client;
    private SocketsHttpHandler? _sender;
    private bool _isDisposed;

    /// <exception cref="KubeApiException">Transient: the credential plugin gave nothing.</exception>
    public async ValueTask<Kubernetes> GetAsync(CancellationToken cancellationToken)
    {
        var certificate = await connection.CertificateAsync(cancellationToken);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var authorities = connection.CertificateAuthorities.Current;
            if (
                _client is null
                || !ReferenceEquals(authorities, _authorities)
                || !ReferenceEquals(certificate, _certificate)
            )
            {
                (_authorities, _certificate) = (authorities, certificate);
                // Not disposed: that would fail requests that are about to be sent
                _client = Open(authorities, certificate);
            }
            return _client;
        }
    }

    /// <summary>
    /// Ends what runs. The library's own Dispose would let a late request fail with a null reference.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _client?.HttpClient.CancelPendingRequests();
            _sender?.Dispose();
        }
    }

    private Kubernetes Open(X509Certificate2Collection authorities, X509Certificate2? certificate)
    {
        ModelJson.Use();
        var client = new Kubernetes(
            new KubernetesClientConfiguration
            {
                Host = connection.Server.AbsoluteUri,
                TlsServerName = connection.TlsServerName,
                UserAgent = product,
                TokenProvider =
                    connection.Token is null && connection.Plugin is null
                        ? null
                        : new KubeConnection.TokenProvider(connection),
                HttpClientTimeout = Timeout.InfiniteTimeSpan, // each call has its own deadline
                FirstMessageHandlerSetup = sender => SetUp(_sender = sender, authorities, certificate),
            },
            handlers()
        );
        client.HttpClient.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return client;
    }

    /// <summary>
    /// The certificates are set here and not in the library's configuration: with roots of its configuration it does
    /// not check the server's name, and it would read neither roots nor certificate again.
    /// </summary>
    private void SetUp(SocketsHttpHandler sender, X509Certificate2Collection authorities, X509Certificate2? certificate)
    {
        sender.SslOptions = CertificateTrust.In(authorities);
        if (certificate is not null)
            sender.SslOptions.ClientCertificates = [certificate];
        sender.EnableMultipleHttp2Connections = true;
        sender.KeepAlivePingDelay = connection.PingAfter;
        sender.KeepAlivePingTimeout = connection.PingTimeout;
        sender.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always;
        sender.ConnectTimeout = TimeSpan.FromSeconds(10);
        sender.ConnectCallback = _connector.DialAsync;
        sender.UseProxy = connection.Proxy is not null;
        sender.Proxy = connection.Proxy;
        sender.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5);
        sender.ResponseDrainTimeout = TimeSpan.Zero; // an HTTP/1.1 watch that is given up has no end to wait for
        sender.AllowAutoRedirect = false;
        sender.UseCookies = false;
    }
}
