using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator;
using ObjectStoreSimulator.Huawei;
using ObjectStoreSimulator.S3;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// Sends signed requests to a simulator of Huawei, JD Cloud or S3. It signs with the simulator's own functions, so it
/// proves nothing about them: the published vectors and the vendors' own clients (tests/interop) do.
/// </summary>
internal sealed class StoreTestClient(Uri simulator, TimeProvider clock) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        BaseAddress = simulator,
    };

    public static string Configuration(string algorithm, string more = "", string beside = "") =>
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
        + $"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{more}</ApplyServerSideEncryptionByDefault>{beside}</Rule>"
        + "</ServerSideEncryptionConfiguration>";

    public Task<StoreTestAnswer> PutAsync(string xml, StoreTestRequest like) =>
        SendAsync(like with { Method = HttpMethod.Put, Body = xml });

    public Task<StoreTestAnswer> GetAsync(StoreTestRequest like) => SendAsync(like with { Method = HttpMethod.Get });

    public Task<StoreTestAnswer> DeleteAsync(StoreTestRequest like) =>
        SendAsync(like with { Method = HttpMethod.Delete });

    public async Task<StoreTestAnswer> SendAsync(StoreTestRequest request)
    {
        ImmutableSortedDictionary<string, string> headers = request.Words is null ? ForSigV4(request) : ForObs(request);
        string authorization =
            request.Authorization ?? (request.Words is null ? SigV4(request, headers) : Obs(request, headers));
        using HttpRequestMessage message = new(request.Method, new Uri(request.Target, UriKind.Relative))
        {
            Content = request.Body is null ? null : new StringContent(request.Body),
        };
        message.Content?.Headers.Remove("content-type");
        message.Headers.Host = request.Host;
        foreach (
            (string name, string value) in headers
                .SetItems(request.ChangedAfterSigning)
                .Add("authorization", authorization)
        )
        {
            if (name != "host" && !message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await StoreTestAnswer.SendAsync(_http, message, CancellationToken.None);
    }

    public void Dispose() => _http.Dispose();

    private ImmutableSortedDictionary<string, string> ForObs(StoreTestRequest request)
    {
        ImmutableSortedDictionary<string, string> headers = request.Headers.Add(
            "date",
            (clock.GetUtcNow() + request.ClockOff).ToString("r")
        );
        return request.Token is { } token
            ? headers.Add(request.Words!.HeaderPrefix + "security-token", token)
            : headers;
    }

    private static string Obs(StoreTestRequest request, ImmutableSortedDictionary<string, string> headers)
    {
        StoreAddress address = StoreAddress.Parse(
            HuaweiDialect.Hosts,
            request.Host,
            request.Target,
            domain => domain == request.CustomDomain ? "" : null
        );
        string toSign = ObsSignature.StringToSign(request.Words!, request.Method.Method, address, headers);
        return $"{request.Words!.Scheme} {request.KeyId}:{ObsSignature.Sign(request.Secret, toSign)}";
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351", Justification = "Content-MD5 is MD5.")]
    private ImmutableSortedDictionary<string, string> ForSigV4(StoreTestRequest request)
    {
        byte[] body = Encoding.UTF8.GetBytes(request.Body ?? "");
        ImmutableSortedDictionary<string, string> headers = request
            .Headers.Add("host", request.Host)
            .Add("x-amz-date", (clock.GetUtcNow() + request.ClockOff).UtcDateTime.ToString(SigV4Signature.TimeFormat));
        headers = headers.ContainsKey("x-amz-content-sha256")
            ? headers
            : headers.Add("x-amz-content-sha256", Convert.ToHexStringLower(SHA256.HashData(body)));
        headers =
            request.Body is not null && request.Md5
                ? headers.Add("content-md5", Convert.ToBase64String(MD5.HashData(body)))
                : headers;
        return request.Token is { } token ? headers.Add("x-amz-security-token", token) : headers;
    }

    private static string SigV4(StoreTestRequest request, ImmutableSortedDictionary<string, string> headers)
    {
        SigV4Scope scope = new(request.ScopeDate ?? headers["x-amz-date"][..8], request.Region, request.Service);
        ImmutableArray<string> signed = [.. headers.Keys.Where(name => !request.Unsigned.Contains(name))];
        StoreAddress address = StoreAddress.Parse(S3Hosts.Rules, request.Host, request.Target);
        StoreRequest asSeen = new(
            request.Method.Method,
            request.Host,
            request.Target,
            headers,
            ReadOnlyMemory<byte>.Empty,
            BodyTooLarge: false
        );
        string canonical = SigV4Signature.CanonicalRequest(asSeen, address, signed);
        string signature = SigV4Signature.Sign(
            request.Secret,
            scope,
            SigV4Signature.StringToSign(headers["x-amz-date"], scope, canonical)
        );
        return $"{SigV4Signature.Algorithm} Credential={request.KeyId}/{scope}, "
            + $"SignedHeaders={string.Join(';', signed)}, Signature={signature}";
    }
}

/// <summary>A right request; a test changes what it is about.</summary>
internal sealed record StoreTestRequest(string Host, string Region)
{
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    public string Target { get; init; } = "/?encryption";

    public string? Body { get; init; }

    /// <summary>OBS's signature, or AWS's V2 in its place. Null: Signature V4.</summary>
    public ObsWords? Words { get; init; }

    public string Service { get; init; } = "s3";

    public string KeyId { get; init; } = "ak";

    public string Secret { get; init; } = "sk";

    public string? Token { get; init; }

    public string? CustomDomain { get; init; }

    public string? ScopeDate { get; init; }

    public TimeSpan ClockOff { get; init; }

    /// <summary>A body goes with its Content-MD5 (Signature V4).</summary>
    public bool Md5 { get; init; } = true;

    /// <summary>Names that are sent and not signed (Signature V4).</summary>
    public ImmutableHashSet<string> Unsigned { get; init; } = [];

    /// <summary>In place of a signature.</summary>
    public string? Authorization { get; init; }

    /// <summary>Further headers, signed.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty.WithComparers(StringComparer.Ordinal);

    public ImmutableDictionary<string, string> ChangedAfterSigning { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    public StoreTestRequest With(string header, string value) => this with { Headers = Headers.Add(header, value) };

    public StoreTestRequest Changed(string header, string value) =>
        this with
        {
            ChangedAfterSigning = ChangedAfterSigning.Add(header, value),
        };
}
