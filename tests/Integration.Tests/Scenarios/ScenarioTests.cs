using System.Globalization;
using System.Text.Json.Nodes;
using Integration.Tests.Harness;

namespace Integration.Tests.Scenarios;

/// <summary>
/// Plays tests/scenarios: one API server, vendors behind one proxy, one operator for all scenarios that do not stop
/// theirs or start it in another way. Most of a scenario is waiting, so many play at a time; the tests below only fetch
/// what came of each.
/// </summary>
public sealed class ScenarioSuite : IAsyncLifetime
{
    private const int AtATime = 24;

    /// <summary>An operator watches each of its namespaces.</summary>
    private const int NamespacesAnOperator = 90;

    private const string Watched = "--watch-namespaces";

    /// <summary>Where the result of each scenario goes, one line each, for make scenarios.</summary>
    private static readonly string? Report = Environment.GetEnvironmentVariable("BEO_SCENARIO_REPORT");

    /// <summary>Part of a file's path: only these are played.</summary>
    private static readonly string Chosen = Environment.GetEnvironmentVariable("BEO_SCENARIO") ?? "";

    private readonly Dictionary<string, Task> _results = new(StringComparer.Ordinal);
    private readonly List<OperatorProcess> _operators = [];
    private readonly Lock _reporting = new();
    private ApiServer? _server;
    private VendorStreet? _street;
    private KubeApi? _api;

    /// <summary>Files that are to be played.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [.. ScenarioReader.Files.Where(f => f.Contains(Chosen, StringComparison.Ordinal))];

    public Task ResultOf(string file) => _results[file];

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        _street = await VendorStreet.OpenAsync();
        _api = KubeApi.Open(_server.Kubeconfig);
        await new Cluster(_server.Kubeconfig).InstallAsync();
        var (status, body) = await _api.ApplyAsync(
            $"/api/v1/namespaces/{Stage.ClusterSecrets}",
            new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace" }
        );
        KubeApi.Done(status, body, "the namespace of the Secrets");

        var stages = new List<Stage>();
        foreach (var (number, file) in Files.Index())
        {
            try
            {
                stages.Add(
                    new Stage(
                        ScenarioReader.Read(file, Stage.Fill(ScenarioReader.Text(file), file, number)),
                        number,
                        _api,
                        _street
                    )
                    {
                        TokenKey = _server.TokenKey,
                    }
                );
            }
            catch (FormatException e)
            {
                _results[file] = Task.FromException(e);
                Tell(file, file, "FAILED", TimeSpan.Zero);
            }
        }
        // A store that comes into sight after its policy is one more reason to look: what is given is there first
        await Task.WhenAll(stages.Select(s => s.SetAsync()));
        foreach (
            var part in stages
                .Where(s => !s.Scenario.HasOwnOperator)
                .SelectMany(s => s.Namespaces)
                .Chunk(NamespacesAnOperator)
        )
            _operators.Add(
                await LaunchAsync(
                    stages.Select(s => s.Region),
                    part,
                    ["--cluster-stores", "--cluster-resource-namespace", Stage.ClusterSecrets, "--workers", "16"]
                )
            );
        var turns = new SemaphoreSlim(AtATime);
        foreach (var stage in stages.OrderBy(s => s.Scenario.Slow is null).ThenBy(s => !s.Scenario.HasOwnOperator))
            _results[stage.Scenario.File] = PlayAsync(stage, turns);
    }

    public async Task DisposeAsync()
    {
        await Task.WhenAll(_results.Values.Select(r => r.ContinueWith(_ => { }, TaskScheduler.Default)));
        foreach (var op in _operators)
            await op.DisposeAsync();
        _api?.Dispose();
        if (_street is not null)
            await _street.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task PlayAsync(Stage stage, SemaphoreSlim turns)
    {
        await turns.WaitAsync();
        var since = TimeProvider.System.GetTimestamp();
        var verdict = "FAILED";
        try
        {
            await new Play(
                stage,
                async own => await LaunchAsync([own.Region], own.Namespaces, await FlagsOfAsync(own))
            ).RunAsync();
            verdict = "ok";
        }
        catch (InvalidOperationException e) when (!stage.Scenario.HasOwnOperator)
        {
            throw new InvalidOperationException($"{e.Message}\n{Play.LogOf(stage, _operators)}", e);
        }
        finally
        {
            turns.Release();
            Tell(stage.Scenario.File, stage.Scenario.Title, verdict, TimeProvider.System.GetElapsedTime(since));
        }
    }

    /// <summary>The scenario's flags; <c>${sts}</c> in them is where its vendors' token services listen.</summary>
    private async Task<IReadOnlyList<string>> FlagsOfAsync(Stage stage)
    {
        var flags = stage.Scenario.Flags ?? [];
        if (!flags.Exists(f => f.Contains("${sts}", StringComparison.Ordinal)))
            return flags;
        var services = await _street!.OpenTokenServicesAsync(stage.Number);
        return [.. flags.Select(f => f.Replace("${sts}", services, StringComparison.Ordinal))];
    }

    private async Task<OperatorProcess> LaunchAsync(
        IEnumerable<string> regions,
        IEnumerable<string> namespaces,
        IEnumerable<string> flags
    )
    {
        var proxy = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["http_proxy"] = _street!.Url.GetLeftPart(UriPartial.Authority),
            ["no_proxy"] = "",
        };
        var allowed = VendorStreet.Endpoints.SelectMany(e => new[] { "--allowed-endpoints", e });
        var partitions = string.Join(',', regions.SelectMany(VendorStreet.Partitions));
        var op = OperatorProcess.Launch(
            _server!.Kubeconfig,
            _street.Url,
            proxy,
            [
                "--partitions",
                partitions,
                .. flags.Contains(Watched, StringComparer.Ordinal)
                    ? []
                    : (string[])[Watched, string.Join(',', namespaces)],
                .. allowed,
                .. flags,
            ]
        );
        await op.WhenReadyAsync();
        return op;
    }

    private void Tell(string file, string title, string verdict, TimeSpan took)
    {
        if (Report is null)
            return;
        lock (_reporting)
            File.AppendAllText(
                Report,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Path.GetDirectoryName(file)}\t{verdict}\t{took.TotalSeconds:0.0}\t{title}\n"
                )
            );
    }
}

public sealed class ScenarioTests(ScenarioSuite suite) : IClassFixture<ScenarioSuite>
{
    public static TheoryData<string> Files => [.. ScenarioSuite.Files];

    [Theory]
    [MemberData(nameof(Files))]
    public Task The_product_does_what_the_file_says(string file) => suite.ResultOf(file);
}
