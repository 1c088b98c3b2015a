using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>
/// As much of an API server as the operator writes to, behind loopback: get of a Secret, and merge patches of a
/// policy's status and of its finalizers, bound to its resourceVersion. Faults at chosen requests.
/// </summary>
internal sealed class KubernetesFake : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonObject> _secrets = new(StringComparer.Ordinal);
    private readonly List<string> _requests = [];
    private readonly ScriptedServer? _server;
    private readonly TimeProvider _time;
    private int _version = 100;

    /// <param name="inProcess">
    /// Without a network: a request has its answer before the client's call returns. For tests that make very many.
    /// </param>
    public KubernetesFake(TimeProvider time, bool inProcess = false)
    {
        _time = time;
        if (inProcess)
        {
            Client = new KubeClient(
                new KubeConnection(new Uri("http://in-process.test")),
                "test/1.0",
                time,
                around: () => new InProcess(Serve)
            );
            return;
        }
        _server = new ScriptedServer(Serve);
        Client = new KubeClient(new KubeConnection(_server.Address), "test/1.0", time);
    }

    public KubeClient Client { get; }

    /// <summary>From the number of the request, from 1, and its first line; null for no fault.</summary>
    public Func<int, string, Reply?> Faults { get; set; } = (_, _) => null;

    /// <summary>As <see cref="Faults"/>, for a request that has been carried out and whose answer is lost.</summary>
    public Func<string, Reply?> LostAnswers { get; set; } = _ => null;

    /// <summary>
    /// Called with the first line of each request and the status of its answer, when its effect, if any, is there.
    /// </summary>
    public Action<string, int> Served { get; set; } = (_, _) => { };

    /// <summary>First lines, without the version.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    public static Reply Status(int code, string reason) =>
        ScriptedServer.Answer(
            code,
            $$"""
            {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "{{reason}}",
            "reason": "{{reason}}", "code": {{code}}}
            """,
            "Content-Type: application/json"
        );

    /// <summary>As the API server says it of an object: with its name.</summary>
    private static Reply NotFound(string path)
    {
        var name = (path.EndsWith("/status", StringComparison.Ordinal) ? path[..^"/status".Length] : path).Split('/')[
            ^1
        ];
        return ScriptedServer.Answer(
            404,
            $$$"""
            {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "not found",
            "reason": "NotFound", "details": {"name": "{{{name}}}"}, "code": 404}
            """,
            "Content-Type: application/json"
        );
    }

    /// <summary>Stores a policy as a user would: a new version, the status as it was.</summary>
    public BucketEncryptionPolicy Put(BucketEncryptionPolicy policy)
    {
        lock (_gate)
        {
            var path = ApiResources.Policies.ObjectPath(policy.Metadata.Key);
            var status = _objects.GetValueOrDefault(path)?["status"]?.DeepClone();
            var node = JsonSerializer
                .SerializeToNode(policy, ApiJsonContext.Default.BucketEncryptionPolicy)!
                .AsObject();
            node["status"] = status ?? node["status"]?.DeepClone();
            return Policy(Store(path, node));
        }
    }

    /// <summary>Stores a store as a user would: a new version, the status as it was.</summary>
    public T Put<T>(KubeResource<T> resource, T store)
        where T : class, IStore
    {
        lock (_gate)
        {
            var path = resource.ObjectPath(store.Metadata.Key);
            var node = JsonSerializer.SerializeToNode(store, resource.ObjectType)!.AsObject();
            node["status"] = _objects.GetValueOrDefault(path)?["status"]?.DeepClone() ?? node["status"]?.DeepClone();
            return Store(path, node).Deserialize(resource.ObjectType)!;
        }
    }

    public T Read<T>(KubeResource<T> resource, NamespacedName store)
        where T : class, IStore
    {
        lock (_gate)
            return _objects[resource.ObjectPath(store)].Deserialize(resource.ObjectType)!;
    }

    /// <summary>Gone at once, or marked as deleted while a finalizer is there.</summary>
    public void Delete(NamespacedName policy)
    {
        lock (_gate)
        {
            var path = ApiResources.Policies.ObjectPath(policy);
            if (!_objects.TryGetValue(path, out var stored))
                return;
            if (stored["metadata"]?["finalizers"] is not JsonArray { Count: > 0 })
            {
                _objects.Remove(path);
                return;
            }
            var marked = stored.DeepClone().AsObject();
            marked["metadata"]!["deletionTimestamp"] ??= _time
                .GetUtcNow()
                .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            Store(path, marked);
        }
    }

    public IReadOnlyList<BucketEncryptionPolicy> Policies => Since(_ => null);

    public IReadOnlyList<NamespacedName> Keys
    {
        get
        {
            lock (_gate)
                return [.. StoredPolicies.Select(KeyOf)];
        }
    }

    /// <summary>What has another version than the one that is known.</summary>
    public IReadOnlyList<BucketEncryptionPolicy> Since(Func<NamespacedName, string?> known)
    {
        lock (_gate)
        {
            return [.. StoredPolicies.Where(p => known(KeyOf(p)) != Text(p, "resourceVersion")).Select(Policy)];
        }
    }

    private IEnumerable<JsonObject> StoredPolicies =>
        _objects
            .Where(o => o.Key.Contains($"/{ApiResources.Policies.Plural}/", StringComparison.Ordinal))
            .Select(o => o.Value);

    private static NamespacedName KeyOf(JsonObject policy) => new(Text(policy, "namespace"), Text(policy, "name"));

    private static string Text(JsonObject policy, string field) => policy["metadata"]?[field]?.GetValue<string>() ?? "";

    /// <summary>As a backup that is played back, or somebody who replaces the status, leaves it.</summary>
    public BucketEncryptionPolicy LoseStatus(NamespacedName policy)
    {
        lock (_gate)
        {
            var path = ApiResources.Policies.ObjectPath(policy);
            var node = _objects[path].DeepClone().AsObject();
            node.Remove("status");
            return Policy(Store(path, node));
        }
    }

    public BucketEncryptionPolicy Read(NamespacedName policy) =>
        Find(policy) ?? throw new InvalidOperationException($"there is no policy {policy}");

    public BucketEncryptionPolicy? Find(NamespacedName policy)
    {
        lock (_gate)
            return _objects.GetValueOrDefault(ApiResources.Policies.ObjectPath(policy)) is { } found
                ? Policy(found)
                : null;
    }

    public void PutSecret(NamespacedName name, params (string Name, string Value)[] data)
    {
        lock (_gate)
        {
            _secrets[SecretPath(name)] = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = name.Name,
                    ["namespace"] = name.Namespace,
                    ["uid"] = "u",
                    ["resourceVersion"] = NextVersion(),
                },
                ["data"] = new JsonObject(
                    data.Select(d =>
                        KeyValuePair.Create(
                            d.Name,
                            (JsonNode?)Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(d.Value))
                        )
                    )
                ),
            };
        }
    }

    public static string SecretPath(NamespacedName name) => $"/api/v1/namespaces/{name.Namespace}/secrets/{name.Name}";

    public void RemoveSecret(NamespacedName name)
    {
        lock (_gate)
            _secrets.Remove(SecretPath(name));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private Reply Serve(string request)
    {
        var line = request[..request.IndexOf(" HTTP/", StringComparison.Ordinal)];
        var body = request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        lock (_gate)
        {
            _requests.Add(line);
            if (Faults(_requests.Count, line) is { } fault)
                return fault;
            var path = line[(line.IndexOf(' ') + 1)..];
            var reply =
                line.StartsWith("GET ", StringComparison.Ordinal) && _secrets.TryGetValue(path, out var secret)
                    ? Ok(secret)
                : line.StartsWith("PATCH ", StringComparison.Ordinal)
                && path.EndsWith("/status", StringComparison.Ordinal)
                && _objects.ContainsKey(path[..^"/status".Length])
                    ? Patch(path[..^"/status".Length], JsonNode.Parse(body)!.AsObject(), ofStatus: true)
                : line.StartsWith("PATCH ", StringComparison.Ordinal) && _objects.ContainsKey(path)
                    ? Patch(path, JsonNode.Parse(body)!.AsObject(), ofStatus: false)
                : NotFound(path);
            Served(line, InProcess.StatusOf(reply));
            return LostAnswers(line) ?? reply;
        }
    }

    /// <summary>A patch of the status changes nothing else, and one of the object not the status.</summary>
    private Reply Patch(string path, JsonObject patch, bool ofStatus)
    {
        var stored = _objects[path];
        if (!JsonNode.DeepEquals(patch["metadata"]?["resourceVersion"], stored["metadata"]?["resourceVersion"]))
            return Status(409, "Conflict");
        var next = stored.DeepClone().AsObject();
        if (ofStatus)
            next["status"] = Merge(next["status"], patch["status"]);
        else
            next["metadata"]!["finalizers"] = patch["metadata"]?["finalizers"]?.DeepClone();
        if (!JsonNode.DeepEquals(next, stored))
            Store(path, next);
        var written = _objects[path];
        if (
            written["metadata"]?["deletionTimestamp"] is not null
            && written["metadata"]?["finalizers"] is not JsonArray { Count: > 0 }
        )
            _objects.Remove(path); // the last finalizer has gone
        return Ok(written);
    }

    private JsonObject Store(string path, JsonObject node)
    {
        node["metadata"]!["resourceVersion"] = NextVersion();
        return _objects[path] = node;
    }

    private static BucketEncryptionPolicy Policy(JsonObject node) =>
        node.Deserialize(ApiJsonContext.Default.BucketEncryptionPolicy)!;

    /// <summary>RFC 7386.</summary>
    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var merged = target?.DeepClone() as JsonObject ?? [];
        foreach (var (name, value) in changes)
        {
            if (value is null)
                merged.Remove(name);
            else
                merged[name] = Merge(merged[name], value);
        }
        return merged;
    }

    private static Reply Ok(JsonObject body) =>
        ScriptedServer.Answer(200, body.ToJsonString(), "Content-Type: application/json");

    private string NextVersion() => (++_version).ToString(CultureInfo.InvariantCulture);

    /// <summary>Answers a client's requests on the caller's thread.</summary>
    private sealed class InProcess(Func<string, Reply> serve) : DelegatingHandler
    {
        public static int StatusOf(Reply reply) =>
            reply is Reply.Bytes { Text: var text }
                ? int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), NumberStyles.None, CultureInfo.InvariantCulture)
                : 0;

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var body = request.Content is { } content
                ? new StreamReader(content.ReadAsStream(cancellationToken))
                : null;
            var reply = serve(
                $"{request.Method} {request.RequestUri!.PathAndQuery} HTTP/1.1\r\n\r\n{body?.ReadToEnd()}"
            );
            if (reply is not Reply.Bytes { Text: var text })
                throw new HttpRequestException("the connection was reset");
            var response = new HttpResponseMessage((System.Net.HttpStatusCode)StatusOf(reply))
            {
                RequestMessage = request,
                Content = new StringContent(text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]),
            };
            return Task.FromResult(response);
        }
    }
}
