using KubeRuntime.Client;
using KubeRuntime.Instrumentation;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Informers;

/// <summary>
/// Feeds the cache of one kind, forever, as a state machine (<see cref="WatchState{T}"/>). It lists (as a stream,
/// which the server sends from memory and continues as the watch; by pages where the server has no streams), watches
/// with bookmarks, resumes from the last version seen, and lists again on 410 in either form.
/// <see cref="WatchRecovery"/> decides what follows a failure or a clean end.
/// </summary>
/// <param name="scope">An object that leaves the scope, because its labels change, is reported as deleted.</param>
/// <param name="random">Source of jitter. It must be thread-safe if several reflectors share it.</param>
public sealed class Reflector<T>(
    KubeClient client,
    KubeResource<T> resource,
    WatchScope scope,
    Random random,
    TimeProvider time,
    ILogger logger
)
    where T : class, IKubernetesObject
{
    /// <summary>
    /// Number of objects per page, as in client-go. It is halved each time a page is larger than the client reads.
    /// </summary>
    private const int LargestPage = 500;
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Number of streaming lists in a row that may break off before the next list is read by pages. A list by pages
    /// continues after a break; a stream starts again.
    /// </summary>
    private const int BrokenStreamsAllowed = 3;

    /// <summary>
    /// Maximum time until the end of the initial events. A server sends them without a pause; one that ignored the
    /// request for a stream would never end them.
    /// </summary>
    private static readonly TimeSpan LongestSilenceInList = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Maximum time without a line. A connection can be alive (a proxy answers pings) while the server behind it is
    /// gone. Servers send a bookmark about every minute, so five missing ones mean that the server is gone. Bookmarks
    /// are not guaranteed: the limit holds only for a server that has sent one. To open a watch again costs one
    /// request.
    /// </summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(5);

    private readonly WatchRecovery _recovery = new(resource.Plural, random, time, logger);
    private int _pageSize = LargestPage;

    /// <summary>The last object of the list that is being read by pages.</summary>
    private NamespacedName? _lastListed;
    private bool _sendsBookmarks;

    /// <summary>Until the server refuses one.</summary>
    private bool _hasStreamingLists = true;
    private int _brokenStreams;

    public WatchScope Scope => scope;

    /// <summary>
    /// Maximum time between two steps: a watch without a line, with its grace period, or the longest pause that a
    /// server may ask for; doubled for a machine under load.
    /// </summary>
    internal static readonly TimeSpan LongestStep = (ShortestWatch * 2 + TimeSpan.FromMinutes(1)) * 2;

    /// <summary>Armed before each step of <see cref="RunAsync"/>.</summary>
    public Watchdog Heartbeat { get; } =
        new($"watch of {resource.Plural}{(scope.Namespace is { } ns ? $" in {ns}" : "")}", time);

    /// <summary>Runs until cancelled. Calls <paramref name="sink"/> for one event after the other.</summary>
    public async Task RunAsync(Action<WatchEvent<T>> sink, CancellationToken cancellationToken)
    {
        WatchState<T> state = new WatchState<T>.Empty();
        try
        {
            while (true)
            {
                Heartbeat.Arm(within: LongestStep);
                (state, var e) = await StepAsync(state, cancellationToken);
                if (e is not null)
                    sink(e);
            }
        }
        finally
        {
            Heartbeat.Disarm();
            (state as WatchState<T>.Watching)?.Reader.Dispose();
            (state as WatchState<T>.Streaming)?.Reader.Dispose();
        }
    }

    /// <summary>Makes one step from <paramref name="state"/>. Throws only for the caller's cancellation.</summary>
    internal Task<(WatchState<T> State, WatchEvent<T>? Event)> StepAsync(
        WatchState<T> state,
        CancellationToken cancellationToken
    ) =>
        state switch
        {
            WatchState<T>.Empty => Task.FromResult<(WatchState<T>, WatchEvent<T>?)>(
                (Begin(), new WatchEvent<T>.Restarted())
            ),
            WatchState<T>.Opening opening => OpenListAsync(opening, cancellationToken),
            WatchState<T>.Streaming streaming => ReadListAsync(streaming, cancellationToken),
            WatchState<T>.Listing listing => ListAsync(listing, cancellationToken),
            WatchState<T>.Complete complete => Task.FromResult<(WatchState<T>, WatchEvent<T>?)>(
                (new WatchState<T>.Listed(complete.ResourceVersion), new WatchEvent<T>.Synced())
            ),
            WatchState<T>.Listed listed => OpenAsync(listed, cancellationToken),
            WatchState<T>.Watching watching => ReadAsync(watching, cancellationToken),
            _ => throw new InvalidOperationException(state.GetType().Name),
        };

    private WatchState<T> Begin()
    {
        if (_hasStreamingLists && _brokenStreams < BrokenStreamsAllowed)
            return new WatchState<T>.Opening();
        _brokenStreams = 0;
        return new WatchState<T>.Listing(Continue: null);
    }

    private async Task<(WatchState<T>, WatchEvent<T>?)> OpenListAsync(
        WatchState<T>.Opening state,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (
                new WatchState<T>.Streaming(
                    await client.StreamListAsync(resource, scope, Duration(), cancellationToken)
                ),
                null
            );
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.Invalid)
        {
            _hasStreamingLists = false;
            Log.NoStreamingLists(logger, resource.Plural, e.Message);
            return (new WatchState<T>.Listing(Continue: null), null);
        }
        catch (KubeApiException e)
        {
            return (await RecoverAsync(e, state, cancellationToken), null);
        }
    }

    /// <summary>Applies a change between the initial events as a part of the list: both say what exists now.</summary>
    private async Task<(WatchState<T>, WatchEvent<T>?)> ReadListAsync(
        WatchState<T>.Streaming state,
        CancellationToken cancellationToken
    )
    {
        KubeApiException failure;
        try
        {
            var line = await state.Reader.ReadAsync(LongestSilenceInList, cancellationToken);
            switch (line)
            {
                case null or { Type: WatchLineType.InitialEventsEnd, ResourceVersion: "" or "0" }:
                    failure = new KubeApiException(
                        KubeFailureKind.Transient,
                        $"LIST {resource.Plural}: the stream ended before its end bookmark"
                    );
                    break;
                case { Type: WatchLineType.Error, Failure: { } error }:
                    failure = error;
                    break;
                case { Type: WatchLineType.InitialEventsEnd }:
                    _brokenStreams = 0;
                    _recovery.Progress();
                    return (new WatchState<T>.Watching(line.ResourceVersion, state.Reader), new WatchEvent<T>.Synced());
                default:
                    return (state, AsListed(line));
            }
        }
        catch (KubeApiException e)
        {
            failure = e;
        }
        Close(state.Reader);
        _brokenStreams++;
        return (await RecoverAsync(failure, new WatchState<T>.Empty(), cancellationToken), null);
    }

    private WatchEvent<T>? AsListed(WatchLine<T> line)
    {
        var e = Translate(line);
        return line.Unreadable is { } bad && e is null ? new WatchEvent<T>.Listed([], [bad])
            : e is WatchEvent<T>.Applied applied ? new WatchEvent<T>.Listed([applied.Item], [])
            : e;
    }

    private async Task<(WatchState<T>, WatchEvent<T>?)> ListAsync(
        WatchState<T>.Listing state,
        CancellationToken cancellationToken
    )
    {
        try
        {
            _lastListed = state.Continue is null ? null : _lastListed;
            var page = await client.ListAsync(resource, scope, _pageSize, state.Continue, cancellationToken);
            _recovery.Progress();
            _lastListed = page.Items.Count > 0 ? page.Items[^1].Metadata.Key : _lastListed;
            foreach (var bad in page.Unreadable)
                Log.ObjectUnreadable(logger, resource.Plural, bad.Key, bad.Problem);
            WatchState<T> next = page.Continue is { } token
                ? new WatchState<T>.Listing(token)
                : new WatchState<T>.Complete(page.ResourceVersion);
            return (next, new WatchEvent<T>.Listed(page.Items, page.Unreadable));
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.TooLarge && _pageSize > 1)
        {
            _pageSize /= 2; // for the life of the reflector: what is large now will be at the next list
            Log.PageTooLarge(logger, resource.Plural, _pageSize);
            return (state, null);
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.TooLarge)
        {
            var which = _lastListed is { } last ? $"the object after {last}" : "the first object";
            var problem = $"{which} is too large to be read; make it smaller or delete it. {e.Message}";
            return (await RecoverAsync(new KubeApiException(e.Failure, problem, e), state, cancellationToken), null);
        }
        catch (KubeApiException e)
        {
            return (await RecoverAsync(e, state, cancellationToken), null);
        }
    }

    private async Task<(WatchState<T>, WatchEvent<T>?)> OpenAsync(
        WatchState<T>.Listed state,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var reader = await client.WatchAsync(resource, scope, state.ResourceVersion, Duration(), cancellationToken);
            return (new WatchState<T>.Watching(state.ResourceVersion, reader), null);
        }
        catch (KubeApiException e)
        {
            return (await RecoverAsync(e, state, cancellationToken), null);
        }
    }

    private async Task<(WatchState<T>, WatchEvent<T>?)> ReadAsync(
        WatchState<T>.Watching state,
        CancellationToken cancellationToken
    )
    {
        var resume = new WatchState<T>.Listed(state.ResourceVersion);
        WatchLine<T>? line;
        try
        {
            line = await (
                _sendsBookmarks
                    ? state.Reader.ReadAsync(LongestSilence, cancellationToken)
                    : state.Reader.ReadAsync(cancellationToken)
            );
        }
        catch (KubeApiException e)
        {
            Close(state.Reader);
            return (await RecoverAsync(e, resume, cancellationToken), null);
        }
        if (line is null || line.Type == WatchLineType.Error)
        {
            Close(state.Reader);
            return (
                line?.Failure is { } failure
                    ? await RecoverAsync(failure, resume, cancellationToken)
                    : await ReopenAsync(resume, cancellationToken),
                null
            );
        }
        _sendsBookmarks |= line.Type == WatchLineType.Bookmark;
        // To resume from no version, or from 0, would be to start anywhere, and to lose deletions.
        if (line.ResourceVersion is "" or "0" || line.ResourceVersion == state.ResourceVersion)
            return (state, Translate(line));
        _recovery.Progressed();
        return (state with { ResourceVersion = line.ResourceVersion }, Translate(line));
    }

    /// <summary>Returns a random duration, so that the watches of many clients do not end together.</summary>
    private TimeSpan Duration() => ShortestWatch * (1 + random.NextDouble());

    private void Close(WatchReader<T> reader)
    {
        reader.Dispose();
        _recovery.Lived(reader.Age);
    }

    private WatchEvent<T>? Translate(WatchLine<T> line)
    {
        if (line.Unreadable is { } bad)
        {
            Log.ObjectUnreadable(logger, resource.Plural, bad.Key, bad.Problem);
            return line.Type == WatchLineType.Deleted && bad.Key.Name is { Length: > 0 }
                ? new WatchEvent<T>.Deleted(bad.Key)
                : null;
        }
        return line switch
        {
            { Type: WatchLineType.Deleted, Item: { } gone } => new WatchEvent<T>.Deleted(gone.Metadata.Key),
            { Item: { } item } => new WatchEvent<T>.Applied(item),
            _ => null,
        };
    }

    private async Task<WatchState<T>> RecoverAsync(
        KubeApiException failure,
        WatchState<T> same,
        CancellationToken cancellationToken
    ) => await _recovery.MustListAsync(failure, cancellationToken) ? new WatchState<T>.Empty() : same;

    private async Task<WatchState<T>> ReopenAsync(WatchState<T> resume, CancellationToken cancellationToken)
    {
        Log.WatchEnded(logger, resource.Plural);
        await _recovery.PauseAsync(cancellationToken);
        return resume;
    }
}
