using System.Net;

namespace KubeRuntime.Client;

/// <summary>
/// What every request to the API server passes through, whether the library's typed operations or
/// <see cref="KubeClient"/> send it: a deadline that holds for the body too, a limit for the body, and one kind of
/// exception, which has no token and no body in it.
/// </summary>
internal sealed class ApiHandler(KubeConnection connection, ServerWarnings? warnings, TimeProvider time)
    : DelegatingHandler
{
    /// <summary>
    /// Maximum length of an answer, in bytes. An object in etcd has at most 1.5 MiB; a list that is larger is read by
    /// smaller pages.
    /// </summary>
    internal const int MaxBody = 16 * 1024 * 1024;
    private const int MaxErrorBody = 64 * 1024;

    /// <summary>For a whole call; of a watch, for its head.</summary>
    internal static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);

    /// <summary>What a request asks for; an object without this option.</summary>
    public static readonly HttpRequestOptionsKey<Wanted> Wants = new(nameof(Wanted));

    /// <summary>Of a server behind a gateway (<c>https://host/k8s/clusters/x</c>).</summary>
    private readonly int _basePathLength = connection.Server.AbsolutePath.TrimEnd('/').Length;

    public enum Wanted
    {
        /// <summary>One object: an answer is about that object.</summary>
        Object,

        /// <summary>A document of the server's own, whole.</summary>
        Document,

        /// <summary>A list, which its reader reads as it arrives, by its own deadline and limit.</summary>
        List,

        /// <summary>A stream, which has no end to wait for.</summary>
        Watch,
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var wanted = request.Options.TryGetValue(Wants, out var w) ? w : Wanted.Object;
        var operation =
            $"{(wanted == Wanted.Watch ? "WATCH" : request.Method.Method)} "
            + $"{request.RequestUri?.AbsolutePath[_basePathLength..]}";
        connection.Impersonation?.Apply(request);
        using var deadline = new Deadline(CallDeadline, time, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            response = await base.SendAsync(request, deadline.Token);
            warnings?.Note(response.Headers);
            if (response.StatusCode == HttpStatusCode.Unauthorized)
                connection.DoubtIdentity();
            if (!response.IsSuccessStatusCode)
                throw await FailureAsync(response, operation, wanted, deadline.Token);
            if (wanted is Wanted.Object or Wanted.Document)
                await response.Content.LoadIntoBufferAsync(MaxBody, deadline.Token);
            var good = response;
            response = null;
            return good;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e)
        {
            throw new KubeApiException(KubeFailureKind.Transient, $"{operation}: no answer in time", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            var problem = $"{operation}: the answer is larger than {MaxBody / 1024 / 1024} MiB";
            throw new KubeApiException(KubeFailureKind.TooLarge, problem, e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            if (e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError })
            {
                connection.CertificateAuthorities.Doubt();
                connection.DoubtIdentity();
            }
            throw new KubeApiException(KubeFailureKind.Transient, $"{operation}: {Describe(e)}", e);
        }
        finally
        {
            response?.Dispose();
        }
    }

    /// <summary>The outer message of a failed handshake says only that one should look at the inner one.</summary>
    internal static string Describe(Exception e) =>
        e.InnerException is { } inner && !e.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? $"{e.Message} ({inner.Message})"
            : e.Message;

    private async Task<KubeApiException> FailureAsync(
        HttpResponseMessage response,
        string operation,
        Wanted wanted,
        CancellationToken cancellationToken
    )
    {
        byte[] body;
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxErrorBody, cancellationToken);
            body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            body = []; // the status alone says enough
        }
        var status = body is [(byte)'{', ..]
            ? ObjectReader.ReadStatus(body, operation, (int)response.StatusCode)
            : null;
        var asked = response.Headers.RetryAfter;
        // The API server tells of an object with a Status. A bare 403 or 404 is a gateway's, or there is no such kind.
        var isForeign =
            wanted == Wanted.Object
            && response.StatusCode is (HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
            && !ObjectReader.IsStatus(body);
        var failure = isForeign ? KubeFailureKind.Transient : KubeApiException.Classify(response.StatusCode);
        return new KubeApiException(failure, status?.Message ?? $"{operation}: {(int)response.StatusCode}")
        {
            RetryAfter = asked?.Delta ?? asked?.Date - time.GetUtcNow() ?? status?.RetryAfter,
            MissingObject = status?.MissingObject,
        };
    }
}
