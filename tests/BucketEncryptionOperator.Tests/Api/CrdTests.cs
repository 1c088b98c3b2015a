using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Api;

/// <summary>The CRDs are the source of truth; the C# records must say the same, no more and no less.</summary>
public sealed class CrdTests
{
    private static readonly CrdSchema Policy = CrdSchema.Load("bucketencryptionpolicies.yaml");
    private static readonly CrdSchema ClusterStore = CrdSchema.Load("clusterbucketstores.yaml");
    private static readonly CrdSchema Store = CrdSchema.Load("bucketstores.yaml");

    [Fact]
    public void Policy_spec_has_the_properties_of_the_records() => AssertSame(Policy["spec"], typeof(PolicySpec));

    [Fact]
    public void Policy_status_has_the_properties_of_the_records() => AssertSame(Policy["status"], typeof(PolicyStatus));

    [Fact]
    public void Store_spec_has_the_properties_of_the_records() => AssertSame(Store["spec"], typeof(BucketStoreSpec));

    [Fact]
    public void Cluster_store_spec_has_the_properties_of_the_records() =>
        AssertSame(ClusterStore["spec"], typeof(ClusterBucketStoreSpec));

    /// <summary>To the letter, texts and rules too: who changes one of the two must change the other.</summary>
    [Fact]
    public void A_store_of_the_cluster_is_a_store_and_says_who_may_use_it_and_which_partition_it_is()
    {
        var difference = ClusterStore["spec"]
            .Differences(Store["spec"], "spec")
            .Concat(ClusterStore["status"].Differences(Store["status"], "status"));

        Assert.Equal(
            ["spec.properties.allowedNamespaces", "spec.properties.partition"],
            difference.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Store_status_has_the_properties_of_the_records() => AssertSame(Store["status"], typeof(StoreStatus));

    [Fact]
    public void Row_states_are_the_enum() =>
        Assert.Equal(
            Policy["status"]["buckets"].Items!["state"].Enum.Order(),
            new[]
            {
                BucketStatus.InSync,
                BucketStatus.Drifted,
                BucketStatus.Failed,
                BucketStatus.Unknown,
                BucketStatus.Releasing,
            }.Order()
        );

    [Fact]
    public void Condition_statuses_are_the_enum() =>
        Assert.Equal(
            Policy["status"]["conditions"].Items!["status"].Enum.Order(),
            new[] { Condition.True, Condition.False, Condition.Unknown }.Order()
        );

    [Fact]
    public void Vendors_are_the_enum() => Assert.Equal(Store["spec"]["vendor"].Enum, VendorCatalog.Names.Split(", "));

    [Fact]
    public void Every_algorithm_cipher_blocked_type_and_addressing_of_the_enums_is_read()
    {
        var reader = new StoreReader(
            new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints),
            Partitions.None,
            new KeySourceReader(AmbientRules.None)
        );
        var encryption = Policy["spec"]["encryption"];
        var specs = encryption["algorithm"]
            .Enum.Select(a => new EncryptionSpec { Algorithm = a })
            .Concat(
                encryption["kmsDataEncryption"]
                    .Enum.Select(c => new EncryptionSpec { Algorithm = "KMS", KmsDataEncryption = c })
            )
            .Concat(
                encryption["blockedEncryptionTypes"]
                    .Items!.Enum.Select(t => new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = [t] })
            );

        var failures = specs
            .Select(s =>
                reader
                    .ReadWith(
                        Given.Policy().With(s),
                        s.Algorithm == "DSSE" || s.BlockedEncryptionTypes is not null
                            ? Given.Store("S3", "eu-west-1")
                            : Given.Store()
                    )
                    .Failure
            )
            .Concat(
                Store["spec"]
                    ["addressing"]
                    .Enum.Select(a =>
                        reader
                            .ReadWith(Given.Policy(), Given.Store().At("https://oss-cn-hangzhou.aliyuncs.com", a))
                            .Failure
                    )
            );

        Assert.All(failures, Assert.Null);
    }

    /// <summary>
    /// The checker that every status goes through in the other tests must itself find what an API server would refuse.
    /// </summary>
    [Theory]
    [InlineData("an unknown property", """{"x": 1}""", "status.x is not in the CRD")]
    [InlineData("a row without a name", """{"buckets": [{"state": "InSync"}]}""", "status.buckets[0].name is missing")]
    [InlineData(
        "a state that is none",
        """{"buckets": [{"name": "b", "state": "Fine"}]}""",
        "status.buckets[0].state is \"Fine\""
    )]
    [InlineData(
        "a text for a number",
        """{"observedGeneration": "1"}""",
        "status.observedGeneration is not of type integer: \"1\""
    )]
    [InlineData("a null", """{"conditions": null}""", "status.conditions is not of type array: null")]
    [InlineData(
        "too many conditions",
        """{"conditions": [{}, {}, {}, {}, {}, {}, {}, {}, {}]}""",
        "status.conditions has 9 items"
    )]
    public void The_checker_finds(string sentence, string status, string expected)
    {
        var found = Policy["status"].Violations(JsonNode.Parse(status), "status");

        Assert.True(found.Contains(expected, StringComparer.Ordinal), sentence);
    }

    private static void AssertSame(CrdSchema schema, Type type)
    {
        var records = Paths(type).Order(StringComparer.Ordinal);

        Assert.Equal(schema.Paths().Order(StringComparer.Ordinal), records);
    }

    private static IEnumerable<string> Paths(Type type)
    {
        var info =
            ApiJsonContext.Default.GetTypeInfo(type)
            ?? throw new InvalidOperationException($"{type} is not in the JSON context");
        if (info.Kind == JsonTypeInfoKind.Enumerable)
            return Paths(info.ElementType!);
        return info.Properties.SelectMany(p =>
            Paths(p.PropertyType).Select(rest => $"{p.Name}.{rest}").Prepend(p.Name)
        );
    }
}
