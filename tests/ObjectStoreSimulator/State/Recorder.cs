using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;

namespace ObjectStoreSimulator.State;

/// <summary>
/// The last requests, for comparison with golden files. Signatures and tokens are replaced by <c>***</c> before
/// anything is kept.
/// </summary>
internal sealed partial class Recorder(int limit)
{
    private readonly Lock _lock = new();
    private readonly Queue<Entry> _requests = [];
    private long _sequence;

    public ImmutableArray<RecordedRequest> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests.Select(entry => entry.Request)];
            }
        }
    }

    public Entry Add(StoreCall call, DateTimeOffset now, int clientPort)
    {
        StoreRequest request = call.Request;
        ImmutableArray<KeyValuePair<string, string>> headers =
        [
            .. request.Headers.Select(header => KeyValuePair.Create(header.Key, Masked(header.Key, header.Value))),
        ];
        lock (_lock)
        {
            Entry entry = new(
                new RecordedRequest(
                    ++_sequence,
                    now,
                    request.Method,
                    request.Host,
                    QueryValue().Replace(request.RawTarget, "${kept}***"),
                    headers,
                    TokenValue().Replace(Encoding.UTF8.GetString(request.Body.Span), "${kept}***"),
                    call.Bucket,
                    call.Operation,
                    call.AccessKeyId,
                    clientPort,
                    call.KmsKey
                )
            );
            _requests.Enqueue(entry);
            if (_requests.Count > limit)
            {
                _requests.Dequeue();
            }

            return entry;
        }
    }

    /// <summary>Notes the answer that was decided, sent whole or not.</summary>
    public void Answered(Entry entry, StoreAnswer answer)
    {
        lock (_lock)
        {
            entry.Request = entry.Request with { Status = answer.Status, Code = answer.ErrorCode };
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _requests.Clear();
        }
    }

    private static string Masked(string header, string value) =>
        header switch
        {
            "authorization" => SignatureValue().IsMatch(value) ? SignatureValue().Replace(value, "${kept}***") : "***",
            _ when header.EndsWith("-security-token", StringComparison.Ordinal)
                    || header == "x-aliyun-ecs-metadata-token" => "***",
            _ => value,
        };

    /// <summary><c>Signature=hex</c> of the V4 schemes, and <c>scheme id:base64</c> of the older ones.</summary>
    [GeneratedRegex(
        @"(?<kept>Signature=|^\S+\s+[^:,=\s]+:)[^,\s]*",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex SignatureValue();

    /// <summary>The proof in a request for temporary keys, and what is secret in a form of an RPC service.</summary>
    [GeneratedRegex(
        @"(?<kept>(^|&)((OIDC|WebIdentity|Security)Token|Signature)=)[^&]*",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex TokenValue();

    /// <summary>Alibaba Cloud's RPC services have the signature and the token among the parameters.</summary>
    [GeneratedRegex(
        @"(?<kept>[?&](Signature|SecurityToken)=)[^&]*",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex QueryValue();

    internal sealed class Entry(RecordedRequest request)
    {
        public RecordedRequest Request { get; set; } = request;
    }
}

/// <summary>
/// Header names are lower case and sorted. <see cref="ClientPort"/> tells apart several clients with the same key.
/// <see cref="Status"/> is null while the request is not decided, and forever if it never was.
/// </summary>
internal sealed record RecordedRequest(
    long Sequence,
    DateTimeOffset Time,
    string Method,
    string Host,
    string Target,
    ImmutableArray<KeyValuePair<string, string>> Headers,
    string Body,
    string? Bucket,
    string Operation,
    string? AccessKeyId,
    int ClientPort,
    string? KmsKey = null,
    int? Status = null,
    string? Code = null
);
