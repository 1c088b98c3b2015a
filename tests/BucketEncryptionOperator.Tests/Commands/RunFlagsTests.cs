using System.Text.RegularExpressions;
using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Tests.Fakes;
using YamlDotNet.RepresentationModel;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>docs/flags.md and the chart say of each flag what <see cref="RunFlags"/> declares.</summary>
public sealed partial class RunFlagsTests
{
    private const string ChartFolder = "charts/bucket-encryption-operator";

    /// <summary>
    /// Flags whose value the chart takes from elsewhere than values.yaml, or that it sets for every release.
    /// </summary>
    private static readonly string[] ChartsOwn =
    [
        "--http-address",
        "--lease-namespace",
        "--lease-name",
        "--cluster-stores",
        "--cluster-resource-namespace",
    ];

    [Fact]
    public void The_page_has_one_row_per_flag_in_the_order_of_the_help()
    {
        var rows = Rows();

        Assert.Equal(RunFlags.All.Select(f => f.Name), rows.Select(r => r.Name));
    }

    [Fact]
    public void The_page_says_the_default_and_the_help_of_every_flag() =>
        Assert.All(
            RunFlags.All.Zip(Rows()),
            pair =>
            {
                Assert.Equal((pair.First.Name, pair.First.Default), (pair.First.Name, pair.Second.Default));
                Assert.StartsWith(pair.First.Help, pair.Second.What, StringComparison.Ordinal);
            }
        );

    [Fact]
    public void Every_setting_but_the_time_of_a_reconcile_has_a_flag()
    {
        var parsed = RunCommand.Build().Parse(Given);
        var options = new OperatorOptions();

        RunFlags.Fill(options, parsed);

        Assert.Empty(parsed.Errors);
        var defaults = new OperatorOptions();
        Assert.Equal(
            [nameof(OperatorOptions.ReconcileTimeout)],
            typeof(OperatorOptions)
                .GetProperties()
                .Where(p => Equals(p.GetValue(options), p.GetValue(defaults)))
                .Select(p => p.Name)
        );
    }

    [Fact]
    public void Without_flags_the_settings_are_the_defaults()
    {
        var options = new OperatorOptions();

        RunFlags.Fill(options, RunCommand.Build().Parse([]));

        Assert.Equivalent(new OperatorOptions(), options, strict: true);
    }

    [Fact]
    public void The_chart_passes_known_flags_with_the_same_defaults()
    {
        var values = Values();
        var passed = ChartFlag()
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, ChartFolder, "templates/deployment.yaml")))
            .Select(m => (Name: m.Groups["name"].Value, Value: m.Groups["value"].Value))
            .ToList();

        Assert.InRange(passed.Count, 15, 40);
        Assert.Empty(passed.Select(p => p.Name).Except(RunFlags.All.Select(f => f.Name)));
        Assert.All(
            passed.Where(p => p.Value.Length > 0 && !ChartsOwn.Contains(p.Name)),
            p =>
                Assert.Equal(
                    (p.Name, RunFlags.All.Single(f => f.Name == p.Name).Default),
                    (p.Name, p.Value.Split('.').Aggregate(values, (node, key) => node[key]).ToString())
                )
        );
    }

    /// <summary>No value is the default.</summary>
    private static string[] Given =>
        [
            "--kubeconfig=k",
            "--context=c",
            "--watch-namespaces=a,b",
            "--cluster-stores=false",
            "--cluster-resource-namespace=n",
            "--allowed-endpoints=a.example.com",
            "--partitions=p=a.example.com",
            "--key-checks=false",
            "--ambient-credentials-in-namespaced-stores",
            "--sts-endpoint=https://s",
            "--metadata-endpoint=http://127.0.0.1:1",
            "--workers=1",
            "--bucket-concurrency=1",
            "--vendor-timeout=1",
            "--drain-timeout=1",
            "--leader-elect",
            "--lease-namespace=l",
            "--lease-name=l",
            "--lease-duration=5",
            "--read-only",
            "--evidence-interval=1",
            "--http-address=127.0.0.1:0",
            "--metrics-per-bucket",
            "--log-format=plain",
            "--log-level=debug",
            "--admin-address=127.0.0.1:1",
        ];

    private static List<(string Name, string Default, string What)> Rows() =>
        [
            .. File.ReadLines(Path.Combine(Repository.Root, "docs/flags.md"))
                .Where(line => line.StartsWith("| `--", StringComparison.Ordinal))
                .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
                .Select(cells => (Plain(cells[1]), Plain(cells[2]), Plain(cells[3]))),
        ];

    private static string Plain(string markdown) =>
        Link().Replace(markdown, "${text}").Replace("`", "", StringComparison.Ordinal);

    private static YamlNode Values()
    {
        var yaml = new YamlStream();
        using var text = File.OpenText(Path.Combine(Repository.Root, ChartFolder, "values.yaml"));
        yaml.Load(text);
        return yaml.Documents[0].RootNode;
    }

    [GeneratedRegex(@"\[(?<text>[^\]]+)\]\([^)]+\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();

    [GeneratedRegex(
        @"^\s+- (?<name>--[a-z-]+)(=\{\{ \.Values\.(?<value>[A-Za-z.]+) \}\})?",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline
    )]
    private static partial Regex ChartFlag();
}
