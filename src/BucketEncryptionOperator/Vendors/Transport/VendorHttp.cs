using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>The way from here to a vendor.</summary>
internal sealed record VendorRoute
{
    /// <summary>Null: <see cref="HttpClient.DefaultProxy"/>.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Null: every address is trusted, and nothing but a metadata service is refused.</summary>
    public Dialer? Dialer { get; init; }
}

/// <summary>What bounds one request and its answer, and whom it trusts.</summary>
internal sealed record VendorExchange
{
    public static VendorExchange Default { get; } = new();

    /// <summary>In PEM, the roots to trust in place of the system's; null for those.</summary>
    public string? CaBundle { get; init; }

    /// <summary>How long the request may take, where that is less than the timeout of all.</summary>
    public TimeSpan AtMost { get; init; } = TimeSpan.MaxValue;

    /// <summary>Maximum size of the answer's body in bytes.</summary>
    public int MaxBody { get; init; } = VendorXml.MaxSize;
}

/// <summary>
/// Sends one signed request and reads a bounded answer. It follows no redirects (a signature covers its host, and an
/// answer must not choose where signatures go), keeps no cookies, does not retry (the queue is the one retry loop),
/// always checks certificates and uses the process's proxies. <see cref="Dialer"/> makes the connections.
/// </summary>
internal sealed class VendorHttp : IDisposable
{
    private const string CheckWay =
        "Check the store's endpoint and region, and that the operator can reach it (DNS, network policy, proxy).";
    private const string CheckCertificate =
        "Check the store's endpoint, and whether a proxy on the way answers in its place.";

