using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Reconciling;
using Integration.Tests.Harness;
using ObjectStoreSimulator;

namespace Integration.Tests.Scenarios;

/// <summary>
/// Looks at policies and buckets until they are as expected. Writes that nobody expects end it at once.
/// </summary>
internal sealed class Audience(Stage stage)
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io";

    /// <summary>A look costs the API server little, and a scenario has tens of them.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, string> _versions = new(StringComparer.Ordinal);

    /// <summary>Writes that an expectation has spoken of.</summary>
    private int _told;

    /// <summary>How often the vendors had been asked when the last expectation was met.</summary>
    private readonly Dictionary<string, long> _asked = new(StringComparer.Ordinal);

    /// <summary>What <c>asked</c> says: the least and the most; null where it is neither a number nor two.</summary>
    public static (long Least, long Most)? RangeOf(string words) =>
        words.Split('-') switch
        {
            [var one] when IsNumber(one, out var number) => (number, number),
            [var least, var most] when IsNumber(least, out var from) && IsNumber(most, out var to) => (from, to),
            _ => null,
        };

    public async Task SeeAsync(Expectation expected)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var writes = Writes();
            var problems = new List<string>();
            foreach (var (policy, wanted) in expected.Policies)
                problems.AddRange(await ProblemsAsync(policy, wanted));
            foreach (var policy in expected.Gone.ToList())
                problems.AddRange(
                    await stage.Api.GetAsync(stage.PolicyPath(policy)) is { } still
                        ? [$"policy {policy} is still there: {still["status"]}"]
                        : []
                );
            foreach (var (bucket, words) in expected.Buckets)
                problems.AddRange(
                    stage.Live(bucket) is var live && live == words ? [] : [$"bucket {bucket} has {live}, not {words}"]
                );
            foreach (var (bucket, document) in expected.Sent)
                problems.AddRange(
                    LastSent(bucket) is var sent && sent == document
                        ? []
                        : [$"the last PUT of {bucket} was {sent}, not {document}"]
                );
            problems.AddRange(WriteProblems(expected.Writes, writes));
            problems.AddRange(expected.Asked.SelectMany(AskedProblems));
            if (problems.Count == 0)
            {
                _told += writes.Count;
                foreach (var what in AllAsked())
                    _asked[what] = stage.Asked(what);
                return;
            }
            if (TimeProvider.System.GetElapsedTime(start) > Eventually.Patience)
                throw new TimeoutException(string.Join("\n  ", problems));
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    public void NothingMore() => _ = WriteProblems([], Writes()).ToList();

    /// <summary>
    /// Every PUT and DELETE that nobody has spoken of yet; what came of it only where it is no success.
    /// </summary>
    private List<string> Writes() =>
        [
            .. stage
                .Worlds.SelectMany(w => w.Recorder.All)
                .Where(r => r.Operation is Operations.Put or Operations.Delete)
                .OrderBy(r => r.Time)
                .Skip(_told)
                .Select(r =>
                    $"{r.Method} {r.Bucket}" + (r.Status is >= 200 and < 300 ? "" : " " + (r.Code ?? "unanswered"))
                ),
        ];

    /// <exception cref="InvalidOperationException">
    /// More was written than is expected: no wait will mend that.
    /// </exception>
    private static IEnumerable<string> WriteProblems(IReadOnlyList<string> expected, List<string> actual)
    {
        var missing = expected.ToList();
        var extra = actual.Where(w => !missing.Remove(w)).ToList();
        // It may be under way
        if (extra.Count > 0 && !extra.Any(w => w.EndsWith(" unanswered", StringComparison.Ordinal)))
            throw new InvalidOperationException(
                $"writes that nobody expects: {string.Join(", ", extra)} (expected: {string.Join(", ", expected)})"
            );
        return [.. missing.Select(w => $"not written: {w}"), .. extra.Select(w => $"under way: {w}")];
    }

    /// <exception cref="InvalidOperationException">More was asked than is expected: no wait will mend that.</exception>
    private IEnumerable<string> AskedProblems(KeyValuePair<string, string> wanted)
    {
        var (least, most) = RangeOf(wanted.Value)!.Value;
        var asked = stage.Asked(wanted.Key) - _asked.GetValueOrDefault(wanted.Key);
        return asked > most
                ? throw new InvalidOperationException($"{wanted.Key} was asked {asked} times, not {wanted.Value}")
            : asked < least ? [$"{wanted.Key} was asked {asked} times, not {wanted.Value}"]
            : [];
    }

    /// <summary>Everything that an expectation of the scenario speaks of.</summary>
    private IEnumerable<string> AllAsked() =>
        stage.Scenario.Steps.SelectMany(s => s.Expect?.Asked.Keys.ToList() ?? []).Distinct(StringComparer.Ordinal);

    private string? LastSent(string bucket) =>
        stage
            .Worlds.SelectMany(w => w.Recorder.All)
            .LastOrDefault(r => r.Operation == Operations.Put && r.Bucket == bucket)
            ?.Body;

    private async Task<List<string>> ProblemsAsync(string policy, PolicyExpectation wanted)
    {
        if (await stage.Api.GetAsync(stage.PolicyPath(policy)) is not { } seen)
            return [$"policy {policy} is not there"];
        var status = seen["status"];
        var problems = new List<string>();
        if (Number(status?["observedGeneration"]) != Number(seen["metadata"]?["generation"]))
            problems.Add("the status is not of this generation");
        else
            problems.AddRange(Illegal(seen));
        problems.AddRange(Said(seen, "Ready", c => $"{c["status"]} {c["reason"]}", wanted.Ready));
        problems.AddRange(Said(seen, "Compliant", c => $"{c["status"]} {c["reason"]}", wanted.Compliant));
        problems.AddRange(Said(seen, "Reconciling", c => $"{c["reason"]}", wanted.Reconciling));
        problems.AddRange(Said(seen, "Stalled", c => $"{c["reason"]}", wanted.Stalled));
        problems.AddRange(Said(seen, "KeyUsable", c => $"{c["status"]} {c["reason"]}", wanted.KeyUsable));
        problems.AddRange(MessageProblems(seen, "Ready", wanted.Message));
        problems.AddRange(MessageProblems(seen, "KeyUsable", wanted.KeyMessage));
        foreach (var (bucket, row) in wanted.Rows)
            problems.AddRange(RowProblems(seen, bucket, row));
        if (wanted.Only is { } only && NamesOf(status) is var names && names != string.Join(", ", only))
            problems.Add($"the rows are of {names}; expected: {string.Join(", ", only)}");
        if (wanted.Status is { } parts)
            problems.AddRange(Matching.Problems(parts, status, "status"));
        var version = (string?)seen["metadata"]?["resourceVersion"] ?? "";
        if (wanted.Unchanged && _versions.GetValueOrDefault(policy) != version)
            problems.Add(
                $"somebody has written the policy: version {_versions.GetValueOrDefault(policy)}, now {version}"
            );
        if (wanted.Finalizer is { } finalizer && (seen["metadata"]?["finalizers"]?.AsArray().Count > 0) != finalizer)
            problems.Add($"finalizers: {seen["metadata"]?["finalizers"]?.ToJsonString()}");
        if (wanted.Columns.Count > 0)
            problems.AddRange(await ColumnProblemsAsync(policy, wanted.Columns));
        if (wanted.Events is { } events)
            problems.AddRange(await EventProblemsAsync(seen, events));
        if (wanted.Lacks.Count > 0)
            problems.AddRange(await LeakProblemsAsync(seen, wanted.Lacks));
        _versions[policy] = wanted.Unchanged ? _versions.GetValueOrDefault(policy, version) : version;
        return problems.Count == 0 ? [] : [$"policy {policy}:", .. problems, status?.ToJsonString() ?? "no status"];
    }

    private static IEnumerable<string> Illegal(JsonNode seen)
    {
        var policy = seen.Deserialize(ApiJsonContext.Default.BucketEncryptionPolicy)!;
        return policy.Status is { } status
            ? StatusRules.BrokenByItself(policy, status).Select(b => "the status is not legal: " + b)
            : [];
    }

    private static IEnumerable<string> Said(JsonNode policy, string type, Func<JsonNode, string> words, string? wanted)
    {
        var said = Cluster.Condition(policy, type) is { } condition ? words(condition) : "no";
        return wanted is null || said == wanted ? [] : [$"{type} is {said}, not {wanted}"];
    }

    private static IEnumerable<string> MessageProblems(JsonNode policy, string type, string? wanted) =>
        wanted is null
            ? []
            : Matching.Problems(
                JsonValue.Create(wanted),
                Cluster.Condition(policy, type)?["message"],
                $"the message of {type}"
            );

    private static IEnumerable<string> RowProblems(JsonNode seen, string bucket, JsonNode wanted)
    {
        var row = seen["status"]?["buckets"]?.AsArray().FirstOrDefault(b => (string?)b?["name"] == bucket);
        if (wanted is not JsonValue words)
            return Matching.Problems(wanted, row, bucket);
        var said = row is null ? "none" : $"{row["state"]} {row["error"]?["code"]}".Trim();
        return said == words.ToString() ? [] : [$"row {bucket} says {said}, not {words}"];
    }

    private async Task<IEnumerable<string>> ColumnProblemsAsync(string policy, Dictionary<string, string> wanted)
    {
        var table = await stage.Api.GetAsync(stage.PolicyPath(policy), Table);
        var names = table!["columnDefinitions"]!.AsArray().Select(c => (string?)c!["name"]).ToList();
        return wanted.SelectMany(w =>
            Matching.Problems(
                JsonValue.Create(w.Value),
                table["rows"]![0]!["cells"]![names.IndexOf(w.Key)],
                "column " + w.Key
            )
        );
    }

    /// <exception cref="InvalidOperationException">Such a text is there: no wait will mend that.</exception>
    private async Task<IEnumerable<string>> LeakProblemsAsync(JsonNode policy, List<string> texts)
    {
        var all = policy.ToJsonString() + string.Join('\n', (await EventsAsync(policy)).Select(e => e!.ToJsonString()));
        return texts.Find(t => all.Contains(t, StringComparison.Ordinal)) is { } text
            ? throw new InvalidOperationException($"\"{text}\" should not be there: {all}")
            : [];
    }

    private async Task<IEnumerable<JsonNode?>> EventsAsync(JsonNode policy)
    {
        var list = await stage.Api.GetAsync(
            $"/apis/events.k8s.io/v1/namespaces/{policy["metadata"]?["namespace"]}/events"
        );
        return (list?["items"]?.AsArray() ?? []).Where(e =>
            (string?)e?["regarding"]?["uid"] == (string?)policy["metadata"]?["uid"]
        );
    }

    private async Task<IEnumerable<string>> EventProblemsAsync(JsonNode policy, Dictionary<string, int> wanted)
    {
        var counts = (await EventsAsync(policy))
            .GroupBy(e => (string?)e!["reason"] ?? "", StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Sum(e => (int?)e!["series"]?["count"] ?? 1), StringComparer.Ordinal);
        string Listing(Dictionary<string, int> all) =>
            string.Join(", ", all.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}: {e.Value}"));
        return Listing(counts) == Listing(wanted) ? [] : [$"events are {Listing(counts)}; expected: {Listing(wanted)}"];
    }

    private static string NamesOf(JsonNode? status) =>
        string.Join(", ", status?["buckets"]?.AsArray().Select(b => (string?)b?["name"]) ?? []);

    private static bool IsNumber(string word, out long number) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static long? Number(JsonNode? node) => (long?)node;
}

