using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using ObjectStoreSimulator.Alibaba;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// Sends signed requests to a simulator. It signs with the simulator's own functions, so it proves nothing about them: the published vectors
/// (OssSignatureTests) and the vendor's own client (tests/interop) do.
/// </summary>
internal sealed class OssTestClient(Uri simulator, TimeProvider clock) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = simulator };

    public static string Rule(string algorithm, string more = "") =>
        $"<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>{more}</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    public Task<OssTestAnswer> PutAsync(string xml, OssTestRequest? like = null) =>
        SendAsync((like ?? new OssTestRequest()) with { Method = HttpMethod.Put, Body = xml });

    public Task<OssTestAnswer> GetAsync(OssTestRequest? like = null) => SendAsync((like ?? new OssTestRequest()) with { Method = HttpMethod.Get });

    public Task<OssTestAnswer> DeleteAsync(OssTestRequest? like = null) => SendAsync((like ?? new OssTestRequest()) with { Method = HttpMethod.Delete });

    public async Task<OssTestAnswer> SendAsync(OssTestRequest request, CancellationToken cancellationToken = default)
    {
        using HttpRequestMessage message = Sign(request);
        using HttpResponseMessage response = await _http.SendAsync(message, cancellationToken);
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        return new OssTestAnswer(
            response.StatusCode,
            body,
            response.Headers.Concat(response.Content.Headers).ToImmutableDictionary(header => header.Key, header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase));
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
            headers["content-md5"] = request.ContentMd5 ?? Convert.ToBase64String(MD5.HashData(Encoding.UTF8.GetBytes(body)));
        }

        foreach ((string name, string value) in request.ExtraHeaders)
        {
            headers[name] = value;
        }

        string? authorization = request.Authorization is { } own ? own.Length == 0 ? null : own : Authorization(request, headers.ToImmutableSortedDictionary(StringComparer.Ordinal), now);
        HttpRequestMessage message = new(request.Method, new Uri(request.Target, UriKind.Relative)) { Content = request.Body is null ? null : new StringContent(request.Body) };
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

    private static string Authorization(OssTestRequest request, ImmutableSortedDictionary<string, string> headers, DateTimeOffset now)
    {
        StoreAddress address = StoreAddress.Parse(OssHosts.Rules, request.Host, request.Target);
        if (!request.V4)
        {
            return $"OSS {request.KeyId}:{OssSignatureV1.Sign(request.Secret, OssSignatureV1.StringToSign(request.Method.Method, address, headers))}";
        }

        OssScope scope = new(request.ScopeDate ?? now.UtcDateTime.ToString("yyyyMMdd"), request.Region, request.Product);
        string canonical = OssSignatureV4.CanonicalRequest(request.Method.Method, address, headers, []);
        string signature = OssSignatureV4.Sign(request.Secret, scope, OssSignatureV4.StringToSign(headers["x-oss-date"], scope, canonical));
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

    public ImmutableDictionary<string, string> ChangedAfterSigning { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableDictionary<string, string> ExtraHeaders { get; init; } = ImmutableDictionary<string, string>.Empty;
}

internal sealed record OssTestAnswer(HttpStatusCode Status, string Body, ImmutableDictionary<string, string> Headers)
{
    public XElement Xml => XElement.Parse(Body);

    public string? Code => Element("Code");

    public string? Ec => Element("EC");

    public string? Element(string localName) => Body.Length == 0 ? null : Xml.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == localName)?.Value;

    public void AssertIs(int status, string? code)
    {
        Assert.Equal((status, code), ((int)Status, Code));
    }
}
