using System.Globalization;
using System.Text;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Informers;

public sealed class ReflectorRandomTests(ITestOutputHelper output)
{
    /// <summary>
    /// Objects change while lists and watches fail in every way the server knows; when it calms down, the mirror is
    /// what the server has.
    /// </summary>
    [Theory]
    [InlineData(true, "x")]
    [InlineData(false, "x")]
    [InlineData(true, "x", "y")]
    [InlineData(false, "x", "y")]
    public async Task Whatever_breaks_on_the_way_the_mirror_ends_as_the_server_is(
        bool streamingLists,
        params string[] namespaces
    )
    {
        var time = new ImpatientTimeProvider(isPause: wait => wait < TimeSpan.FromSeconds(30));
        var model = new UnreliableServer(
            RandomSeed.NewRandom(output.WriteLine),
            requestsBeforeCalm: 400 * namespaces.Length,
            namespaces
        );
        await using var server = ScriptedApiServer.Start();
        server.Otherwise = model.Serve;
        server.StreamsLists = streamingLists;
        using var client = new KubeClient(new KubeConnection(server.Address), "test/1.0", time);
        using var stop = new CancellationTokenSource();
        var mirror = new ObjectCache<Widget>(namespaces);
        var gate = new Lock();
        var changed = new Dictionary<string, int>(StringComparer.Ordinal);
        var reached = new TaskCompletionSource<(string Server, string ToldOf)>(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        var running = Task.WhenAll(
            namespaces.Select(ns =>
                new Reflector<Widget>(
                    client,
                    Widget.Resource,
                    new WatchScope(ns),
                    new Random(1),
                    time,
                    new RecordingLogger()
                ).RunAsync(
                    e =>
                    {
                        lock (gate)
                        {
                            foreach (var change in mirror.Apply(e, ns))
                                Follow(changed, change);
                            var objects = model.Objects;
                            if (
                                model.IsCalm
                                && namespaces.All(n => objects.ContainsKey($"{n}/{UnreliableServer.LastName}"))
                                && Text(
                                    mirror
                                        .Snapshot()
                                        .Select(w => KeyValuePair.Create(w.Metadata.Key.ToString(), w.Spec.Size))
                                ) == Text(objects)
                            )
                                reached.TrySetResult((Text(objects), Text(changed)));
                        }
                    },
                    stop.Token
                )
            )
        );

        await Task.WhenAny(reached.Task, running).Within();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within());
        var (onServer, toldOf) = await reached.Task.Within();
        Assert.Equal(onServer, toldOf);
        output.WriteLine($"{server.Requests.Count} requests, {model.Version} changes, at the end {onServer}");
    }

