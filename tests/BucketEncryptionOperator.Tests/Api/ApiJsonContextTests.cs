using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Api;
using k8s;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Api;

public sealed class ApiJsonContextTests
{
    /// <summary>As in the operator: a client sets the library's options before the library reads anything.</summary>
    static ApiJsonContextTests() => ModelJson.Use();

    private const string Policy = """
        {
          "apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketEncryptionPolicy",
          "metadata": {"name": "archive", "namespace": "team-a", "uid": "u", "resourceVersion": "7", "generation": 3,
            "labels": {"a": "b"}},
          "spec": {
            "storeRef": {"kind": "BucketStore", "name": "hangzhou"},
            "buckets": [{"name": "finance-archive"}, {"name": "finance-ledger"}],
            "encryption": {"algorithm": "KMS", "kmsKey": {"id": "k-1"}, "kmsDataEncryption": "SM4"},
            "allowDowngrade": true, "resyncInterval": "5m"
          },
          "status": {
            "observedGeneration": 3,
            "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 3,
              "lastTransitionTime": "2026-11-21T01:47:57Z", "reason": "InSync", "message": "m"}],
            "summary": {"total": 2, "inSync": 1, "drifted": 0, "failed": 1, "unknown": 0, "text": "1/2"},
            "buckets": [
              {"name": "finance-archive", "state": "InSync",
               "observed": {"algorithm": "KMS", "kmsKeyId": "k-1", "kmsDataEncryption": "SM4"},
               "lastAppliedTime": "2026-11-21T01:47:57Z"},
              {"name": "finance-ledger", "state": "Failed",
               "writes": {"hash": "h", "count": 2, "notBefore": "2026-11-21T01:47:57Z"},
               "error": {"operation": "GetBucketEncryption", "code": "AccessDenied", "httpStatus": 403,
                 "ec": "0003-00000001", "message": "m", "hint": "h", "requestId": "r"}}
            ]
          }
        }
        """;

    private const string MinimalSpec =
        """{"storeRef": {"name": "s"}, "buckets": [{"name": "abc"}], "encryption": {"algorithm": "AES256"}}""";

