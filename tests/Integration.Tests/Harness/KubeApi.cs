using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using KubeRuntime.Client;

namespace Integration.Tests.Harness;

/// <summary>
/// The API server by plain requests: a process of kubectl for each of a thousand looks would be most of the work of two
/// cores.
/// </summary>
internal sealed class KubeApi : IDisposable
{
    /// <summary>A misspelt field is refused and not dropped.</summary>
    private const string Strict = "fieldValidation=Strict";

    private const string Manager = "fieldManager=scenarios&force=true&" + Strict;

    private readonly HttpClient _http;

    private KubeApi(HttpClient http) => _http = http;

    public static KubeApi Open(string kubeconfig)
    {
        var connection = KubeConfig.Load(kubeconfig, context: null, _ => null, TimeProvider.System);
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(connection.CertificateAuthorities.Current);
        var tls = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        if (connection.ClientCertificate is { } certificate)
            tls.ClientCertificates = [certificate.Current];
        return new KubeApi(
            new HttpClient(new SocketsHttpHandler { SslOptions = tls, EnableMultipleHttp2Connections = true })
            {
                BaseAddress = connection.Server,
            }
        );
    }

    /// <summary>Server-side apply.</summary>
    public Task<(HttpStatusCode Status, JsonNode Body)> ApplyAsync(string path, JsonObject target)
    {
        if (target["metadata"] is not JsonObject meta)
            target["metadata"] = meta = [];
        meta["name"] = path[(path.LastIndexOf('/') + 1)..];
        return SendAsync(HttpMethod.Patch, $"{path}?{Manager}", target, "application/apply-patch+yaml");
    }

    public Task<(HttpStatusCode Status, JsonNode Body)> PatchAsync(string path, JsonObject change) =>
        SendAsync(HttpMethod.Patch, $"{path}?{Strict}", change, "application/merge-patch+json");

    /// <summary>What a creation would answer; nothing is stored.</summary>
    public Task<(HttpStatusCode Status, JsonNode Body)> DryCreateAsync(string path, JsonObject target) =>
        SendAsync(HttpMethod.Post, $"{path}?dryRun=All&{Strict}", target, "application/json");

    public Task<(HttpStatusCode Status, JsonNode Body)> DeleteAsync(string path) =>
        SendAsync(HttpMethod.Delete, path, body: null, contentType: null);

    /// <returns>Null when it is not there.</returns>
    public async Task<JsonNode?> GetAsync(string path, string accept = "application/json")
    {
        var (status, body) = await SendAsync(HttpMethod.Get, path, body: null, contentType: null, accept);
        return status == HttpStatusCode.NotFound ? null : Done(status, body, path);
    }

    public static JsonNode Done(HttpStatusCode status, JsonNode body, string path) =>
        (int)status < 300 ? body : throw new InvalidOperationException($"{path}: {(int)status} {body["message"]}");

    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        string? contentType,
        string accept = "application/json"
    )
    {
        using var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20 };
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, contentType!);
        using var response = await _http.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync()) ?? new JsonObject());
    }
}
