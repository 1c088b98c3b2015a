using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using k8s;
using k8s.Models;
using KubeRuntime.Instrumentation;

namespace KubeRuntime.Client;

/// <summary>
/// Talks to one API server through KubernetesClient: built-in kinds by its typed operations, custom resources by
/// requests of its HttpClient whose answers are read as a stream. Every call has a deadline; nothing is retried here,
/// the callers' loops do that. Failures are <see cref="KubeApiException"/>; a cancelled token of the caller's comes
/// back as <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class KubeClient : IDisposable
{
    /// <summary>
    /// Maximum length of a watch line. An object in etcd has at most 1.5 MiB, and a line contains it once.
    /// </summary>
    private const int MaxLine = 4 * 1024 * 1024;

    /// <summary>Time after the server's own end of a watch, after which the connection counts as dead.</summary>
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);

    private readonly Transport _transport;
    private readonly KubeConnection _connection;
    private readonly TimeProvider _time;

    /// <param name="product">Name and version for the User-Agent header, as <c>name/1.0</c>.</param>
    /// <param name="warnings">Gets the server's warnings; several clients may share it. Null to drop them.</param>
    /// <param name="metrics">Counts requests; null to count none.</param>
    /// <param name="around">Makes a handler around the one that sends, or in its place.</param>
    public KubeClient(
        KubeConnection connection,
        string product,
        TimeProvider time,
        ServerWarnings? warnings = null,
        RuntimeMetrics? metrics = null,
        Func<DelegatingHandler>? around = null
    )
    {
        _connection = connection;
        _time = time;
        _transport = new Transport(
            connection,
            product,
            time,
            () =>
                [
                    new ApiHandler(connection, warnings, time),
                    .. metrics is null
                        ? Array.Empty<DelegatingHandler>()
                        : [new MeteredHandler(metrics, connection.Server, time)],
                    .. around is null ? Array.Empty<DelegatingHandler>() : [around()],
                    new SocketErrorHandler(),
                ]
        );
    }

    /// <summary>Calls a typed operation of the library, on one object of a built-in kind.</summary>
    /// <param name="operation">For messages, as <c>GET secrets ns/name</c>.</param>
    public async Task<T> CallAsync<T>(
        string operation,
        Func<IKubernetes, Task<T>> call,
        CancellationToken cancellationToken
    )
    {
        var client = await _transport.GetAsync(cancellationToken);
        try
        {
            var answer = await call(client);
            if (answer is not (null or IMetadata<V1ObjectMeta> { Metadata: null or { Name: null or "" } }))
                return answer;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            // The exception's own text may quote what it read.
        }
        throw new KubeApiException(
            KubeFailureKind.Transient,
            $"{operation}: the answer is not the object that was asked for"
        );
    }

    public async Task<T> GetAsync<T>(KubeResource<T> resource, NamespacedName key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject =>
        ReadObject(
            await CallAsync(
                HttpMethod.Get,
                resource.ObjectPath(key),
                content: null,
                ApiHandler.Wanted.Object,
                cancellationToken
            ),
            resource,
            $"GET {resource.Plural} {key}"
        );

    /// <summary>Reads one page of a list. <paramref name="next"/> is the token of the page before.</summary>
    public async Task<ListPage<T>> ListAsync<T>(
        KubeResource<T> resource,
        WatchScope scope,
        int limit,
        string? next,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject
    {
        var query = $"?limit={limit}{scope.Query}" + (next is null ? "" : "&continue=" + Uri.EscapeDataString(next));
        var path = resource.CollectionPath(scope.Namespace) + query;
        using var deadline = new Deadline(ApiHandler.CallDeadline, _time, cancellationToken);
        try
        {
            using var response = await SendAsync(
                HttpMethod.Get,
                path,
                content: null,
                ApiHandler.Wanted.List,
                deadline.Token
            );
            await using var body = await response.Content.ReadAsStreamAsync(deadline.Token);
            return await new ListReader<T>(body, resource, ApiHandler.MaxBody).ReadAsync(deadline.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KubeApiException(KubeFailureKind.Transient, $"LIST {resource.Plural}: no answer in time", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            var problem = $"LIST {resource.Plural}: {ApiHandler.Describe(e)}";
            throw new KubeApiException(KubeFailureKind.Transient, problem, e);
        }
    }

    /// <summary>
    /// Opens a watch with bookmarks from <paramref name="resourceVersion"/>. The server ends it after
    /// <paramref name="duration"/>; a stream that lives 30 s longer is taken for dead.
    /// </summary>
    public Task<WatchReader<T>> WatchAsync<T>(
        KubeResource<T> resource,
        WatchScope scope,
        string resourceVersion,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject =>
        OpenAsync(
            resource,
            scope,
            $"&resourceVersion={Uri.EscapeDataString(resourceVersion)}",
            duration,
            cancellationToken
        );

    /// <summary>
    /// Opens a streaming list: a watch that first sends all that exists, at least as new as this moment, then a line of
    /// type <see cref="WatchLineType.InitialEventsEnd"/>, and goes on as a watch. A server that has none says
    /// <see cref="KubeFailureKind.Invalid"/> (off by default before Kubernetes 1.34; one that knows neither parameter
    /// refuses resourceVersionMatch on a watch).
    /// </summary>
    public Task<WatchReader<T>> StreamListAsync<T>(
        KubeResource<T> resource,
        WatchScope scope,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject =>
        OpenAsync(
            resource,
            scope,
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            duration,
            cancellationToken
        );

    /// <summary>
    /// Merge-patches an object. The patch must carry <c>metadata.resourceVersion</c>: a merge patch replaces whole
    /// lists, so without it another writer's change would be lost.
    /// </summary>
    /// <returns>The object as stored.</returns>
    public Task<T> PatchAsync<T>(
        KubeResource<T> resource,
        NamespacedName key,
        ReadOnlyMemory<byte> mergePatch,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject =>
        PatchAsync(resource, resource.ObjectPath(key), mergePatch, cancellationToken);

    /// <summary>
    /// Merge-patches the status subresource, as
    /// <see cref="PatchAsync{T}(KubeResource{T}, NamespacedName, ReadOnlyMemory{byte}, CancellationToken)"/> does an
    /// object.
    /// </summary>
    /// <returns>The object as stored.</returns>
    public Task<T> PatchStatusAsync<T>(
        KubeResource<T> resource,
        NamespacedName key,
        ReadOnlyMemory<byte> mergePatch,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject =>
        PatchAsync(resource, resource.ObjectPath(key) + "/status", mergePatch, cancellationToken);

    /// <summary>Reads a document of the server's own, such as <c>/openapi/v3/…</c> or <c>/version</c>.</summary>
    public Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) =>
        CallAsync(HttpMethod.Get, path, content: null, ApiHandler.Wanted.Document, cancellationToken);

    public void Dispose() => _transport.Dispose();

    private async Task<WatchReader<T>> OpenAsync<T>(
        KubeResource<T> resource,
        WatchScope scope,
        string from,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject
    {
        var query = $"?watch=1&allowWatchBookmarks=true{from}{scope.Query}&timeoutSeconds={(int)duration.TotalSeconds}";
        var response = await SendAsync(
            HttpMethod.Get,
            resource.CollectionPath(scope.Namespace) + query,
            content: null,
            ApiHandler.Wanted.Watch,
            cancellationToken
        );
        try
        {
            var lines = new LineReader(await response.Content.ReadAsStreamAsync(cancellationToken), MaxLine);
            var stream = new WatchReader<T>(response, lines, resource, _time, duration + WatchGrace);
            response = null;
            return stream;
        }
        finally
        {
            response?.Dispose();
        }
    }

    private async Task<T> PatchAsync<T>(
        KubeResource<T> resource,
        string path,
        ReadOnlyMemory<byte> mergePatch,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject
    {
        using var content = new ReadOnlyMemoryContent(mergePatch);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/merge-patch+json");
        return ReadObject(
            await CallAsync(HttpMethod.Patch, path, content, ApiHandler.Wanted.Object, cancellationToken),
            resource,
            $"PATCH {path}"
        );
    }

    private async Task<byte[]> CallAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        ApiHandler.Wanted wanted,
        CancellationToken cancellationToken
    )
    {
        using var response = await SendAsync(method, path, content, wanted, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken); // it is in a buffer
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        ApiHandler.Wanted wanted,
        CancellationToken cancellationToken
    )
    {
        var client = await _transport.GetAsync(cancellationToken);
        // The base ends with a slash. A request of one's own does not take the client's default version.
        using var request = new HttpRequestMessage(method, new Uri(client.BaseUri.AbsoluteUri + path[1..]))
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Options.Set(ApiHandler.Wants, wanted);
        // The handler takes the name to expect from here, and overwrites TargetHost
        request.Headers.Host = _connection.TlsServerName;
        if (client.Credentials is { } credentials)
            await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        return await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static T ReadObject<T>(byte[] body, KubeResource<T> resource, string operation)
        where T : class, IKubernetesObject
    {
        var (item, bad) = ObjectReader.ReadObject(body, resource);
        return item ?? throw new KubeApiException(KubeFailureKind.Transient, $"{operation}: the answer {bad?.Problem}");
    }
}
