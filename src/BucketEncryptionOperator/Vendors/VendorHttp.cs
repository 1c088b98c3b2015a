using System.Net;
using System.Net.Http.Headers;
using System.Text;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Vendors;

/// <summary>A complete answer of a vendor, whatever its status.</summary>
internal sealed record VendorResponse(HttpStatusCode Status, string Body, HttpResponseHeaders Headers)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>The first value of a header, or null.</summary>
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>
/// Sends one signed request and reads a bounded answer. No redirects (a signature covers its host, and an answer must not choose
/// where keys' signatures go), no cookies, no retries (the queue is the one retry loop), certificate checks always on,
/// HTTPS_PROXY and its kin honoured.
/// </summary>
internal sealed class VendorHttp : IDisposable
{
    /// <summary>The largest legal answer is an error document of a few KiB.</summary>
    private const int MaxBody = 64 * 1024;

    private const string CheckWay = "Check the store's endpoint and region, and that the operator can reach it (DNS, network policy, proxy).";
    private const string CheckCertificate = "Check the store's endpoint, and whether a proxy on the way answers in its place.";

    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    /// <param name="product">For the User-Agent header, as <c>name/1.0</c>.</param>
    /// <param name="timeout">For one request, connection and body included.</param>
    /// <param name="proxy">Null: the environment's.</param>
    public VendorHttp(string product, TimeSpan timeout, TimeProvider time, IWebProxy? proxy = null)
    {
        _timeout = timeout;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = proxy,
            ConnectTimeout = timeout,
            MaxConnectionsPerServer = 64,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // so that a change of the vendor's addresses is noticed
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(product);
    }

    /// <param name="operation">The vendor's name of the call, for failures.</param>
    /// <exception cref="VendorException">Transient: no complete answer came.</exception>
    public async Task<VendorResponse> SendAsync(HttpRequestMessage request, string operation, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(_timeout, _time, cancellationToken);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            await response.Content.LoadIntoBufferAsync(MaxBody, deadline.Token);
            var body = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            return new VendorResponse(response.StatusCode, Encoding.UTF8.GetString(body), response.Headers);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            throw NoAnswer(operation, "Timeout", $"No complete answer within {_timeout.TotalSeconds:0} s.", CheckWay);
        }
        catch (HttpRequestException e)
        {
            throw e.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => NoAnswer(operation, "NameNotResolved", "The endpoint's name does not resolve.", CheckWay),
                HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError => NoAnswer(operation, "Unreachable", "No connection to the endpoint.", CheckWay),
                HttpRequestError.SecureConnectionError => NoAnswer(operation, "TlsFailed", "The endpoint's certificate was not accepted, or TLS failed otherwise.", CheckCertificate),
                HttpRequestError.ConfigurationLimitExceeded => NoAnswer(operation, "AnswerTooLarge", $"The answer is larger than {MaxBody} bytes."),
                _ => NoAnswer(operation, "BrokenAnswer", "The connection broke before the answer was complete."),
            };
        }
        catch (IOException)
        {
            throw NoAnswer(operation, "BrokenAnswer", "The connection broke before the answer was complete.");
        }
    }

    public void Dispose() => _http.Dispose();

    private static VendorException NoAnswer(string operation, string code, string message, string? hint = null) =>
        new(new Failure(FailureKind.Transient, operation, code) { Message = message, Hint = hint });
}
