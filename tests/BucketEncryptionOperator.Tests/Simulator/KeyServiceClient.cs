using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ObjectStoreSimulator;
using ObjectStoreSimulator.KeyServices;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// Asks a simulated key service, signed with the simulator's own functions: the published vectors and the vendors' own
/// clients (tests/interop) prove those.
/// </summary>
internal sealed class KeyServiceClient(SimulatorServer server, Vendor vendor, TimeProvider clock) : IDisposable
{
    private const string Region = "cn-north-1";

    private static readonly HostRules Anywhere = new(
        [],
        new Regex("^$", RegexOptions.None, TimeSpan.FromSeconds(1)),
        true
    );

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        BaseAddress = server.Url,
    };

    private int _nonces;

    public async Task<(int Status, string Body, HttpResponseMessage Answer)> DescribeAsync(KeyQuestionOf like)
    {
        (HttpMethod method, string target, string body) = vendor switch
        {
            Vendor.AlibabaOSS => (HttpMethod.Post, Rpc(like), ""),
            Vendor.HuaweiOBS => (
                HttpMethod.Post,
                $"/v1.0/{like.Project}/kms/describe-key",
                $$"""{"key_id":"{{like.Key}}"}"""
            ),
            Vendor.JDCloudOSS => (HttpMethod.Get, $"/v1/key/{like.Key}", ""),
            Vendor.S3 => (HttpMethod.Post, "/", $$"""{"KeyId":"{{like.Key}}"}"""),
            _ => (HttpMethod.Get, $"/minio/kms/v1/key/status?key-id={like.Key}", ""),
        };
        return await SendAsync(method, target, body, like);
    }

    public void Dispose() => _http.Dispose();

    private async Task<(int Status, string Body, HttpResponseMessage Answer)> SendAsync(
        HttpMethod method,
        string target,
        string body,
        KeyQuestionOf like
    )
    {
        using HttpRequestMessage message = new(method, new Uri(target, UriKind.Relative));
        if (method == HttpMethod.Post)
        {
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        }

        message.Headers.Host = like.Host;
        foreach ((string name, string value) in Headers(method, target, body, like))
        {
            if (name != "host" && !message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        HttpResponseMessage answer = await _http.SendAsync(message);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    private IEnumerable<KeyValuePair<string, string>> Headers(
        HttpMethod method,
        string target,
        string body,
        KeyQuestionOf like
    )
    {
        DateTimeOffset now = clock.GetUtcNow() + like.ClockOff;
        string time = now.UtcDateTime.ToString(SigV4Signature.TimeFormat, CultureInfo.InvariantCulture);
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        string nonce = Nonce(like);
        SigV4Scope scope = new(time[..8], like.Region ?? Region, "kms");
        ImmutableSortedDictionary<string, string> headers = ImmutableSortedDictionary
            .Create<string, string>(StringComparer.Ordinal)
            .Add("host", like.Host)
            .AddRange(
                vendor switch
                {
                    Vendor.AlibabaOSS => Acs3(like, nonce, hash, now),
                    Vendor.HuaweiOBS => [new("x-sdk-date", time), new("content-type", "application/json")],
                    Vendor.JDCloudOSS => [new("x-jdcloud-date", time), new("x-jdcloud-nonce", nonce)],
                    Vendor.S3 =>
                    [
                        new("x-amz-date", time),
                        new("x-amz-target", "TrentService." + like.Action),
                        new("content-type", "application/x-amz-json-1.1"),
                    ],
                    _ => (KeyValuePair<string, string>[])[new("x-amz-date", time), new("x-amz-content-sha256", hash)],
                }
            );
        StoreRequest request = new(
            method.Method,
            like.Host,
            target,
            headers,
            Encoding.UTF8.GetBytes(body),
            BodyTooLarge: false
        );
        StoreAddress address = StoreAddress.Parse(Anywhere, like.Host, target);
        ImmutableArray<string> signed = [.. headers.Keys];
        string names = string.Join(';', signed);
        string? authorization = vendor switch
        {
            Vendor.AlibabaOSS when !like.Acs3 => null,
            Vendor.AlibabaOSS => $"ACS3-HMAC-SHA256 Credential={like.Id},SignedHeaders={names},Signature="
                + Acs3Signature.Sign(like.Secret, Acs3Signature.CanonicalRequest(request, address, signed)),
            Vendor.HuaweiOBS => $"SDK-HMAC-SHA256 Access={like.Id}, SignedHeaders={names}, Signature="
                + HuaweiAuthorization.Sign(
                    like.Secret,
                    time,
                    HuaweiAuthorization.CanonicalRequest(request, address, signed)
                ),
            Vendor.JDCloudOSS => "JDCLOUD2-HMAC-SHA256 "
                + $"Credential={like.Id}/{time[..8]}/jdcloud-api/kms/jdcloud2_request, "
                + $"SignedHeaders={names}, Signature="
                + JDCloudAuthorization.Sign(
                    like.Secret,
                    time,
                    scope with
                    {
                        Region = "jdcloud-api",
                    },
                    JDCloudAuthorization.CanonicalRequest(request, address, signed)
                ),
            _ => SigV4(
                like,
                request,
                address,
                signed,
                time,
                vendor == Vendor.S3 ? scope : scope with { Service = "s3" },
                hash
            ),
        };
        return authorization is null ? headers : headers.Add("authorization", authorization);
    }

    private static string SigV4(
        KeyQuestionOf like,
        StoreRequest request,
        StoreAddress address,
        ImmutableArray<string> signed,
        string time,
        SigV4Scope scope,
        string hash
    )
    {
        string canonical = SigV4Signature.CanonicalRequest(request, address, signed, hash);
        string signature = SigV4Signature.Sign(like.Secret, scope, SigV4Signature.StringToSign(time, scope, canonical));
        return $"AWS4-HMAC-SHA256 Credential={like.Id}/{scope}, SignedHeaders={string.Join(';', signed)}, "
            + $"Signature={signature}";
    }

    private static KeyValuePair<string, string>[] Acs3(
        KeyQuestionOf like,
        string nonce,
        string hash,
        DateTimeOffset now
    ) =>
        like.Acs3
            ?
            [
                new("x-acs-action", like.Action),
                new("x-acs-version", AlibabaKms.Version),
                new("x-acs-date", Time(now)),
                new("x-acs-signature-nonce", nonce),
                new("x-acs-content-sha256", hash),
            ]
            : [];

    /// <summary>All in the query, as the vendor's client for Node.js has it; only the key with ACS3.</summary>
    private string Rpc(KeyQuestionOf like)
    {
        string key = $"/?KeyId={Uri.EscapeDataString(like.Key)}";
        if (like.Acs3)
        {
            return key;
        }

        KeyValuePair<string, string>[] parameters =
        [
            new("KeyId", like.Key),
            new("AccessKeyId", like.Id),
            new("Action", like.Action),
            new("Format", "JSON"),
            new("SignatureMethod", "HMAC-SHA1"),
            new("SignatureNonce", Nonce(like)),
            new("SignatureVersion", "1.0"),
            new("Timestamp", Time(clock.GetUtcNow() + like.ClockOff)),
            new("Version", AlibabaKms.Version),
        ];
        string toSign = RpcSignature.StringToSign(
            "POST",
            parameters.ToLookup(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal)
        );
        return "/?"
            + string.Join(
                '&',
                parameters
                    .Append(new("Signature", RpcSignature.Sign(like.Secret, toSign)))
                    .Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}")
            );
    }

    private string Nonce(KeyQuestionOf like) => like.Nonce ?? $"nonce-{++_nonces}";

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>What a test asks; what it does not say is right.</summary>
internal sealed record KeyQuestionOf(string Key)
{
    public string Id { get; init; } = "ak";

    public string Secret { get; init; } = "sk";

    public string Host { get; init; } = "127.0.0.1";

    public string Action { get; init; } = "DescribeKey";

    public string Project { get; init; } = "p-1";

    public string? Region { get; init; }

    public string? Nonce { get; init; }

    public TimeSpan ClockOff { get; init; }

    /// <summary>Alibaba Cloud's other signature.</summary>
    public bool Acs3 { get; init; }
}
