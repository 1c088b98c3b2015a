using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Telemetry;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Hosting;
using BucketEncryptionOperator.Tests.Reconciling;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Instrumentation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Tests.Telemetry;

/// <summary>
/// What a scrape says, through the SDK and our text format. The SDK hears a meter by its name, wherever in the process
/// it is: such tests run one after the other.
/// </summary>
[Collection(Meters)]
public sealed partial class ObservabilityTests : IDisposable
{
    public const string Meters = "meters of the process";

    private const string Bucket = "finance-archive";

    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketAddress Address = new(
        Bucket,
        new Uri("https://oss-cn-hangzhou.aliyuncs.com"),
        "cn-hangzhou",
        Addressing.VirtualHost,
        VendorOptions.None
    );

    private readonly ServiceProvider _services;
    private readonly Meter _meter = new(Observability.MeterName);

    public ObservabilityTests()
    {
        var services = new ServiceCollection();
        services.AddObservability("1.2.3", sendOtlp: false);
        _services = services.BuildServiceProvider();
        _ = _services.GetRequiredService<MeterProvider>();
    }

    public void Dispose()
    {
        _meter.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Every_kind_of_metric_is_written_as_prometheus_reads_it()
    {
        var counter = _meter.CreateCounter<long>("test_total", description: "Counts \\ and\nmore");
        var histogram = _meter.CreateHistogram(
            "test_seconds",
            "s",
            "Times",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] }
        );
        _meter.CreateObservableGauge("test_state", () => new[] { Which(0.25, "a"), Which(2, "b") }, description: "Is");
        _meter.CreateObservableUpDownCounter("test.count", () => -1L, "{thing}", "Is there");
        counter.Add(2, new KeyValuePair<string, object?>("text", "a \"quoted\\\nline"));
        histogram.Record(0.25);
        histogram.Record(0.75);
        histogram.Record(4);

        var first = Scrape();
        var second = Scrape();

