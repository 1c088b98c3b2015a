using System.Globalization;
using System.Text.RegularExpressions;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace Integration.Tests.Chaos;

/// <summary>
/// Which key was ever declared for a bucket, and since when. Key numbers only grow, so a document at the vendor tells
/// which declaration it comes from.
/// </summary>
internal sealed partial class Declarations
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<(int Key, DateTimeOffset Since)>> _byBucket = new(StringComparer.Ordinal);
    private int _lastKey;

    public IReadOnlyList<string> Buckets
    {
        get
        {
            lock (_gate)
                return [.. _byBucket.Keys];
        }
    }

    /// <summary>Changes declared so far.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _lastKey;
        }
    }

    /// <summary>
    /// Notes a new key for the bucket, before it is declared: an apply without an answer may have been taken.
    /// </summary>
    public int Next(string bucket)
    {
        lock (_gate)
        {
            if (!_byBucket.TryGetValue(bucket, out var keys))
                _byBucket[bucket] = keys = [];
            keys.Add((++_lastKey, TimeProvider.System.GetUtcNow()));
            return _lastKey;
        }
    }

    public static string Encryption(int key) => $"{{algorithm: KMS, kmsKey: {{id: {KeyId(key)}}}}}";

    public static string KeyId(int key) => $"key-{key}";

    /// <summary>
    /// What is wrong with these requests, in their order: a write of what nobody had declared by then, a way back
    /// behind a newer declaration that was written already, a removal, or the same document written more often than
    /// <paramref name="mostWrites"/>.
    /// </summary>
    /// <param name="since">
    /// Number of the last request that was judged before; what came earlier still says what was written.
    /// </param>
    public IEnumerable<string> Wrongs(IEnumerable<RecordedRequest> requests, long since, int mostWrites)
    {
        var written = new Dictionary<string, (int Key, int Times)>(StringComparer.Ordinal);
        foreach (
            var request in requests.Where(r =>
                r is { Operation: Operations.Put or Operations.Delete, Bucket: not null, Status: >= 200 and < 300 }
            )
        )
        {
            var bucket = request.Bucket ?? "";
            var key = Key().Match(request.Body) is { Success: true } match
                ? int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture)
                : 0;
            var (last, times) = written.GetValueOrDefault(bucket);
            times = key == last ? times + 1 : 1;
            written[bucket] = (key, times);
            if (request.Sequence <= since)
                continue;
            if (!WasDeclared(bucket, key, request.Time))
                yield return $"{bucket}: {request.Operation} of key {key} at {request.Time:O}, which nobody had "
                    + "declared";
            if (key < last)
                yield return $"{bucket}: key {key} written after key {last}";
            if (times > mostWrites)
                yield return $"{bucket}: key {key} written {times} times";
        }
    }

    private bool WasDeclared(string bucket, int key, DateTimeOffset by)
    {
        lock (_gate)
            return _byBucket.TryGetValue(bucket, out var keys) && keys.Exists(k => k.Key == key && k.Since <= by);
    }

    [GeneratedRegex(
        "<KMSMasterKeyID>key-(?<number>[0-9]+)</KMSMasterKeyID>",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Key();
}