/// <summary>Parts of a document against the whole.</summary>
internal static class Matching
{
    /// <summary>
    /// What is not named is not looked at; null: must not be there. A text may be <c>contains …</c> or <c>lacks …</c>.
    /// A list must have as many entries.
    /// </summary>
    public static IEnumerable<string> Problems(JsonNode? wanted, JsonNode? actual, string path) =>
        (wanted, actual) switch
        {
            (null, null) => [],
            (null, _) => [$"{path} is {actual.ToJsonString()}, and should not be there"],
            (JsonObject map, JsonObject or null) => map.SelectMany(part =>
                Problems(part.Value, actual?[part.Key], $"{path}.{part.Key}")
            ),
            (JsonArray list, JsonArray all) when list.Count == all.Count => list.Zip(all)
                .SelectMany((pair, i) => Problems(pair.First, pair.Second, $"{path}[{i}]")),
            (JsonValue text, JsonValue or null) when Is(text.ToString(), actual?.ToString()) => [],
            _ => [$"{path} is {actual?.ToJsonString() ?? "absent"}, not {wanted.ToJsonString()}"],
        };

    private static bool Is(string wanted, string? actual) =>
        wanted.StartsWith("contains ", StringComparison.Ordinal)
            ? actual?.Contains(wanted["contains ".Length..], StringComparison.Ordinal) == true
        : wanted.StartsWith("lacks ", StringComparison.Ordinal)
            ? actual?.Contains(wanted["lacks ".Length..], StringComparison.Ordinal) == false
        : wanted == actual;
}
