using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Api;
using BucketEncryptionOperator.Tests.Fakes;
using YamlDotNet.RepresentationModel;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class ServedSchemaTests
{
    private static readonly (string Kind, string File)[] Crds =
    [
        (ApiResources.Policy, "bucketencryptionpolicies.yaml"),
        (ApiResources.BucketStore, "bucketstores.yaml"),
        (ApiResources.ClusterBucketStore, "clusterbucketstores.yaml"),
    ];

    private static readonly JsonObject Published = Publish();

    public static TheoryData<string> AllKinds => [.. Crds.Select(c => c.Kind)];

    [Fact]
    public void Nothing_is_missing_where_the_crds_of_this_version_are_served() =>
        Assert.Empty(Missing(Document(), [.. Crds.Select(c => c.Kind)]));

    /// <summary>Each field in turn is taken out of the CRD; it, and nothing else, must be missed.</summary>
    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Every_single_field_that_an_older_crd_lacks_is_named(string kind)
    {
        var paths = CrdSchema
            .Load(Crds.Single(c => c.Kind == kind).File)
            .Paths()
            .Where(p =>
                p.StartsWith("spec.", StringComparison.Ordinal) || p.StartsWith("status.", StringComparison.Ordinal)
            )
            .ToList();

        Assert.NotEmpty(paths);
        Assert.All(
            paths,
            path =>
            {
                var document = Document();
                Remove(document["components"]!["schemas"]!["io.bucketencryption.v1alpha1." + kind]!, path.Split('.'));

                Assert.Equal([$"{kind}.{path}"], Missing(document, [kind]));
            }
        );
    }

    [Fact]
    public void A_kind_that_is_not_served_is_named_and_one_that_nobody_asked_for_is_not_missed()
    {
        var document = Document();
        ((JsonObject)document["components"]!["schemas"]!).Remove(
            "io.bucketencryption.v1alpha1." + ApiResources.ClusterBucketStore
        );

        Assert.Equal(
            [ApiResources.ClusterBucketStore],
            Missing(document, [ApiResources.Policy, ApiResources.ClusterBucketStore])
        );
        Assert.Empty(Missing(document, [ApiResources.Policy, ApiResources.BucketStore]));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"components": {}}""")]
    [InlineData("""{"components": {"schemas": {"other": {"type": "object"}}}}""")]
    public void A_document_without_our_kinds_misses_them(string document) =>
        Assert.Equal(
            [ApiResources.Policy, ApiResources.BucketStore],
            Missing(JsonNode.Parse(document)!, [ApiResources.Policy, ApiResources.BucketStore])
        );

    [Fact]
    public void A_newer_crd_with_more_fields_is_no_problem()
    {
        var document = Document();
        document["components"]!["schemas"]!["io.bucketencryption.v1alpha1." + ApiResources.Policy]!["properties"]![
            "spec"
        ]!["properties"]!["fromTheFuture"] = new JsonObject { ["type"] = "string" };

        Assert.Empty(Missing(document, [ApiResources.Policy]));
    }

    /// <summary>
    /// As the API server publishes CRDs: by a name that is nobody's business, with the kinds that a schema is of.
    /// </summary>
    internal static JsonNode Document() => Published.DeepClone();

    private static JsonObject Publish()
    {
        var schemas = new JsonObject();
        foreach (var (kind, file) in Crds)
        {
            var yaml = new YamlStream();
            using var reader = new StreamReader(Path.Combine(Repository.Root, "crds", file));
            yaml.Load(reader);
            var schema = ToJson(yaml.Documents[0].RootNode["spec"]["versions"][0]["schema"]["openAPIV3Schema"])!;
            schema["x-kubernetes-group-version-kind"] = new JsonArray(
                new JsonObject
                {
                    ["group"] = ApiResources.Group,
                    ["version"] = ApiResources.Version,
                    ["kind"] = kind,
                }
            );
            schemas["io.bucketencryption.v1alpha1." + kind] = schema;
        }
        return new JsonObject { ["components"] = new JsonObject { ["schemas"] = schemas } };
    }

    private static IReadOnlyList<string> Missing(JsonNode document, string[] kinds) =>
        ServedSchema.Missing(JsonSerializer.SerializeToElement(document), kinds);

    private static void Remove(JsonNode schema, ReadOnlySpan<string> path)
    {
        var properties = (JsonObject)(schema["items"] ?? schema)["properties"]!;
        if (path.Length == 1)
            Assert.True(properties.Remove(path[0]));
        else
            Remove(properties[path[0]]!, path[1..]);
    }

    /// <summary>Scalars as texts: only the shape is of interest.</summary>
    private static JsonNode? ToJson(YamlNode node) =>
        node switch
        {
            YamlMappingNode map => new JsonObject(
                map.Children.Select(p => KeyValuePair.Create(((YamlScalarNode)p.Key).Value!, ToJson(p.Value)))
            ),
            YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
            _ => JsonValue.Create(((YamlScalarNode)node).Value),
        };
}
