using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Manifests;
using Integration.Tests.Harness;
using TestKit;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// The offline check beside the API server: over generated objects (SEED repeats a run), each accepts just what the
/// other accepts.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class OfflineRulesTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int Cases = 3000;
    private const string Group = "/apis/bucketencryption.io/v1alpha1";

    private static readonly Dictionary<string, string> Paths = new(StringComparer.Ordinal)
    {
        ["BucketEncryptionPolicy"] = $"{Group}/namespaces/default/bucketencryptionpolicies",
        ["BucketStore"] = $"{Group}/namespaces/default/bucketstores",
        ["ClusterBucketStore"] = $"{Group}/clusterbucketstores",
    };

    [Fact]
    public async Task What_the_offline_check_accepts_the_cluster_accepts_and_nothing_else()
    {
        using var api = KubeApi.Open(fixture.Server.Kubeconfig);
        var kinds = CustomResource.LoadAll();
        var objects = new RandomObjects(RandomSeed.NewRandom(output.WriteLine), kinds);
        var (accepted, refused) = (0, 0);
        var differences = new List<string>();
        for (var i = 0; i < RandomSeed.Cases(Cases); i++)
        {
            var (kind, sample) = objects.Next();
            var ours = Problems(kinds[kind], sample);
            var (status, answer) = await api.DryCreateAsync(Paths[kind], sample);
            var isAccepted = (int)status < 300;
            (accepted, refused) = isAccepted ? (accepted + 1, refused) : (accepted, refused + 1);
            if (isAccepted != (ours.Count == 0))
                differences.Add(
                    $"{sample.ToJsonString()}\n  server: {(int)status} {answer["message"]}"
                        + $"\n  here: {string.Join("; ", ours)}"
                );
        }

        output.WriteLine($"{accepted} accepted, {refused} refused");
        Assert.True(
            differences.Count == 0,
            $"{differences.Count} differences\n{string.Join('\n', differences.Take(20))}"
        );
        Assert.True(accepted > Cases / 100 && refused > Cases / 100, $"{accepted} accepted, {refused} refused");
    }

    /// <summary>What a plain word of YAML is, as kubectl sends it.</summary>
    [Fact]
    public async Task A_word_of_YAML_means_what_it_means_to_kubectl()
    {
        string[] words =
        [
            "y",
            "n",
            "yes",
            "No",
            "on",
            "OFF",
            "true",
            "False",
            "~",
            "null",
            "Null",
            "''",
            "'~'",
            "\"5\"",
            "5",
            "-5",
            "+5",
            "05",
            "08",
            "-012",
            "0o17",
            "0x1F",
            "0b101",
            "1_000",
            "1_0.5",
            "5.0",
            "5.",
            ".5",
            "-.5",
            "1e3",
            "1E3",
            "1e21",
            "1e-2",
            "2.50",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "18446744073709551616",
            "2026-01-02",
            "2026-01-02T03:04:05Z",
            "1:30",
            "1.2.3",
            "10m",
            "0x",
            "0xZ",
            "-",
            "--",
            ".",
            "..",
            "+",
            "!!str 5",
            "!!int '5'",
            "abc",
            "None",
            "NaN",
            "Inf",
            "1__0",
            "_1",
            "1_",
            "0b2",
            "0o8",
            "=",
            "1e400x",
            "nULL",
            "tRue",
        ];
        var yaml =
            "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketStore\nmetadata: {name: words}\nspec:\n"
            + string.Concat(words.Select(w => $"- {w}\n"));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, yaml);
            var printed = await fixture.Cluster.KubectlAsync(
                "create",
                "--dry-run=client",
                "--validate=false",
                "-o",
                "json",
                "-f",
                file
            );

            var theirs = JsonNode.Parse(printed)!["spec"]!.AsArray().Select(Shown);

            var ours = (ManifestNode.Map)YamlReader.Read("words", new StringReader(yaml)).Single();
            var read = ((ManifestNode.List)ours["spec"]!).Items.Select(i => Shown(Json(i)));
            Assert.Equal(
                words.Zip(theirs, (w, v) => $"{w} is {v}"),
                words.Zip(read, (w, v) => $"{w} is {v}"),
                StringComparer.Ordinal
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static List<string> Problems(CustomResource kind, JsonObject sample)
    {
        var node = (ManifestNode.Map)YamlReader.Read("sample", new StringReader(sample.ToJsonString())).Single();
        return [.. ObjectValidator.Check(node, kind.Schema).Problems.Select(p => p.ToString())];
    }

    private static string Shown(JsonNode? node) =>
        node?.GetValueKind() switch
        {
            null => "null",
            JsonValueKind.Number => $"number {node.GetValue<double>():R}",
            var kind => $"{kind} {node}",
        };

    private static JsonNode? Json(ManifestNode node)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            node.Write(json);
        return JsonNode.Parse(buffer.ToArray());
    }
}
