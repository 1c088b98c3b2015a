using System.Collections.Immutable;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Manifests;

namespace Integration.Tests.Harness;

/// <summary>
/// Objects near the border of what is valid: a sample of deploy/samples, or a rich one of ours, with some changes at
/// random places of the schema. A value is taken from those that a rule may look at, or has another type, or is empty.
/// </summary>
internal sealed class RandomObjects
{
    private const int MostChanges = 3;

    /// <summary>What is the server's own there, and owners, is not looked into offline.</summary>
    private static readonly SchemaNode Metadata = MetadataRules.Schema with
    {
        Properties = MetadataRules
            .Schema.Properties.Where(p => p.Key is "name" or "labels" or "annotations" or "finalizers" or "generation")
            .ToImmutableDictionary(StringComparer.Ordinal),
    };

    private static readonly string[] Rich =
    [
        """
            {"kind": "BucketEncryptionPolicy", "metadata": {"name": "p", "labels": {"a": "b"},
              "annotations": {"a.b/c": ""}},
             "spec": {"storeRef": {"name": "oss", "kind": "BucketStore"},
              "buckets": [{"name": "abc"}, {"name": "a.b-c"}],
              "encryption": {"algorithm": "KMS", "kmsKey": {"id": "key-1"},
               "kmsDataEncryption": "SM4", "kmsProjectId": "p1",
               "bucketKeyEnabled": true, "blockedEncryptionTypes": ["SSE-C"]},
              "match": "AtLeast", "allowDowngrade": true, "mode": "Audit", "deletionPolicy": "Restore",
              "suspend": false,
              "resyncInterval": "90s"}}
            """,
        """
            {"kind": "BucketEncryptionPolicy", "metadata": {"name": "p"},
             "spec": {"storeRef": {"name": "oss"}, "mode": "Audit", "encryption": {"algorithm": "AES256"},
              "bucketSelector": {"matchNames": ["a*", "?b"], "excludeNames": ["abc"],
               "matchTags": {"env": "prod"}, "maxWrites": 5}}}
            """,
        """
            {"kind": "ClusterBucketStore", "metadata": {"name": "s"},
             "spec": {"vendor": "AlibabaOSS", "region": "cn-hangzhou",
              "endpoint": "https://oss-cn-hangzhou.aliyuncs.com",
              "addressing": "VirtualHost", "partition": "a.b",
              "alibaba": {"signatureVersion": "V4", "cloudBoxId": "cb-x"},
              "credentials": {"rrsa": {}}, "rateLimit": {"requestsPerSecond": 5, "burst": 1, "maxConcurrency": 64},
              "allowedNamespaces": {"names": ["a", "b"], "selectableBuckets": ["{namespace}-*"],
               "selector": {"matchLabels": {"a": "b"},
                "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}}}}
            """,
        """
            {"kind": "BucketStore", "metadata": {"name": "s"},
             "spec": {"vendor": "S3", "region": "us-east-1", "s3": {"expectedBucketOwner": "123456789012"},
              "credentials": {"secretRef": {"name": "k", "accessKeyIdKey": "a",
               "accessKeySecretKey": "b", "securityTokenKey": "c"}}}}
            """,
    ];

    private static readonly string[] Texts =
    [
        "",
        "a",
        "ab",
        "abc",
        "Abc",
        "a-",
        "-a",
        "a..b",
        "a.b",
        "a b",
        "a\n",
        "é",
        "*",
        "?",
        "{namespace}",
        "{x}",
        new string('x', 63),
        new string('x', 64),
        string.Concat(Enumerable.Repeat("\U0001F600", 63)),
        new string('y', 254),
        new string('z', 257),
        "AES256",
        "KMS",
        "DSSE",
        "SM4",
        "None",
        "Audit",
        "Enforce",
        "Retain",
        "Delete",
        "Restore",
        "Exact",
        "AtLeast",
        "SSE-C",
        "NONE",
        "AlibabaOSS",
        "HuaweiOBS",
        "JDCloudOSS",
        "S3",
        "V1",
        "V4",
        "Path",
        "CName",
        "VirtualHost",
        "BucketStore",
        "ClusterBucketStore",
        "In",
        "NotIn",
        "Exists",
        "DoesNotExist",
        "accessKeyId",
        "accessKeySecret",
        "securityToken",
        "oss-cn",
        "cn-hangzhou",
        "cb-",
        "cb-a",
        "123456789012",
        "12345678901",
        "https://a.example.com",
        "https://a.example.com/",
        "http://[::1]:9000",
        "http://[::1",
        "http://a:123456",
        "ftp://a",
        "10m",
        "90s",
        "0s",
        "25h",
        "24h",
        "10",
        "1h1h",
        "1d",
        "99999999999999999999h",
        "m",
        "acs:ram::1:role/a",
        "acs:ram::1:oidc-provider/a",
        "acs:ram:::role/a",
        "arn:aws:iam::123456789012:role/a",
        "arn:aws-cn:iam::123456789012:role/a/b",
        "arn:aws:iam::1:role/a",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE----- PRIVATE KEY-----",
        "a/b",
        "a:b",
        "a.",
        "true",
        "null",
        "x/y/z",
        "A.b/c",
    ];

