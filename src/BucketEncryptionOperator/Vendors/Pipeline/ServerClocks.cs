using System.Collections.Concurrent;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// How far each endpoint's clock is from ours, as its own <c>Date</c> said when it refused a signature for its time.
/// Signatures are then made for the endpoint's time: a node whose clock is wrong goes on working. In memory only.
/// </summary>
internal sealed class ServerClocks(TimeProvider time)
{
    /// <summary>
    /// A wrong time zone is 14 hours at most. For what is further away a person is called: whoever sets our clock
    /// chooses until when a signature holds.
    /// </summary>
    private static readonly TimeSpan LargestOffset = TimeSpan.FromHours(24);

    /// <summary>Endpoints are as many as stores name; when there are more, the memory is cleared.</summary>
    private const int MaxEndpoints = 1024;

    private readonly ConcurrentDictionary<string, TimeSpan> _offsets = new(StringComparer.OrdinalIgnoreCase);

    public DateTimeOffset Now(Uri endpoint) => time.GetUtcNow() + _offsets.GetValueOrDefault(endpoint.Authority);

    /// <returns>Whether another try may help: the endpoint told its time, and it is one that we take.</returns>
    public bool Correct(Uri endpoint, DateTimeOffset? date)
    {
        if (date is not { } theirs || (theirs - time.GetUtcNow()).Duration() > LargestOffset)
            return false;
        if (_offsets.Count >= MaxEndpoints)
            _offsets.Clear();
        _offsets[endpoint.Authority] = theirs - time.GetUtcNow();
        return true;
    }
}
