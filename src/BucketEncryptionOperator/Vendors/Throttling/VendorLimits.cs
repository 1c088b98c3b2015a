using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>
/// One <see cref="AdaptiveRateLimiter"/> per access key and endpoint, whatever stores and policies use them: vendors
/// count an account's requests, not ours.
/// <para>
/// A key is the whole key. Its id alone is no secret, and somebody who knows only the id must not be able to slow its
/// owner down. Temporary keys of one role share a limiter, because the operator itself got them for that role.
/// </para>
/// </summary>
internal sealed class VendorLimits : IDisposable
{
    /// <summary>
    /// Maximum number of limiters: everyone who may change a Secret can make keys. Beyond it the least recently used
    /// one is dropped, with what it has learned.
    /// </summary>
    internal const int MaxLimiters = 4096;

    /// <summary>A limiter that was not used for this long is dropped.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;

    /// <summary>
    /// A limiter that is dropped while callers wait in it is not used again. It lets them go: its waits are bounded,
    /// and each permit that ends lets the next caller in.
    /// </summary>
    private readonly RecentlyUsed<LimiterKey, OwnedLimiter> _limiters;

    public VendorLimits(TimeProvider time)
    {
        _time = time;
        _limiters = new RecentlyUsed<LimiterKey, OwnedLimiter>(MaxLimiters, KeptUnused, time, l => l.Limiter.Dispose());
    }

    /// <param name="requests">Maximum number of requests of the call, sent one after the other.</param>
    /// <exception cref="VendorException">Throttled: the wait would be too long.</exception>
    public Task<AdaptiveRateLimiter.Permit> EnterAsync(
        VendorAddress address,
        AccessKey key,
        string operation,
        int requests,
        CancellationToken cancellationToken
    ) =>
        LimiterOf(new LimiterKey(key.Principal, SecretsOf(key), NameOf(address)), address.Limit)
            .EnterAsync(address.Limit, operation, requests, cancellationToken);

    /// <summary>
    /// For metrics: one per principal and endpoint. The counts of several keys with one id are added, and the rate is
    /// that of the busiest.
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
                        .Select(Sum),
                ];
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _limiters.Clear();
    }

    private static RateLimiterState Sum(IEnumerable<RateLimiterState> states)
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

    private static string NameOf(VendorAddress address) =>
        address.Service is { } service ? $"{address.Endpoint.Authority}/{service}" : address.Endpoint.Authority;

    /// <summary>
    /// A hash: this outlives the key. Empty for the temporary keys of a role, which change while the role stays.
    /// </summary>
    private static string SecretsOf(AccessKey key) =>
        key.Principal != key.Id
            ? ""
            : Convert.ToHexString(
                SHA256.HashData(Encoding.UTF8.GetBytes($"{key.Secret.Length} {key.Secret}{key.SecurityToken}"))
            );

    private AdaptiveRateLimiter LimiterOf(LimiterKey owner, RateLimit limit)
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

    private readonly record struct LimiterKey(string Principal, string Secrets, string Endpoint);

    private sealed record OwnedLimiter(LimiterKey Owner, AdaptiveRateLimiter Limiter);
}
