using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>
/// One <see cref="AdaptiveRateLimiter"/> for each access key and endpoint, whatever stores and policies they come from:
/// vendors count an account's requests, not ours. Every vendor request goes through here.
/// <para>
/// A key is the whole key. Its id alone is no secret, and who only knows that must not be able to slow its owner down.
/// Temporary keys of one
/// role share a pace, because the operator itself has got them for that role.
/// </para>
/// </summary>
internal sealed class VendorLimits(TimeProvider time) : IDisposable
{
    /// <summary>
    /// Whoever may change a Secret can make keys; beyond this the pace whose last use is longest ago is dropped, with
    /// what it has found.
    /// </summary>
    internal const int MostPaces = 4096;

    /// <summary>A key that was replaced, or a store that is gone, leaves nothing behind.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<Owner, LinkedListNode<Entry>> _paces = [];

    /// <summary>Last used last.</summary>
    private readonly LinkedList<Entry> _byUse = new();

    /// <param name="requests">That go out in the turn, one after the other.</param>
    /// <exception cref="VendorException">Throttled: the wait would be too long.</exception>
    public Task<AdaptiveRateLimiter.Permit> EnterAsync(
        BucketAddress address,
        AccessKey key,
        string operation,
        int requests,
        CancellationToken cancellationToken
    ) =>
        PaceOf(new Owner(key.Principal, SecretsOf(key), address.Endpoint.Authority), address.Limit)
            .EnterAsync(address.Limit, operation, requests, cancellationToken);

    /// <summary>
    /// For metrics: one for each principal and endpoint. Of several keys with one id the counts are added, and the rate
    /// is that of the busiest.
    /// </summary>
    public IReadOnlyList<RateLimiterState> States
    {
        get
        {
            lock (_gate)
                return
                [
                    .. _byUse
                        .Select(e => e.Pace.State(e.Owner.Principal, e.Owner.Endpoint))
                        .GroupBy(s => (s.Principal, s.Endpoint))
                        .Select(Together),
                ];
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var entry in _byUse)
                entry.Pace.Dispose();
            _paces.Clear();
            _byUse.Clear();
        }
    }

    private static RateLimiterState Together(IEnumerable<RateLimiterState> states)
    {
        var busiestFirst = states.OrderByDescending(s => s.Requests).ToList();
        return busiestFirst[0] with
        {
            InFlight = busiestFirst.Sum(s => s.InFlight),
            Waiting = busiestFirst.Sum(s => s.Waiting),
            Requests = busiestFirst.Sum(s => s.Requests),
            Throttled = busiestFirst.Sum(s => s.Throttled),
        };
    }

    /// <summary>
    /// A hash: this outlives the key. Empty for the temporary keys of a role, which change while the role stays.
    /// </summary>
    private static string SecretsOf(AccessKey key) =>
        key.Principal != key.Id
            ? ""
            : Convert.ToHexString(
                SHA256.HashData(Encoding.UTF8.GetBytes($"{key.Secret.Length} {key.Secret}{key.SecurityToken}"))
            );

    private AdaptiveRateLimiter PaceOf(Owner owner, RateLimit limit)
    {
        lock (_gate)
        {
            if (_paces.TryGetValue(owner, out var place))
            {
                _byUse.Remove(place);
            }
            else
            {
                MakeRoom();
                _paces[owner] = place = new LinkedListNode<Entry>(
                    new Entry(owner, new AdaptiveRateLimiter(limit, time))
                );
            }
            _byUse.AddLast(place);
            place.Value.UsedAt = time.GetTimestamp();
            return place.Value.Pace;
        }
    }

    /// <summary>
    /// One that is dropped while somebody waits in it is not used again, and lets those go: its waits are bounded, and
    /// its turns make room.
    /// </summary>
    private void MakeRoom()
    {
        while (
            _byUse.First is { } oldest
            && (time.GetElapsedTime(oldest.Value.UsedAt) > KeptUnused || _paces.Count >= MostPaces)
        )
        {
            _byUse.RemoveFirst();
            _paces.Remove(oldest.Value.Owner);
            oldest.Value.Pace.Dispose();
        }
    }

    private readonly record struct Owner(string Principal, string Secrets, string Endpoint);

    private sealed record Entry(Owner Owner, AdaptiveRateLimiter Pace)
    {
        public long UsedAt { get; set; }
    }
}
