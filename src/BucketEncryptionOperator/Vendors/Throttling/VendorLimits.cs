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
internal sealed class VendorLimits : IDisposable
{
    /// <summary>
    /// Whoever may change a Secret can make keys; beyond this the pace whose last use is longest ago is dropped, with
    /// what it has found.
    /// </summary>
    internal const int MaxLimiters = 4096;

    /// <summary>A key that was replaced, or a store that is gone, leaves nothing behind.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;

    /// <summary>
    /// A limiter that is dropped while callers wait in it is not used again. It lets them go: its waits are bounded,
    /// and each permit that ends lets the next caller in.
    /// </summary>
    private readonly RecentlyUsed<Owner, OwnedLimiter> _limiters;

    public VendorLimits(TimeProvider time)
    {
        _time = time;
        _limiters = new RecentlyUsed<Owner, OwnedLimiter>(MaxLimiters, KeptUnused, time, l => l.Limiter.Dispose());
    }

    /// <param name="requests">That go out in the turn, one after the other.</param>
    /// <exception cref="VendorException">Throttled: the wait would be too long.</exception>
    public Task<AdaptiveRateLimiter.Permit> EnterAsync(
        BucketAddress address,
        AccessKey key,
        string operation,
        int requests,
        CancellationToken cancellationToken
    ) =>
        LimiterOf(new Owner(key.Principal, SecretsOf(key), address.Endpoint.Authority), address.Limit)
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
                    .. _limiters
                        .Values.Select(l => l.Limiter.State(l.Owner.Principal, l.Owner.Endpoint))
                        .GroupBy(s => (s.Principal, s.Endpoint))
                        .Select(Together),
                ];
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _limiters.Clear();
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

    private AdaptiveRateLimiter LimiterOf(Owner owner, RateLimit limit)
    {
        lock (_gate)
        {
            if (_limiters.Find(owner) is null)
                _limiters.DropUnused();
            return _limiters
                .GetOrAdd(owner, () => new OwnedLimiter(owner, new AdaptiveRateLimiter(limit, _time)))
                .Limiter;
        }
    }

    private readonly record struct Owner(string Principal, string Secrets, string Endpoint);

    private sealed record OwnedLimiter(Owner Owner, AdaptiveRateLimiter Limiter);
}
