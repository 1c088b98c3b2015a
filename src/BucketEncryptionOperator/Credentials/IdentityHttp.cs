using System.Net;
using System.Text;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>A complete answer of a token service.</summary>
/// <param name="Now">Time of the service; ours if the answer has none.</param>
internal sealed record IdentityAnswer(HttpStatusCode Status, string Body, DateTimeOffset Now)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>Redacted: the answer contains keys.</summary>
    public override string ToString() => $"IdentityAnswer {(int)Status} (redacted)";
}

/// <summary>
/// Sends requests to token services: bounded answers, a timeout per request, no redirects, no cookies, no retries (the
/// queue is the one retry loop).
/// </summary>
internal sealed class IdentityHttp : IDisposable
{
    /// <summary>Maximum length of an answer, in bytes. Answers have some 2 KiB, most of it a token.</summary>
    private const int MaxBody = 32 * 1024;

    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    /// <param name="product">For the User-Agent header, as <c>name/1.0</c>.</param>
    /// <param name="timeout">Timeout of one request, connection and body included.</param>
    /// <param name="isDirect">
    /// Whether to use no proxy: the service is on the link, and no other host may see its answer.
    /// </param>
    public IdentityHttp(string product, TimeSpan timeout, TimeProvider time, bool isDirect)
    {
        (_timeout, _time) = (timeout, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !isDirect,
            ConnectTimeout = timeout,
            ConnectCallback = new StaggeredConnector(time).DialAsync,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        };
        _http = new HttpClient(new SocketErrorHandler { InnerHandler = handler })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(product);
    }

    /// <param name="step">The step, for failures: the vendor's name of the call if there is one.</param>
    /// <exception cref="KeySourceException">Transient: no complete answer came.</exception>
    public async Task<IdentityAnswer> SendAsync(
        HttpRequestMessage request,
        string step,
        CancellationToken cancellationToken
    )
    {
        using var deadline = new Deadline(_timeout, _time, cancellationToken);
        var host = request.RequestUri?.Host;
        try
        {
            using var response = await _http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                deadline.Token
            );
            await response.Content.LoadIntoBufferAsync(MaxBody, deadline.Token);
            var body = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            return new IdentityAnswer(
                response.StatusCode,
                Encoding.UTF8.GetString(body),
                response.Headers.Date ?? _time.GetUtcNow()
            );
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            throw NoAnswer(
                step,
                Reasons.Timeout,
                $"{host} gave no complete answer within {_timeout.TotalSeconds:0.#} s."
            );
        }
        catch (HttpRequestException e)
        {
            var message = e.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => $"{host} does not resolve.",
                HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError =>
                    $"There is no connection to {host}.",
                HttpRequestError.SecureConnectionError =>
                    $"The certificate of {host} was not accepted, or TLS failed otherwise.",
                HttpRequestError.ConfigurationLimitExceeded => $"The answer of {host} is larger than {MaxBody} bytes.",
                _ => $"The connection to {host} broke before the answer was complete.",
            };
            throw NoAnswer(step, HttpReasons.Of(e.HttpRequestError), message);
        }
        catch (IOException)
        {
            throw NoAnswer(
                step,
                Reasons.BrokenAnswer,
                $"The connection to {host} broke before the answer was complete."
            );
        }
    }

    public void Dispose() => _http.Dispose();

    private static KeySourceException NoAnswer(string step, FailureReason reason, string message) =>
        new(
            new Failure(reason, step)
            {
                Message = $"{step}: {message}",
                Hint = "Check that the operator can reach it (DNS, network policy, proxy).",
            }
        );
}