    private static string Text(IEnumerable<KeyValuePair<string, int>> objects) =>
        string.Join(' ', objects.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={o.Value}"));

    /// <summary>What a reader who only hears of changes would hold.</summary>
    private static void Follow(Dictionary<string, int> held, Change<Widget> change)
    {
        if (change.New is { } item)
            held[change.Key.ToString()] = item.Spec.Size;
        else
            Assert.True(held.Remove(change.Key.ToString()), "told of the end of an object that had not been told of");
    }

    /// <summary>
    /// A small API server with a history that it forgets, and with all the bad habits of networks. Calm after a number
    /// of requests. Objects by namespace/name.
    /// </summary>
    private sealed class UnreliableServer(Random random, int requestsBeforeCalm, string[] namespaces)
    {
        public const string LastName = "last";
        private readonly Lock _gate = new();
        private readonly SortedDictionary<string, (int Size, int Version)> _objects = new(StringComparer.Ordinal);
        private readonly List<(int Version, string Namespace, string Line)> _history = [];
        private readonly Dictionary<string, List<string>> _lists = new(StringComparer.Ordinal);
        private int _forgotten;
        private int _requests;

        public int Version { get; private set; } = 1;

        public bool IsCalm
        {
            get
            {
                lock (_gate)
                    return _requests >= requestsBeforeCalm;
            }
        }

        public IReadOnlyDictionary<string, int> Objects
        {
            get
            {
                lock (_gate)
                    return _objects.ToDictionary(o => o.Key, o => o.Value.Size, StringComparer.Ordinal);
            }
        }

        public Answer Serve(ApiRequest request)
        {
            lock (_gate)
            {
                if (_requests < requestsBeforeCalm)
                    Change(random.Next(6));
                _requests++;
                var calm = _requests >= requestsBeforeCalm;
                return !calm && random.Next(10) == 0 ? Fail()
                    : request.IsStreamingList ? Stream(request, calm)
                    : request.IsWatch ? Watch(request, calm)
                    : List(request, calm);
            }
        }

        private static string NamespaceOf(ApiRequest request) => request.Path.Split('/')[^2];

        private static string Json(KeyValuePair<string, (int Size, int Version)> o) =>
            Widget.Json(o.Key.Split('/')[1], o.Value.Version, o.Value.Size, o.Key.Split('/')[0]);

        private IEnumerable<string> Existing(ApiRequest request) =>
            _objects.Where(o => o.Key.StartsWith(NamespaceOf(request) + "/", StringComparison.Ordinal)).Select(Json);

        private Answer Fail() =>
            random.Next(5) switch
            {
                0 => Answer.Whole("", 503),
                1 => Answer.Whole("", 429, "Retry-After: 2"),
                2 => Answer.Whole("<html>", 200),
                3 => new Answer().Cut(),
                _ => new Answer().Text("{").Reset(),
            };

        private Answer List(ApiRequest request, bool calm)
        {
            var token = request.Query("continue");
            List<string> items;
            var version = Version;
            if (token is null)
                items = [.. Existing(request)];
            else if ((calm || random.Next(5) > 0) && _lists.Remove(token, out var rest))
                (items, version) = (rest, int.Parse(token.Split('-')[1], CultureInfo.InvariantCulture));
            else
                return Answer.Whole(Widget.Status(410, "Expired", "The provided continue parameter is too old"), 410);

            var page = calm ? items.Count : random.Next(1, 6);
            string? next = null;
            if (page < items.Count)
            {
                next = $"{_requests}-{version}";
                _lists[next] = items[page..];
            }
            var text = Widget.List(version, next, [.. items.Take(page)]);
            return !calm && random.Next(10) == 0
                ? new Answer().Text(text[..random.Next(text.Length)]).Cut()
                : Answer.Whole(text);
        }

        /// <summary>
        /// What exists, with what changes meanwhile in its middle; ends before, at or after the end bookmark.
        /// </summary>
        private Answer Stream(ApiRequest request, bool calm)
        {
            var lines = Existing(request).Select(o => Widget.Event("ADDED", o)).ToList();
            var before = _history.Count;
            if (!calm)
                Change(random.Next(4));
            lines.AddRange(_history.Skip(before).Where(h => h.Namespace == NamespaceOf(request)).Select(h => h.Line));
            lines.Add(Widget.EndBookmark(Version));
            if (calm)
                return Answer.Lines([.. lines]).Line(Widget.Event("MODIFIED", Last(NamespaceOf(request))));
            var answer = Answer.Lines([.. lines.Take(random.Next(2) == 0 ? lines.Count : random.Next(lines.Count))]);
            return random.Next(4) switch
            {
                0 => answer.Cut(),
                1 => answer.End(),
                2 => answer.Line(Widget.Error(410, "Expired", "too old resource version")).End(),
                _ => answer.Line("garbage").Reset(),
            };
        }

        private Answer Watch(ApiRequest request, bool calm)
        {
            var from = int.Parse(request.Query("resourceVersion") ?? "", CultureInfo.InvariantCulture);
            if (from < _forgotten)
            {
                return random.Next(2) == 0
                    ? Answer.Whole(Widget.Status(410, "Expired", "too old resource version"), 410)
                    : Answer.Lines(Widget.Error(410, "Expired", "too old resource version")).End();
            }
            var lines = _history
                .Where(h => h.Version > from && h.Namespace == NamespaceOf(request))
                .Select(h => h.Line + "\n")
                .ToList();
            if (calm)
                return new Answer()
                    .Text(string.Concat(lines))
                    .Line(Widget.Event("MODIFIED", Last(NamespaceOf(request))));

            var text = new StringBuilder().AppendJoin("", lines.Take(random.Next(lines.Count + 1)));
            switch (random.Next(6))
            {
                case 0:
                    text.Length = random.Next(text.Length + 1);
                    return new Answer().Text(text.ToString()).Cut();
                case 1:
                    return new Answer().Text(text.ToString()).End();
                case 2:
                    return new Answer().Text(text.ToString()).Line("garbage").Cut();
                case 3:
                    return new Answer().Text(text.ToString()).Line(Widget.Error(500, "InternalError", "no")).End();
                case 4:
                    return new Answer().Text(string.Concat(lines)).Line(Widget.Bookmark(Version)).End();
                default:
                    return new Answer().Text(text.ToString()).Reset();
            }
        }

        /// <summary>
        /// An event of an object as it is: gives the reader a reason to look once more when all is calm.
        /// </summary>
        private string Last(string ns)
        {
            Set(ns, LastName, 1);
            return Widget.Json(LastName, Version, 1, ns);
        }

        private void Change(int times)
        {
            for (var i = 0; i < times; i++)
            {
                var (ns, name) = (namespaces[random.Next(namespaces.Length)], $"w{random.Next(20)}");
                if (_objects.TryGetValue($"{ns}/{name}", out var old) && random.Next(3) == 0)
                {
                    _objects.Remove($"{ns}/{name}");
                    _history.Add((++Version, ns, Widget.Event("DELETED", Widget.Json(name, Version, old.Size, ns))));
                }
                else
                    Set(ns, name, random.Next(1000));
            }
            if (random.Next(8) == 0)
                _forgotten = Version - random.Next(4);
        }

        private void Set(string ns, string name, int size)
        {
            var type = _objects.ContainsKey($"{ns}/{name}") ? "MODIFIED" : "ADDED";
            _objects[$"{ns}/{name}"] = (size, ++Version);
            _history.Add((Version, ns, Widget.Event(type, Widget.Json(name, Version, size, ns))));
        }
    }
}