        Assert.Equal(
            """
            # HELP test_total Counts \\ and\nmore
            # TYPE test_total counter
            test_total{text="a \"quoted\\\nline"} 2
            # HELP test_seconds Times
            # TYPE test_seconds histogram
            test_seconds_bucket{le="0.5"} 1
            test_seconds_bucket{le="1"} 2
            test_seconds_bucket{le="+Inf"} 3
            test_seconds_sum 5
            test_seconds_count 3
            # HELP test_state Is
            # TYPE test_state gauge
            test_state{which="a"} 0.25
            test_state{which="b"} 2
            # HELP test Is there
            # TYPE test gauge
            test -1

            """,
            string.Concat(LinesOf(first, "test").Select(l => l + "\n"))
        );
        Assert.Equal(LinesOf(first, "test"), LinesOf(second, "test"));
    }

    /// <summary>Prometheus must see neither a last value without end nor NaN, which makes every sum NaN.</summary>
    [Fact]
    public void A_series_that_ends_is_gone_at_the_next_scrape_and_may_come_back()
    {
        string[] there = ["a", "b"];
        _meter.CreateObservableGauge("test_gauge", () => there.Select(w => Which(0.5, w)), description: "Is");
        _meter.CreateObservableCounter("test_total", () => there.Select(w => Which(1, w)), description: "Counts");
        _meter.CreateObservableUpDownCounter("test_sum", () => there.Select(w => Which(2, w)), description: "Is");

        var scrapes = new List<string>();
        foreach (var round in new string[][] { ["a", "b"], ["b"], [], ["a"] })
        {
            there = round;
            scrapes.Add(string.Join(' ', LinesOf(Scrape(), "test").Where(l => l[0] != '#')));
        }

        Assert.Equal(
            [
                """test_gauge{which="a"} 0.5 test_gauge{which="b"} 0.5 """
                    + """test_total{which="a"} 1 test_total{which="b"} 1 """
                    + """test_sum{which="a"} 2 test_sum{which="b"} 2""",
                """test_gauge{which="b"} 0.5 test_total{which="b"} 1 test_sum{which="b"} 2""",
                "",
                """test_gauge{which="a"} 0.5 test_total{which="a"} 1 test_sum{which="a"} 2""",
            ],
            scrapes
        );
    }

    /// <summary>
    /// Callbacks run for every reader at once, so each reader may see a series that another has collected.
    /// </summary>
    [Fact]
    public void Beside_otlp_a_series_that_ends_is_gone_at_the_second_scrape_at_the_latest()
    {
        var other = new PrometheusExporter();
        var services = new ServiceCollection();
        services.AddObservability("1.2.3", sendOtlp: false);
        services.ConfigureOpenTelemetryMeterProvider(m => m.AddReader(new BaseExportingMetricReader(other)));
        using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredService<MeterProvider>();
        var prometheus = provider.GetRequiredService<PrometheusExporter>();
        string[] there = ["a"];
        _meter.CreateObservableGauge("test_gauge", () => there.Select(w => Which(0.5, w)), description: "Is");

        var texts = new List<string?> { prometheus.Read(), other.Read() };
        there = [];
        texts.AddRange([prometheus.Read(), other.Read(), prometheus.Read(), other.Read()]);

        Assert.Equal(
            [true, true],
            texts.Take(2).Select(t => t!.Contains("test_gauge{which=\"a\"} 0.5", StringComparison.Ordinal))
        );
        Assert.All(texts.TakeLast(2), t => Assert.DoesNotContain("test_gauge", t, StringComparison.Ordinal));
        Assert.All(texts, t => Assert.DoesNotContain("NaN", t, StringComparison.Ordinal));
    }

    /// <summary>
    /// Hosted services are made before the first of them starts, and may measure in their constructors.
    /// </summary>
    [Fact]
    public async Task What_is_counted_while_the_host_starts_is_on_the_first_scrape()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddHostedService(_ => new CountsInItsConstructor(_meter));
        builder.Services.AddOperator(ServicesTests.Connection);
        builder.Services.AddRoutingCore();
        builder.Services.Remove(builder.Services.Single(s => s.ImplementationType == typeof(OperatorService)));
        await using var app = builder.Build();
        app.MapMetrics();
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        using var answer = await http.GetAsync(new Uri("/metrics", UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();

        Assert.Equal(PrometheusText.ContentType, $"{answer.Content.Headers.ContentType}");
        Assert.Contains("test_started_total 1\n", text, StringComparison.Ordinal);
        Assert.Contains("bucketencryption_build_info{version=", text, StringComparison.Ordinal);
    }

    private sealed class CountsInItsConstructor : BackgroundService
    {
        public CountsInItsConstructor(Meter meter) =>
            meter.CreateCounter<long>("test_started_total", description: "Counts").Add(1);

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;
    }

    [Fact]
    public void A_vendor_that_makes_up_label_values_makes_up_no_series_without_end()
    {
        var counter = _meter.CreateCounter<long>("test_total", description: "Counts");
        for (var i = 0; i < 5000; i++)
            counter.Add(1, new KeyValuePair<string, object?>("code", $"code-{i}"));

        var lines = LinesOf(Scrape(), "test_total");

        Assert.InRange(lines.Count, 200, 310);
        Assert.Contains(lines, l => l.StartsWith("test_total{otel_metric_overflow=\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("an answer that is good", null, null, "OK")]
    [InlineData("a code of the vendor's table", "MetaOperationQpsLimitExceeded", 503, "MetaOperationQpsLimitExceeded")]
    [InlineData("a bucket without encryption", "NoSuchServerSideEncryptionRule", 404, "NoSuchServerSideEncryptionRule")]
    [InlineData("a code that nobody has written down", "MadeUp123", 418, "Other")]
    [InlineData("no answer: a word of ours", "Timeout", null, "Timeout")]
    public void Requests_are_counted_by_codes_that_are_known(
        string sentence,
        string? code,
        int? status,
        string expected
    )
    {
        var metrics = new VendorMetrics(_meter, TimeProvider.System).Of(VendorCatalog.Find("AlibabaOSS")!);
        using (var call = metrics.Begin("GetBucketEncryption", Address))
            call.Ended(
                code is null
                    ? null
                    : new Failure(FailureKind.Transient, "GetBucketEncryption", code) { HttpStatus = status }
            );

        var text = Scrape();

        Assert.True(
            text.Contains(
                $"bucketencryption_vendor_requests_total{{code=\"{expected}\","
                    + "operation=\"GetBucketEncryption\",vendor=\"AlibabaOSS\"} 1\n",
                StringComparison.Ordinal
            )
                || Labels(text, "bucketencryption_vendor_requests_total")
                    .SetEquals([$"code=\"{expected}\"", "operation=\"GetBucketEncryption\"", "vendor=\"AlibabaOSS\""]),
            sentence + "\n" + text
        );
        Assert.Contains("bucketencryption_vendor_request_duration_seconds_count{", text, StringComparison.Ordinal);
    }

    /// <summary>
    /// Settled, a bucket's telling is nothing but arithmetic: no memory for it, however many there are.
    /// </summary>
    [Fact]
    public void Counting_a_vendor_request_allocates_nothing()
    {
        var metrics = new VendorMetrics(_meter, TimeProvider.System).Of(VendorCatalog.Find("AlibabaOSS")!);
        void Call()
        {
            using var call = metrics.Begin("GetBucketEncryption", Address);
            call.Ended(failure: null);
        }
        for (var i = 0; i < 100; i++)
            Call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Call();
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(bytes, 0, 1000); // less than a byte a call: the SDK may make something of its own once
    }

    /// <summary>All metrics of the operator, with what the lint of promtool asks for.</summary>
    [Fact]
    public async Task Names_are_as_prometheus_wants_them()
    {
        await using var bench = new Workbench(meter: _meter);
        using var limits = new VendorLimits(bench.Time);
        using var runtime = new Meter(RuntimeMetrics.MeterName);
        _ = new RuntimeMetrics(runtime);
        _ = new StateMetrics(
            _meter,
            new StateSources(bench.Policies, bench.Metrics, bench.Breakers, limits, () => false, VendorCatalog.All),
            "1.2.3",
            perBucket: true
        );
        _ = new AccountMetrics(_meter, bench.Policies, _ => "AlibabaOSS");
        GC.Collect();

        var text = Scrape();

        var types = Type()
            .Matches(text)
            .Select(m => (Name: m.Groups["name"].Value, Type: m.Groups["type"].Value))
            .ToList();
        Assert.InRange(types.Count, 25, 100);
        Assert.Equal(types.Count, types.Select(t => t.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(types, t => Assert.Matches("^[a-z][a-z_]*$", t.Name));
        Assert.All(
            types,
            t => Assert.True((t.Type == "counter") == t.Name.EndsWith("_total", StringComparison.Ordinal), t.Name)
        );
        Assert.All(types, t => Assert.DoesNotMatch("_(count|sum|bucket|info_total)$", t.Name));
        Assert.All(types, t => Assert.Matches($"# HELP {t.Name} [A-Z0-9]", text));
        Assert.All(LabelName().Matches(text), m => Assert.Matches("^[a-z][a-z_]*$", m.Groups["name"].Value));
    }

    [Fact]
    public void The_runtimes_own_metrics_are_few_and_on_the_page()
    {
        GC.Collect();
        ThrowAndCatch();

        var lines = LinesOf(Scrape(), "dotnet").Where(l => l[0] != '#').ToList();

        var names = lines
            .Select(l => l.Split('{', ' ')[0])
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        var page = DotnetName()
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs/metrics.md")))
            .Select(m => m.Value);
        Assert.Equal(
            page.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            names,
            StringComparer.Ordinal
        );
        Assert.Contains(
            """dotnet_exceptions_total{error_type="InvalidOperationException"} """,
            Scrape(),
            StringComparison.Ordinal
        );
        Assert.InRange(lines.Count(l => !l.StartsWith("dotnet_exceptions", StringComparison.Ordinal)), 20, 40);

        static void ThrowAndCatch()
        {
            try
            {
                throw new InvalidOperationException("a test's");
            }
            catch (InvalidOperationException)
            {
                // counted all the same
            }
        }
    }

    private static Measurement<double> Which(double value, string which) =>
        new(value, new KeyValuePair<string, object?>("which", which));

    /// <summary>Of metrics whose names begin so, in the order of the text.</summary>
    private static List<string> LinesOf(string text, string prefix) =>
        [
            .. text.Split('\n')
                .Where(l =>
                    l.Replace("# HELP ", "", StringComparison.Ordinal)
                        .Replace("# TYPE ", "", StringComparison.Ordinal)
                        .StartsWith(prefix, StringComparison.Ordinal)
                ),
        ];

    private string Scrape() =>
        _services.GetRequiredService<PrometheusExporter>().Read()
        ?? throw new InvalidOperationException("nothing was collected");

    /// <summary>Of the one series of a metric that has a label value; null where there is none.</summary>
    private double? Value(string metric, string? label = null)
    {
        var line = Scrape()
            .Split('\n')
            .SingleOrDefault(l =>
                Regex.IsMatch(l, $"^{metric}[{{ ]", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
                && (label is null || l.Contains($"\"{label}\"", StringComparison.Ordinal))
            );
        return line is null
            ? null
            : double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Of the first series of a metric.</summary>
    private static HashSet<string> Labels(string text, string metric) =>
        [
            .. (text.Split('\n').FirstOrDefault(l => l.StartsWith(metric + "{", StringComparison.Ordinal)) ?? "")
                .Split('{', '}')
                .ElementAtOrDefault(1)
                ?.Split(',')
                ?? [],
        ];

    [GeneratedRegex("^# TYPE (?<name>\\S+) (?<type>[a-z]+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Type();

    [GeneratedRegex("[{,](?<name>[^=,{}\"]+)=\"", RegexOptions.ExplicitCapture)]
    private static partial Regex LabelName();

    [GeneratedRegex("dotnet_[a-z_]+")]
    private static partial Regex DotnetName();
}
