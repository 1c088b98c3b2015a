using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>A key as a source has given it.</summary>
/// <param name="Lasts">By the vendor's clock, from the moment it was asked for.</param>
internal sealed record TemporaryKey(AccessKey Key, TimeSpan Lasts);

/// <summary>
/// The temporary keys of identities. There is no background loop: a request for a key renews it when that is due,
/// one at a time for each identity.
/// <list type="bullet">
/// <item>Fresh: given as it is.</item>
/// <item>Late (the last fifth of its life): whoever comes first renews it; the others, and all while renewals fail, get
/// the old one.</item>
/// <item>Over, or none yet: everybody waits for the renewal, and gets why it failed.</item>
/// <item>Rejected by the vendor, whatever the clocks say: renewed at once, and its successor, if that is rejected too,
/// a minute later.</item>
/// <item>Issued to a key of a Secret that has been replaced: renewed at once.</item>
/// <item>Taken back by the owner of the source, which the renewal shows: not given any more.</item>
/// </list>
/// A rejection by a region that has never taken the identity's keys, while another takes them, is that region's own
/// trouble. After a failure the next try comes after 1 s, 2 s, 4 s and so on, up to a minute; until then callers get
/// what there is.
/// </summary>
/// <param name="fetch">Asks the identity's source; a role is asked for with the key of who assumes it.</param>
/// <param name="isUsed">Whether any store has the identity; null where nobody forgets any.</param>
internal sealed class TemporaryKeys(
    Func<TemporaryIdentity, AccessKey?, CancellationToken, Task<TemporaryKey>> fetch,
    AccessKeyCircuitBreakers breakers,
    TimeProvider time,
    ILogger<TemporaryKeys> logger,
    Func<TemporaryIdentity, bool>? isUsed = null
) : IDisposable
{
    private const string ReadKey = "ReadKey";

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly KeyCache<TemporaryIdentity, CachedTemporaryKey> _cache = new(isUsed);

    /// <summary>Replaced as a whole, and read without the gate.</summary>
    private ImmutableArray<Action<TemporaryIdentity>> _listeners = [];

    /// <summary>Adds a listener for identities that have a key again, after callers were refused one.</summary>
    /// <param name="listener">Runs on a caller that asked for the key; it must return at once.</param>
    public void Listen(Action<TemporaryIdentity> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Add(one), listener);

    public void StopListening(Action<TemporaryIdentity> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Remove(one), listener);

    /// <summary>The key to use now, or why there is none.</summary>
    /// <param name="basis">The key that assumes the role; null unless the identity is an assumed role.</param>
    public async Task<Result<AccessKey>> GetAsync(
        TemporaryIdentity identity,
        AccessKey? basis,
        CancellationToken cancellationToken
    )
    {
        var entry = _cache.Of(identity);
        if (!IsDue(entry, basis))
            return Answer(entry);
        if (
            !await entry.Refresh.WaitAsync(
                HasUsable(entry) ? TimeSpan.Zero : Timeout.InfiniteTimeSpan,
                cancellationToken
            )
        )
            return Answer(entry);
        try
        {
            if (IsDue(entry, basis))
                await RenewAsync(identity, basis, entry, cancellationToken);
            return Answer(entry);
        }
        finally
        {
            entry.Refresh.Release();
        }
    }

    /// <summary>The key that may still be used, whatever became of its renewal; null if there is none.</summary>
    public AccessKey? UsableOf(TemporaryIdentity identity)
    {
        if (_cache.Find(identity) is not { } entry)
            return null;
        lock (_cache.Gate)
            return Usable(entry);
    }

    /// <summary>What the identity stands on is gone or refused: its key is not given any more, valid or not.</summary>
    public void TakeBack(TemporaryIdentity identity)
    {
        if (_cache.Find(identity) is not { } entry)
            return;
        lock (_cache.Gate)
            entry.Key = null;
    }

    /// <summary>No store uses the identity any more.</summary>
    public void Forget(TemporaryIdentity identity) => _cache.Forget(identity);

    /// <summary>Identities that are kept.</summary>
    internal int Count => _cache.Count;

    public void Dispose() => _cache.Dispose();

    private bool HasUsable(CachedTemporaryKey entry)
    {
        lock (_cache.Gate)
            return entry.Key?.Lifetime is { IsOver: false };
    }

    private Result<AccessKey> Answer(CachedTemporaryKey entry)
    {
        lock (_cache.Gate)
        {
            return Usable(entry) is { } key
                ? new Result<AccessKey>(key, Failure: null)
                : new Result<AccessKey>(Value: null, entry.Failure ?? Over);
        }
    }

    /// <summary>For a caller that needs a key: without one, it is told when there is one again.</summary>
    private static AccessKey? Usable(CachedTemporaryKey entry)
    {
        var key = entry.Key is { Lifetime.IsOver: false } usable ? usable : null;
        entry.IsMissed |= key is null;
        return key;
    }

    private bool IsDue(CachedTemporaryKey entry, AccessKey? basis)
    {
        lock (_cache.Gate)
        {
            // With another key a try may end otherwise.
            var paused = entry.TriedWith == basis && time.GetElapsedTime(entry.TriedAt) < entry.Pause;
            return entry.Key switch
            {
                null => !paused,
                { Lifetime.IsOver: true } => !paused || entry.Failure is null,
                { } key when breakers.NeedsReplacement(key) => !(paused && entry.Failure is not null)
                    && (entry.ReplacedAt is not { } at || time.GetElapsedTime(at) >= LongestPause),
                // A temporary key is followed by the next one all the time; one of a Secret somebody has replaced.
                _ when basis is { Lifetime: null } && entry.IssuedTo != basis => !paused,
                { Lifetime.IsLate: true } => !paused,
                _ => false,
            };
        }
    }

    private async Task RenewAsync(
        TemporaryIdentity identity,
        AccessKey? basis,
        CachedTemporaryKey entry,
        CancellationToken cancellationToken
    )
    {
        var askedAt = time.GetTimestamp();
        AccessKey? renewed = null;
        Failure? failure = null;
        var said = "";
        var isTakenBack = false;
        bool isRecovered;
        try
        {
            var (key, lasts) = await fetch(identity, basis, cancellationToken);
            renewed = key with { Lifetime = new KeyLifetime(lasts, askedAt, time) };
            if (renewed.Lifetime.IsOver)
                (renewed, failure) = (null, Over);
        }
        catch (KeySourceException e)
        {
            (failure, said, isTakenBack) = (e.Failure, e.Said, e.IsTakenBack);
        }
        lock (_cache.Gate)
        {
            Take(entry, renewed, failure);
            isRecovered = renewed is not null && entry.IsMissed;
            entry.IsMissed &= renewed is null;
            entry.TriedWith = basis;
            if (renewed is not null)
                entry.IssuedTo = basis;
            if (isTakenBack)
                entry.Key = null;
        }
        if (failure is not null)
            Log.KeyNotRenewed(
                logger,
                identity,
                failure.Operation,
                failure.Code,
                $"{failure.Message} {said}",
                failure.RequestId ?? "unknown",
                UsableFor(entry)
            );
        else
            Log.KeyRenewed(logger, identity, UsableFor(entry));
        if (isRecovered)
        {
            foreach (var listener in _listeners)
                listener(identity);
        }
    }

    private void Take(CachedTemporaryKey entry, AccessKey? renewed, Failure? failure)
    {
        (entry.TriedAt, entry.Failure) = (time.GetTimestamp(), failure);
        if (renewed is null)
        {
            entry.Failures++;
            entry.Pause = Durations.Clamp(
                ShortestPause * Math.Pow(2, Math.Min(entry.Failures - 1, 16)),
                ShortestPause,
                LongestPause
            );
            return;
        }
        entry.Failures = 0;
        if (entry.Key is { } old && breakers.NeedsReplacement(old))
            entry.ReplacedAt = entry.TriedAt;
        var same =
            entry.Key is { } known
            && known.Id == renewed.Id
            && known.Secret == renewed.Secret
            && known.SecurityToken == renewed.SecurityToken;
        // An instance's metadata have the next key when they have it: it is asked for again before the old one ends.
        entry.Pause = same
            ? Durations.Clamp((renewed.Lifetime?.Left ?? TimeSpan.Zero) / 2, ShortestPause, LongestPause)
            : TimeSpan.Zero;
        if (!same)
            entry.Key = renewed;
    }

    private TimeSpan UsableFor(CachedTemporaryKey entry)
    {
        lock (_cache.Gate)
            return entry.Key is { Lifetime: { IsOver: false, Left: var left } }
                ? TimeSpan.FromSeconds(Math.Floor(left.TotalSeconds))
                : TimeSpan.Zero;
    }

    private static Failure Over { get; } =
        new(Reasons.KeyExpired, ReadKey)
        {
            Message = "The temporary key is over, and so is the one that was given in its place.",
            Hint = "Check the clocks of the node and of whoever gives the keys.",
            ConcernsCredentials = true,
        };

    private sealed class CachedTemporaryKey : CachedKey
    {
        public AccessKey? Key { get; set; }

        /// <summary>Of the last try; null if it succeeded.</summary>
        public Failure? Failure { get; set; }
        public int Failures { get; set; }

        /// <summary>Callers got no key since there was one.</summary>
        public bool IsMissed { get; set; }
        public long TriedAt { get; set; }

        /// <summary>The key that the last try was made with, if it is a role's.</summary>
        public AccessKey? TriedWith { get; set; }

        /// <summary>The key that <see cref="Key"/> was issued to, if it is a role's.</summary>
        public AccessKey? IssuedTo { get; set; }

        /// <summary>No other try for so long since the last.</summary>
        public TimeSpan Pause { get; set; }

        /// <summary>When a key was last given in place of a rejected one.</summary>
        public long? ReplacedAt { get; set; }
    }
}
