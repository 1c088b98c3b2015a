using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.Alibaba;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// Sends signed requests to a simulator. It signs with the simulator's own functions, so it proves nothing about them:
/// the published vectors (OssSignatureTests) and the vendor's own client (tests/interop) do.
/// </summary>
internal sealed class OssTestClient(Uri simulator, TimeProvider clock) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = simulator };

    public static string Rule(string algorithm, string more = "") =>
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>"
        + $"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{more}"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    public Task<StoreTestAnswer> PutAsync(string xml, OssTestRequest? like = null) =>
        SendAsync((like ?? new OssTestRequest()) with { Method = HttpMethod.Put, Body = xml });

    public Task<StoreTestAnswer> GetAsync(OssTestRequest? like = null) =>
        SendAsync((like ?? new OssTestRequest()) with { Method = HttpMethod.Get });

    public Task<StoreTestAnswer> DeleteAsync(OssTestRequest? like = null) =>
        SendAsync((like ?? new OssTestRequest()) with { Method = HttpMethod.Delete });

    public async Task<StoreTestAnswer> SendAsync(OssTestRequest request, CancellationToken cancellationToken = default)
    {
        using HttpRequestMessage message = Sign(request);
        return await StoreTestAnswer.SendAsync(_http, message, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351", Justification = "Content-MD5 is MD5.")]
    private HttpRequestMessage Sign(OssTestRequest request)
    {
        DateTimeOffset now = clock.GetUtcNow() + request.ClockOff;
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal);
        if (request.V4)
        {
            headers["x-oss-date"] = now.UtcDateTime.ToString(OssSignatureV4.TimeFormat);
            headers["x-oss-content-sha256"] = OssSignatureV4.UnsignedPayload;
        }
        else
        {
            headers["x-oss-date"] = now.ToString("r");
        }

        if (request.Token is { } token)
        {
            headers["x-oss-security-token"] = token;
        }

        if (request.Body is { } body)
        {
            headers["content-type"] = "application/xml";
            headers["content-md5"] =
                request.ContentMd5 ?? Convert.ToBase64String(MD5.HashData(Encoding.UTF8.GetBytes(body)));
        }

        foreach ((string name, string value) in request.ExtraHeaders)
        {
            headers[name] = value;
        }

        string? authorization = request.Authorization is { } own
            ? own.Length == 0
                ? null
                : own
            : Authorization(request, headers.ToImmutableSortedDictionary(StringComparer.Ordinal), now);
        HttpRequestMessage message = new(request.Method, new Uri(request.Target, UriKind.Relative))
        {
            Content = request.Body is null ? null : new StringContent(request.Body),
        };
        message.Content?.Headers.Remove("content-type");
        message.Headers.Host = request.Host;
        foreach ((string name, string value) in request.ChangedAfterSigning)
        {
            headers[name] = value;
        }

        foreach ((string name, string value) in headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (authorization is not null)
        {
            message.Headers.TryAddWithoutValidation("authorization", authorization);
        }

        return message;
    }

    private static string Authorization(
        OssTestRequest request,
        ImmutableSortedDictionary<string, string> headers,
        DateTimeOffset now
    )
    {
        StoreAddress address = StoreAddress.Parse(OssHosts.Rules, request.Host, request.Target);
        if (!request.V4)
        {
            string toSign = OssSignatureV1.StringToSign(request.Method.Method, address, headers);
            return $"OSS {request.KeyId}:{OssSignatureV1.Sign(request.Secret, toSign)}";
        }

        OssScope scope = new(
            request.ScopeDate ?? now.UtcDateTime.ToString("yyyyMMdd"),
            request.Region,
            request.Product
        );
        string canonical = OssSignatureV4.CanonicalRequest(request.Method.Method, address, headers, []);
        string signature = OssSignatureV4.Sign(
            request.Secret,
            scope,
            OssSignatureV4.StringToSign(headers["x-oss-date"], scope, canonical)
        );
        return $"{OssSignatureV4.Algorithm} Credential={request.KeyId}/{scope},Signature={signature}";
    }
}

/// <summary>A right request; a test changes what it is about.</summary>
internal sealed record OssTestRequest
{
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    public string Host { get; init; } = "b-one.oss-cn-hangzhou.aliyuncs.com";

    public string Target { get; init; } = "/?encryption";

    public string? Body { get; init; }

    public string? ContentMd5 { get; init; }

    public bool V4 { get; init; } = true;

    public string KeyId { get; init; } = "ak";

    public string Secret { get; init; } = "sk";

    public string? Token { get; init; }

    public string Region { get; init; } = "cn-hangzhou";

    public string Product { get; init; } = "oss";

    public string? ScopeDate { get; init; }

    public TimeSpan ClockOff { get; init; }

    /// <summary>In place of a signature; empty sends none.</summary>
    public string? Authorization { get; init; }

    public ImmutableDictionary<string, string> ChangedAfterSigning { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    public ImmutableDictionary<string, string> ExtraHeaders { get; init; } = ImmutableDictionary<string, string>.Empty;
}
