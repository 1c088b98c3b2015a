using System.Text.Json.Nodes;

namespace BucketEncryptionOperator.Tests.Api;

/// <summary>
/// Random values that a CRD's schema accepts, the odd ones first. Rules (CEL) are not looked at: what they refuse must
/// be readable all the same, for an older CRD may have taken it.
/// </summary>
internal sealed class CrdSamples(Random random)
{
    private const int MostItems = 3;

    /// <summary>
    /// What the API server's check of <c>date-time</c> lets through (kube-openapi, strfmt): its pattern asks less than
    /// RFC 3339.
    /// </summary>
    private static readonly string[] Times =
    [
        "2026-11-21T01:47:57Z",
        "2026-11-21t01:47:57z",
        "2026-11-21t01:47:57+08:00",
        "2026-11-21T01:47:57-23:59",
        "2026-11-21T01:47:57+99:99",
        "2026-11-21T01:47:57.5Z",
        "2026-11-21T01:47:57.123456789z",
        "2026-11-21T01:47:57.00000000000000000000000000001Z",
        "2026-11-21T01:47:57,5Z",
        "2026-11-21T01:47:57Zt and more",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.9999999-14:00",
        "2026-02-31T00:00:00Z",
    ];

    private static readonly long[] Numbers =
    [
        0,
        1,
        -1,
        255,
        int.MaxValue,
        int.MinValue,
        int.MaxValue + 1L,
        int.MinValue - 1L,
        9_999_999_999,
        long.MaxValue,
        long.MinValue,
    ];

    public JsonNode Of(CrdSchema schema) =>
        schema.Type switch
        {
            "object" => Object(schema),
            "array" => Array(schema),
            "integer" => Number(schema),
            "boolean" => schema.Enum.Count > 0 ? schema.Enum[0] == "true" : random.Next(2) == 0,
            _ => Text(schema),
        };

    private JsonObject Object(CrdSchema schema)
    {
        var sample = new JsonObject();
        foreach (
            var (name, property) in schema.Properties.Where(p => schema.Required.Contains(p.Key) || random.Next(4) > 0)
        )
            sample[name] = Of(property);
        return sample;
    }

    private JsonArray Array(CrdSchema schema)
    {
        var items = Enumerable
            .Range(0, random.Next(MostItems + 1))
            .Select(_ => Of(schema.Items ?? throw new InvalidOperationException("a list of nothing")));
        return schema.MapKeys is [var key] ? [.. items.DistinctBy(i => (string?)i[key])] : [.. items];
    }

    /// <summary>As an API server hands it out: what somebody has written as 1e9 or 1.0 is an integer by then.</summary>
    private JsonNode Number(CrdSchema schema)
    {
        var fitting = Numbers
            .Where(n => n >= (schema.Minimum ?? long.MinValue) && n <= (schema.Maximum ?? long.MaxValue))
            .ToList();
        return JsonValue.Create(fitting[random.Next(fitting.Count)]);
    }

    private JsonNode Text(CrdSchema schema)
    {
        if (schema.Enum.Count > 0)
            return schema.Enum[random.Next(schema.Enum.Count)];
        if (schema.Format == "date-time")
            return Times[random.Next(Times.Length)];
        string[] texts =
        [
            "",
            "a",
            "AES256",
            "None",
            "KMS",
            "Ready",
            "\u0000\u001f\"\\",
            "\u00e4\u6f22\ud83d\ude00",
            new string('x', Math.Min(schema.MaxLength ?? 300, 300)),
        ];
        var text = texts[random.Next(texts.Length)];
        return text.Length <= (schema.MaxLength ?? int.MaxValue) ? text : "";
    }
}