    private readonly VendorClients _clients;
    private readonly Dialer _dialer;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    /// <param name="product">For the User-Agent header, as <c>name/1.0</c>.</param>
    /// <param name="timeout">For one request, connection and body included.</param>
    /// <param name="route">Null: all defaults.</param>
    public VendorHttp(string product, TimeSpan timeout, TimeProvider time, VendorRoute? route = null)
    {
        _timeout = timeout;
        _time = time;
        _dialer = route?.Dialer ?? new Dialer(_ => EndpointTrust.Operator, new StaggeredConnector(time));
        _clients = new VendorClients(Open, time);

        HttpClient Open(X509Certificate2Collection roots)
        {
            var handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                // Spans, but no trace headers to a vendor
                ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
                Proxy = route?.Proxy,
                ConnectTimeout = ConnectTimeout,
                ConnectCallback = _dialer.DialAsync,
                SslOptions = CertificateTrust.In(roots),
                MaxConnectionsPerServer = 64,
                // So that a change of the vendor's addresses is noticed
                PooledConnectionLifetime = TimeSpan.FromMinutes(10),
                PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            };
            var http = new HttpClient(new SocketErrorHandler { InnerHandler = handler })
            {
                Timeout = Timeout.InfiniteTimeSpan,
            };
            http.DefaultRequestHeaders.UserAgent.ParseAdd(product);
            return http;
        }
    }

    /// <summary>For one request, connection and body included.</summary>
    public TimeSpan Limit => _timeout;

    /// <summary>
    /// Shorter than <see cref="Limit"/>, to tell a connection that cannot be made (nothing was sent) from an answer
    /// that does not come.
    /// </summary>
    private TimeSpan ConnectTimeout => _timeout / 2;

    /// <param name="operation">The vendor's name of the call, for failures.</param>
    /// <exception cref="VendorException">
    /// Transient: no complete answer came. Refused: the host is where no request may go.
    /// </exception>
    public Task<VendorResponse> SendAsync(
        HttpRequestMessage request,
        string operation,
        CancellationToken cancellationToken
    ) => SendAsync(request, operation, VendorExchange.Default, cancellationToken);

    /// <inheritdoc cref="SendAsync(HttpRequestMessage, string, CancellationToken)"/>
    public async Task<VendorResponse> SendAsync(
        HttpRequestMessage request,
        string operation,
        VendorExchange exchange,
        CancellationToken cancellationToken
    )
    {
        var limit = Durations.Min(exchange.AtMost, _timeout);
        using var client = _clients.Rent(exchange.CaBundle);
        using var deadline = new Deadline(limit, _time, cancellationToken);
        try
        {
            if (request.RequestUri is { } target)
                _dialer.CheckLiteral(target);
            using var response = await client.Client.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                deadline.Token
            );
            await response.Content.LoadIntoBufferAsync(exchange.MaxBody, deadline.Token);
            var body = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            return new VendorResponse(response.StatusCode, Encoding.UTF8.GetString(body), response.Headers);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (!deadline.Token.IsCancellationRequested)
        {
            throw NoConnection(
                operation,
                Reasons.Unreachable,
                $"No connection to the endpoint within {ConnectTimeout.TotalSeconds:0.#} s.",
                CheckWay
            );
        }
        catch (OperationCanceledException)
        {
            throw NoAnswer(
                operation,
                Reasons.Timeout,
                $"No complete answer within {limit.TotalSeconds:0} s.",
                CheckWay
            );
        }
        catch (AddressNotAllowedException e)
        {
            throw NotAllowed(operation, e);
        }
        catch (HttpRequestException e) when (e.InnerException is AddressNotAllowedException refused)
        {
            throw NotAllowed(operation, refused);
        }
        catch (HttpRequestException e)
        {
            var reason = HttpReasons.Of(e.HttpRequestError);
            throw e.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => NoConnection(
                    operation,
                    reason,
                    "The endpoint's name does not resolve.",
                    CheckWay
                ),
                HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError => NoConnection(
                    operation,
                    reason,
                    WhyUnreachable(e.InnerException),
                    CheckWay
                ),
                HttpRequestError.SecureConnectionError => NoConnection(
                    operation,
                    reason,
                    "The endpoint's certificate was not accepted, or TLS failed otherwise.",
                    CheckCertificate
                ),
                HttpRequestError.ConfigurationLimitExceeded => NoAnswer(
                    operation,
                    reason,
                    $"The answer is larger than {exchange.MaxBody} bytes."
                ),
                _ => NoAnswer(operation, reason, "The connection broke before the answer was complete."),
            };
        }
        catch (IOException)
        {
            throw NoAnswer(operation, Reasons.BrokenAnswer, "The connection broke before the answer was complete.");
        }
    }

    public void Dispose() => _clients.Dispose();

    /// <summary>
    /// Refused, so it is retried after an hour or a change: the name may resolve to another address then.
    /// </summary>
    private static VendorException NotAllowed(string operation, AddressNotAllowedException e) =>
        new(
            new Failure(Reasons.AddressNotAllowed, operation)
            {
                Message = $"{e.Message}. No connection was made.",
                NotSent = true,
                Hint = e.IsMetadataService
                    ? "Correct the store's endpoint, or where its name leads: no request ever goes there."
                    : "Correct the store's endpoint, or where its name leads; or ask the operator's administrator to "
                        + "list it by its full name, without *, in --allowed-endpoints.",
            }
        );

    private static VendorException NoConnection(string operation, FailureReason reason, string message, string hint) =>
        new(
            new Failure(reason, operation)
            {
                Message = message,
                Hint = hint,
                NotSent = true,
            }
        );

    /// <summary>
    /// Returns a text without the addresses: a status must not show them to the store's owner. The same failure always
    /// gives the same text.
    /// </summary>
    private static string WhyUnreachable(Exception? reason)
    {
        if (reason is not ConnectFailedException { Failures: var failures })
            return "No connection to the endpoint.";
        var errors = failures.Select(f => $"{f.Error}").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return $"No connection to any of the endpoint's {failures.Count} addresses ({string.Join(", ", errors)}).";
    }

    private static VendorException NoAnswer(
        string operation,
        FailureReason reason,
        string message,
        string? hint = null
    ) => new(new Failure(reason, operation) { Message = message, Hint = hint });
}