    private readonly Random _random;
    private readonly ImmutableDictionary<string, CustomResource> _kinds;
    private readonly ImmutableArray<JsonObject> _samples;

    public RandomObjects(Random random, ImmutableDictionary<string, CustomResource> kinds)
    {
        (_random, _kinds) = (random, kinds);
        _samples = [.. Samples(), .. Rich.Select(r => Plain(JsonNode.Parse(r)!.AsObject()))];
    }

    public (string Kind, JsonObject Object) Next()
    {
        var sample = _samples[_random.Next(_samples.Length)].DeepClone().AsObject();
        var kind = sample["kind"]!.GetValue<string>();
        var schema = _kinds[kind].Schema;
        var known = schema with { Properties = schema.Properties.SetItem("metadata", Metadata).Remove("status") };
        for (var changes = _random.Next(MostChanges + 1); changes > 0; changes--)
            Change(sample, known);
        // Not of the schema: where the object goes, and which kind it is
        (sample["apiVersion"], sample["kind"]) = ("bucketencryption.io/v1alpha1", kind);
        (sample["metadata"] as JsonObject)?.Remove("namespace");
        return (kind, sample);
    }

    private static IEnumerable<JsonObject> Samples() =>
        from file in Directory.GetFiles(Path.Combine(Repository.Root, "deploy", "samples"))
        from document in YamlReader.Read(file, new StreamReader(file))
        let sample = ToJson(document).AsObject()
        where sample["apiVersion"]!.GetValue<string>().StartsWith("bucketencryption", StringComparison.Ordinal)
        select Plain(sample);

    private static JsonObject Plain(JsonObject sample)
    {
        (sample["metadata"] as JsonObject)?.Remove("namespace");
        return sample;
    }

    private static JsonNode ToJson(ManifestNode node)
    {
        using var buffer = new MemoryStream();
        using (var json = new System.Text.Json.Utf8JsonWriter(buffer))
            node.Write(json);
        return JsonNode.Parse(buffer.ToArray())!;
    }

    /// <summary>Changes one value at a random depth.</summary>
    private void Change(JsonNode node, SchemaNode schema)
    {
        switch (node)
        {
            case JsonObject o:
                ChangeField(o, schema);
                break;
            case JsonArray { Count: > 0 } a when schema.Items is { } items && _random.Next(3) > 0:
                var at = _random.Next(a.Count);
                if (a[at] is { } inner && inner is JsonObject or JsonArray && _random.Next(2) == 0)
                    Change(inner, items);
                else
                    a[at] = Value(items);
                break;
            case JsonArray a:
                if (a.Count > 0 && _random.Next(3) == 0)
                    a.RemoveAt(_random.Next(a.Count));
                else
                    a.Add(
                        a.Count > 0 && _random.Next(3) == 0
                            ? a[_random.Next(a.Count)]?.DeepClone()
                            : Value(schema.Items)
                    );
                break;
            default:
                break;
        }
    }

    private void ChangeField(JsonObject o, SchemaNode schema)
    {
        var names = schema
            .Properties.Keys.Union(o.Select(p => p.Key), StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (names.Count == 0 || _random.Next(40) == 0)
        {
            var name = schema.AdditionalProperties is null ? "unknown" : Texts[_random.Next(Texts.Length)];
            o[name] = Value(schema.AdditionalProperties);
            return;
        }
        var field = names[_random.Next(names.Count)];
        var property = schema.Properties.GetValueOrDefault(field) ?? schema.AdditionalProperties;
        if (o[field] is { } inner and (JsonObject or JsonArray) && property is not null && _random.Next(5) > 0)
            Change(inner, property);
        else if (_random.Next(4) == 0)
            o.Remove(field);
        else
            o[field] = Value(property);
    }

    /// <summary>Mostly of the schema's type.</summary>
    private JsonNode? Value(SchemaNode? schema)
    {
        if (schema is null || _random.Next(12) == 0)
            return _random.Next(8) switch
            {
                0 => null,
                1 => "",
                2 => new JsonObject(),
                3 => new JsonArray(),
                4 => 5,
                5 => 1.5,
                6 => true,
                _ => new JsonObject { ["name"] = "x" },
            };
        return schema.Type switch
        {
            "object" => Object(schema),
            "array" => new JsonArray([.. Enumerable.Range(0, _random.Next(4)).Select(_ => Value(schema.Items))]),
            "integer" => (JsonNode)((long[])[0, 1, -1, 50, 64, 65, 1000, 1001, long.MaxValue])[_random.Next(9)],
            "boolean" => _random.Next(2) == 0,
            _ => schema.Enum.Length > 0 && _random.Next(2) == 0
                ? ToJson(schema.Enum[_random.Next(schema.Enum.Length)])
                : Texts[_random.Next(Texts.Length)],
        };
    }

    private JsonObject Object(SchemaNode schema)
    {
        var sample = new JsonObject();
        foreach (var (name, property) in schema.Properties.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (schema.Required.Contains(name, StringComparer.Ordinal) ? _random.Next(10) > 0 : _random.Next(3) == 0)
                sample[name] = Value(property);
        }
        if (schema.AdditionalProperties is { } others)
        {
            for (var i = _random.Next(3); i > 0; i--)
                sample[Texts[_random.Next(Texts.Length)]] = Value(others);
        }
        return sample;
    }
}
