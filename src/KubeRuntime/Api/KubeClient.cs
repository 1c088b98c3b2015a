using System.Net;
using System.Net.Http.Headers;
using KubeRuntime.Metrics;

namespace KubeRuntime.Api;

/// <summary>
/// Talks to one API server: get, list, watch, create, patch. Every call has a deadline; nothing is retried here, the callers' loops do that.
/// Failures are <see cref="KubeApiException"/>; a cancelled token of the caller's comes back as <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class KubeClient : IDisposable
{
    /// <summary>
    /// Maximum length of an answer, in bytes. An object in etcd has at most 1.5 MiB; a list that is larger is read by
    /// smaller pages.
    /// </summary>
    private const int MaxBody = 16 * 1024 * 1024;
    private const int MaxErrorBody = 64 * 1024;

    /// <summary>An object in etcd is at most 1.5 MiB; a line repeats it once, with room to spare.</summary>
    private const int MaxLine = 4 * 1024 * 1024;

    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);

    /// <summary>Over the server's own end of a watch; after that the connection is taken for dead.</summary>
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);

    private readonly Transport _transport;
    private readonly KubeConnection _connection;

    /// <summary>Of a server behind a gateway (<c>https://host/k8s/clusters/x</c>); a rooted path would replace it.</summary>
    private readonly string _basePath;
    private readonly TimeProvider _time;
    private readonly ServerWarnings? _warnings;

    /// <param name="product">Name and version for the User-Agent header, as <c>name/1.0</c>.</param>
    /// <param name="warnings">Takes what the server warns of; shared, where there are several clients. Null to drop it.</param>
    /// <param name="metrics">Counts requests; null where nobody asks.</param>
    /// <param name="around">Puts a handler around the one that sends, or in its place.</param>
    public KubeClient(
        KubeConnection connection,
        string product,
        TimeProvider time,
        ServerWarnings? warnings = null,
        RuntimeMetrics? metrics = null,
        Func<HttpMessageHandler, HttpMessageHandler>? around = null)
    {
        _connection = connection;
        _basePath = connection.Server.AbsolutePath.TrimEnd('/');
        _time = time;
        _transport = new Transport(connection, product, time, handler =>
        {
            var sender = around?.Invoke(handler) ?? handler;
            return metrics is null ? sender : new MeteredHandler(sender, metrics, connection.Server, time);
        });
        _warnings = warnings;
    }

    public async Task<T> GetAsync<T>(KubeResource<T> resource, NamespacedName key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject =>
        ReadObject(
            await CallAsync(
                HttpMethod.Get, resource.ObjectPath(key), query: "", content: null, cancellationToken, isObject: true),
            resource, $"GET {resource.Plural} {key}");

    /// <summary>One page. <paramref name="next"/> is the token of the page before.</summary>
    public async Task<ListPage<T>> ListAsync<T>(KubeResource<T> resource, Scope scope, int limit, string? next, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        var query = $"?limit={limit}{scope.Query}" + (next is null ? "" : "&continue=" + Uri.EscapeDataString(next));
        var body = await CallAsync(HttpMethod.Get, resource.CollectionPath(scope.Namespace), query, content: null, cancellationToken);
        return ObjectReader.ReadList(body, resource);
    }

    /// <summary>
    /// Opens a watch with bookmarks from <paramref name="resourceVersion"/>. The server ends it after <paramref name="duration"/>;
    /// a stream that lives 30 s longer is taken for dead.
    /// </summary>
    public Task<WatchReader<T>> WatchAsync<T>(KubeResource<T> resource, Scope scope, string resourceVersion, TimeSpan duration, CancellationToken cancellationToken)
        where T : class, IKubernetesObject =>
        OpenAsync(resource, scope, $"&resourceVersion={Uri.EscapeDataString(resourceVersion)}", duration, cancellationToken);

    /// <summary>
    /// Opens a streaming list: a watch that first sends all that exists, at least as new as this moment, then a line of type
    /// <see cref="WatchLineType.InitialEventsEnd"/>, and goes on as a watch. A server that has none says <see cref="KubeFailure.Invalid"/>
    /// (off by default before Kubernetes 1.34; one that knows neither parameter refuses resourceVersionMatch on a watch).
    /// </summary>
    public Task<WatchReader<T>> StreamListAsync<T>(KubeResource<T> resource, Scope scope, TimeSpan duration, CancellationToken cancellationToken)
        where T : class, IKubernetesObject =>
        OpenAsync(resource, scope, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", duration, cancellationToken);

    /// <param name="ns">Null or empty for cluster-scoped kinds.</param>
    /// <param name="json">The whole object, with apiVersion and kind.</param>
    /// <returns>The object as stored.</returns>
    public async Task<T> CreateAsync<T>(KubeResource<T> resource, string? ns, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        using var content = new ReadOnlyMemoryContent(json);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var path = resource.CollectionPath(ns);
        return ReadObject(await CallAsync(HttpMethod.Post, path, query: "", content, cancellationToken), resource, $"POST {path}");
    }

    /// <summary>
    /// Merge-patches an object. The patch must carry <c>metadata.resourceVersion</c>: a merge patch replaces whole lists,
    /// so without it another writer's change would be lost.
    /// </summary>
    /// <returns>The object as stored.</returns>
    public Task<T> PatchAsync<T>(KubeResource<T> resource, NamespacedName key, ReadOnlyMemory<byte> mergePatch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject => PatchAsync(resource, resource.ObjectPath(key), mergePatch, cancellationToken);

    /// <summary>Merge-patches the status subresource, as <see cref="PatchAsync{T}(KubeResource{T}, NamespacedName, ReadOnlyMemory{byte}, CancellationToken)"/> does an object.</summary>
    /// <returns>The object as stored.</returns>
    public Task<T> PatchStatusAsync<T>(KubeResource<T> resource, NamespacedName key, ReadOnlyMemory<byte> mergePatch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject => PatchAsync(resource, resource.ObjectPath(key) + "/status", mergePatch, cancellationToken);

    /// <summary>What is no object: a document of the server's own, such as <c>/openapi/v3/…</c> or <c>/version</c>.</summary>
    public Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) => CallAsync(HttpMethod.Get, path, query: "", content: null, cancellationToken);

    public void Dispose() => _transport.Dispose();

    private async Task<WatchReader<T>> OpenAsync<T>(KubeResource<T> resource, Scope scope, string from, TimeSpan duration, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        var path = resource.CollectionPath(scope.Namespace);
        var query = $"?watch=1&allowWatchBookmarks=true{from}{scope.Query}&timeoutSeconds={(int)duration.TotalSeconds}";
        using var request = Request(HttpMethod.Get, path, query);
        using var deadline = new Deadline(CallDeadline, _time, cancellationToken);
        return await GuardAsync($"WATCH {path}", async () =>
        {
            var response = await SendAsync(request, deadline.Token);
            try
            {
                if (!response.IsSuccessStatusCode)
                    throw await FailureAsync(response, $"WATCH {path}", deadline.Token);
                var lines = new LineReader(await response.Content.ReadAsStreamAsync(deadline.Token), MaxLine);
                var stream = new WatchReader<T>(response, lines, resource, _time, duration + WatchGrace);
                response = null;
                return stream;
            }
            finally
            {
                response?.Dispose();
            }
        }, cancellationToken);
    }

    private async Task<T> PatchAsync<T>(KubeResource<T> resource, string path, ReadOnlyMemory<byte> mergePatch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        using var content = new ReadOnlyMemoryContent(mergePatch);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/merge-patch+json");
        return ReadObject(
            await CallAsync(HttpMethod.Patch, path, query: "", content, cancellationToken, isObject: true),
            resource, $"PATCH {path}");
    }

    /// <param name="isObject">The path names one object, so that an answer is about that object.</param>
    private async Task<byte[]> CallAsync(
        HttpMethod method,
        string path,
        string query,
        HttpContent? content,
        CancellationToken cancellationToken,
        bool isObject = false)
    {
        using var request = Request(method, path, query);
        request.Content = content;
        using var deadline = new Deadline(CallDeadline, _time, cancellationToken);
        return await GuardAsync($"{method} {path}", async () =>
        {
            using var response = await SendAsync(request, deadline.Token);
            if (!response.IsSuccessStatusCode)
                throw await FailureAsync(response, $"{method} {path}", deadline.Token, isObject);
            return await BodyAsync(response, MaxBody, deadline.Token);
        }, cancellationToken);
    }

    private HttpRequestMessage Request(HttpMethod method, string path, string query)
    {
        // A request of one's own does not take the client's default version.
        var request = new HttpRequestMessage(method, new Uri(_basePath + path + query, UriKind.Relative))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.Host = _connection.TlsServerName; // the handler takes the name to expect from here, and overwrites TargetHost
        if (_connection.Token is { } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Current);
        return request;
    }

    /// <summary>The answer's head. Whose proof of identity was not taken is noted; the next request looks whether it has been replaced.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await _transport.Current.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            _warnings?.Note(response.Headers);
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                _connection.Token?.Doubt();
                _connection.ClientCertificate?.Doubt();
            }
            return response;
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            _connection.CertificateAuthorities.Doubt();
            _connection.ClientCertificate?.Doubt();
            throw;
        }
    }

    /// <summary>Every way for a call to go wrong, named.</summary>
    private static async Task<T> GuardAsync<T>(string operation, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e)
        {
            throw new KubeApiException(KubeFailure.Transient, $"{operation}: no answer in time", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            var problem = $"{operation}: the answer is larger than {MaxBody / 1024 / 1024} MiB";
            throw new KubeApiException(KubeFailure.TooLarge, problem, e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new KubeApiException(KubeFailure.Transient, $"{operation}: {Describe(e)}", e);
        }
    }

    /// <summary>The outer message of a failed handshake says only that one should look at the inner one.</summary>
    internal static string Describe(Exception e) =>
        e.InnerException is { } inner && !e.Message.Contains(inner.Message, StringComparison.Ordinal) ? $"{e.Message} ({inner.Message})" : e.Message;

    /// <param name="isObject">The request was about one object.</param>
    private async Task<KubeApiException> FailureAsync(
        HttpResponseMessage response, string operation, CancellationToken cancellationToken, bool isObject = false)
    {
        byte[] body;
        try
        {
            body = await BodyAsync(response, MaxErrorBody, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            body = []; // the status alone says enough
        }
        var status = body is [(byte)'{', ..] ? ObjectReader.ReadStatus(body, operation, (int)response.StatusCode) : null;
        var asked = response.Headers.RetryAfter;
        // The API server tells of an object with a Status. A bare 403 or 404 is a gateway's, or there is no such kind.
        var isForeign = isObject
            && response.StatusCode is (HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
            && !ObjectReader.IsStatus(body);
        var failure = isForeign ? KubeFailure.Transient : KubeApiException.Classify(response.StatusCode);
        return new KubeApiException(failure, status?.Message ?? $"{operation}: {(int)response.StatusCode}")
        {
            RetryAfter = asked?.Delta ?? asked?.Date - _time.GetUtcNow() ?? status?.RetryAfter,
            MissingObject = status?.MissingObject,
        };
    }

    private static async Task<byte[]> BodyAsync(HttpResponseMessage response, int limit, CancellationToken cancellationToken)
    {
        await response.Content.LoadIntoBufferAsync(limit, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    private static T ReadObject<T>(byte[] body, KubeResource<T> resource, string operation)
        where T : class, IKubernetesObject
    {
        var (item, bad) = ObjectReader.ReadObject(body, resource);
        return item ?? throw new KubeApiException(KubeFailure.Transient, $"{operation}: the answer {bad?.Problem}");
    }
}