    [Fact]
    public void A_status_reads_and_writes_back_the_same()
    {
        var policy = Read(Policy);

        var written = Write(
            new StatusPatch
            {
                Metadata = new PatchMeta { ResourceVersion = policy.Metadata.ResourceVersion },
                Status = Assert.IsType<PolicyStatus>(policy.Status),
            }
        );

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Policy)?["status"], written["status"]), written.ToJsonString());
        Assert.Equal("7", (string?)written["metadata"]?["resourceVersion"]);
    }

    [Fact]
    public void Texts_are_shared_between_policies_and_never_taken_from_a_secret()
    {
        IList<JsonConverter> ofLibrary = [];
        KubernetesJson.AddJsonOptions(options => ofLibrary = options.Converters);

        Assert.Contains(ApiResources.Policies.ObjectType.Options.Converters, c => c is RepeatedTextConverter);
        Assert.DoesNotContain(ofLibrary, c => c is RepeatedTextConverter);
    }

    [Fact]
    public void Every_field_of_a_spec_is_read()
    {
        var policy = Read(Policy);

        Assert.Equal((3, "team-a/archive"), (policy.Metadata.Generation, policy.Metadata.Key.ToString()));
        Assert.Equal(new StoreReference { Kind = "BucketStore", Name = "hangzhou" }, policy.Spec.StoreRef);
        Assert.Equal(["finance-archive", "finance-ledger"], policy.Spec.Buckets.Select(b => b.Name));
        Assert.Equal(
            new EncryptionSpec
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                KmsDataEncryption = "SM4",
            },
            policy.Spec.Encryption
        );
        Assert.Equal((true, "5m"), (policy.Spec.AllowDowngrade, policy.Spec.ResyncInterval));
    }

    [Fact]
    public void Times_are_written_in_UTC_and_whole_seconds_and_read_back_equal()
    {
        var time = new DateTimeOffset(2026, 11, 21, 9, 47, 57, 987, TimeSpan.FromHours(8)).AddTicks(1234);

        var written = Write(
            Patch(
                new PolicyStatus
                {
                    Buckets =
                    [
                        new BucketStatus
                        {
                            Name = "b",
                            State = "InSync",
                            LastAppliedTime = time,
                        },
                    ],
                }
            )
        );

        Assert.Equal("2026-11-21T01:47:57Z", (string?)written["status"]?["buckets"]?[0]?["lastAppliedTime"]);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 1, 47, 57, TimeSpan.Zero), KubeTimeConverter.Truncate(time));
        Assert.Equal(TimeSpan.Zero, KubeTimeConverter.Truncate(time).Offset);
    }

    /// <summary>
    /// A merge patch leaves what it does not name: a list that were left out would keep its old rows.
    /// </summary>
    [Fact]
    public void An_empty_status_still_names_its_lists()
    {
        var written = Write(Patch(new PolicyStatus { ObservedGeneration = 1 }));

        Assert.Equal("""{"observedGeneration":1,"conditions":[],"buckets":[]}""", written["status"]?.ToJsonString());
    }

    [Theory]
    [InlineData("status absent", """{"metadata": {}, "spec": SPEC}""")]
    [InlineData("status null", """{"metadata": {}, "spec": SPEC, "status": null}""")]
    [InlineData("status empty", """{"metadata": {}, "spec": SPEC, "status": {}}""")]
    [InlineData(
        "parts of the status null",
        """{"metadata": {}, "spec": SPEC, "status": {"conditions": [], "summary": null, "observedGeneration": null}}"""
    )]
    [InlineData(
        "unknown fields anywhere",
        """{"x": 1, "metadata": {"x": 1}, "spec": SPEC, "status": {"x": [], "buckets": [], "conditions": []}}"""
    )]
    [InlineData(
        "optional parts null",
        """
            {"metadata": {"labels": null}, "spec": {"storeRef": {"name": "s", "kind": null},
            "buckets": [{"name": "abc"}],
            "encryption": {"algorithm": "AES256", "kmsKey": null, "kmsDataEncryption": null},
            "allowDowngrade": null, "resyncInterval": null}}
            """
    )]
    public void What_is_absent_or_null_or_unknown_leaves_no_trap(string sentence, string json)
    {
        var policy = Read(json.Replace("SPEC", MinimalSpec, StringComparison.Ordinal));

        var status = policy.Status ?? new PolicyStatus();
        Assert.False(status.Conditions.IsDefault || status.Buckets.IsDefault, sentence);
        Assert.Null(status.Conditions.Find("Ready"));
        Assert.Equal("abc", Assert.Single(policy.Spec.Buckets).Name);
    }

    [Theory]
    [InlineData("no spec", """{"metadata": {}}""")]
    [InlineData("no metadata", """{"spec": SPEC}""")]
    [InlineData("spec null", """{"metadata": {}, "spec": null}""")]
    [InlineData(
        "no algorithm",
        """{"metadata": {}, "spec": {"storeRef": {"name": "s"}, "buckets": [], "encryption": {}}}"""
    )]
    [InlineData(
        "algorithm null",
        """{"metadata": {}, "spec": {"storeRef": {"name": "s"}, "buckets": [], "encryption": {"algorithm": null}}}"""
    )]
    [InlineData(
        "bucket without a name",
        """
            {"metadata": {}, "spec": {"storeRef": {"name": "s"}, "buckets": [{}],
            "encryption": {"algorithm": "AES256"}}}
            """
    )]
    [InlineData(
        "a number for a name",
        """{"metadata": {}, "spec": {"storeRef": {"name": 1}, "buckets": [], "encryption": {"algorithm": "AES256"}}}"""
    )]
    [InlineData(
        "a text for a list",
        """
            {"metadata": {}, "spec": {"storeRef": {"name": "s"}, "buckets": "abc",
            "encryption": {"algorithm": "AES256"}}}
            """
    )]
    [InlineData(
        "buckets null",
        """
            {"metadata": {}, "spec": {"storeRef": {"name": "s"}, "buckets": null,
            "encryption": {"algorithm": "AES256"}}}
            """
    )]
    [InlineData(
        "a list of the status null, which no API server stores",
        """{"metadata": {}, "spec": SPEC, "status": {"conditions": null}}"""
    )]
    [InlineData("half an object", """{"metadata": {}, "spec": """)]
    public void A_bad_object_gives_JsonException(string sentence, string json)
    {
        var thrown = Record.Exception(() => Read(json.Replace("SPEC", MinimalSpec, StringComparison.Ordinal)));

        Assert.True(thrown is JsonException, $"{sentence}: {thrown}");
    }

    [Fact]
    public void A_store_of_the_cluster_says_which_namespaces_it_allows()
    {
        const string Json = """
            {"metadata": {"name": "company"}, "spec": {"vendor": "AlibabaOSS", "region": "cn-hangzhou",
            "credentials": {"secretRef": {"name": "oss-keys"}}, "allowedNamespaces": {"names": ["finance"],
            "selector": {"matchLabels": {"env": "prod"},
            "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}}}}
            """;

        var store = JsonSerializer.Deserialize(Json, ApiResources.ClusterStores.ObjectType);

        var allowed = store?.Spec.AllowedNamespaces;
        var expression = Assert.Single(allowed!.Selector!.MatchExpressions);
        Assert.Equal("oss-keys", store!.Spec.Credentials.SecretRef!.Name);
        Assert.Equal("finance", Assert.Single(allowed.Names));
        Assert.Equal([KeyValuePair.Create("env", "prod")], allowed.Selector.MatchLabels);
        Assert.Equal(("tier", "In", "a b"), (expression.Key, expression.Operator, string.Join(' ', expression.Values)));
    }

    [Fact]
    public void A_Secret_with_null_data_is_read()
    {
        var secret = KubernetesJson.Deserialize<V1Secret>(
            """{"metadata": {"name": "s", "namespace": "n"}, "data": {"accessKeyId": null}}"""
        );

        Assert.True(secret?.Data?.ContainsKey("accessKeyId"));
    }

    private static BucketEncryptionPolicy Read(string json) =>
        JsonSerializer.Deserialize(json, ApiResources.Policies.ObjectType)!;

    private static StatusPatch Patch(PolicyStatus status) =>
        new()
        {
            Metadata = new PatchMeta { ResourceVersion = "1" },
            Status = status,
        };

    private static JsonNode Write(StatusPatch patch) =>
        JsonNode.Parse(JsonSerializer.Serialize(patch, ApiJsonContext.Default.StatusPatch))!;
}
