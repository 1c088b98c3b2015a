using System.Collections.Concurrent;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Offset of each endpoint's clock from ours, from the <c>Date</c> of an answer that refused a signature for its time.
/// Signatures are then made for the endpoint's time, so that a node whose clock is wrong keeps working. In memory
/// only.
/// </summary>
internal sealed class ServerClocks(TimeProvider time)
{
    /// <summary>
    /// A wrong time zone makes 14 hours at most. A larger offset is left to a person: it would let the endpoint choose
    /// for how long a signature is valid.
    /// </summary>
    private static readonly TimeSpan LargestOffset = TimeSpan.FromHours(24);

    /// <summary>Endpoints are as many as stores name; when there are more, the memory is cleared.</summary>
    private const int MaxEndpoints = 1024;

    private readonly ConcurrentDictionary<string, TimeSpan> _offsets = new(StringComparer.OrdinalIgnoreCase);

    public DateTimeOffset Now(Uri endpoint) => time.GetUtcNow() + _offsets.GetValueOrDefault(endpoint.Authority);

    /// <returns>Whether a retry may help: the endpoint gave its time, and the offset is accepted.</returns>
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
