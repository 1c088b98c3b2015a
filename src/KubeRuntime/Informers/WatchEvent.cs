using KubeRuntime.Client;

namespace KubeRuntime.Informers;

/// <summary>
/// What a reflector reports to its cache. A list is between <see cref="Restarted"/> and <see cref="Synced"/>: an object
/// in the cache that the list did not name was deleted meanwhile.
/// </summary>
public abstract record WatchEvent<T>
    where T : class, IKubernetesObject
{
    private WatchEvent() { }

    /// <summary>A list begins; it names every object that exists.</summary>
    public sealed record Restarted : WatchEvent<T>;

    /// <summary>A part of the list. An unreadable object exists too: the cache keeps what it has of it.</summary>
    public sealed record Listed(IReadOnlyList<T> Items, IReadOnlyList<UnreadableObject> Unreadable) : WatchEvent<T>;

    /// <summary>The list is complete.</summary>
    public sealed record Synced : WatchEvent<T>;

    public sealed record Applied(T Item) : WatchEvent<T>;

    public sealed record Deleted(NamespacedName Key) : WatchEvent<T>;
}

/// <summary>
/// Where a watcher stands. States are data; recovery from anything is the state that a step returns.
/// <code>
///            ┌→ Opening → Streaming ─── end bookmark ──┐
///            │     │ 400, 422: the server has none,    ↓
///    Empty ──┤     ↓ for the life of this watcher   Watching ⇄ Listed
///      ↑     └→ Listing ──────→ Complete ─────────────────────→ ↑
///      │           │ 410 (continue)                    │ 410 (event, status)
///      └───────────┴───────────────────────────────────┘
/// </code>
/// A streaming list that ends before its end bookmark, however it ends, leads to Empty: what it has sent is no list.
/// Every other failure, and every clean end of a watch, goes through a back-off and stays (Opening, Listing) or returns
/// to Listed; a 400, and the tenth failure with nothing new between, lead to Empty too.
/// </summary>
public abstract record WatchState<T>
    where T : class, IKubernetesObject
{
    private WatchState() { }

    /// <summary>Nothing is known, or what is known is too old.</summary>
    public sealed record Empty : WatchState<T>;

    /// <summary>A streaming list is the next request.</summary>
    public sealed record Opening : WatchState<T>;

    /// <summary>In the middle of a streaming list.</summary>
    public sealed record Streaming(WatchReader<T> Reader) : WatchState<T>;

    /// <summary>
    /// In the middle of a list by pages; <paramref name="Continue"/> is the next page's token, null for the first.
    /// </summary>
    public sealed record Listing(string? Continue) : WatchState<T>;

    /// <summary>All pages are read; the cache does not know yet.</summary>
    public sealed record Complete(string ResourceVersion) : WatchState<T>;

    /// <summary>Everything is known up to a version, and no watch is open.</summary>
    public sealed record Listed(string ResourceVersion) : WatchState<T>;

    /// <summary>A watch is open; everything is known up to a version.</summary>
    public sealed record Watching(string ResourceVersion, WatchReader<T> Reader) : WatchState<T>;
}
