using System.Text;
using System.Text.Json;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// Reads untrusted JSON: bounded in length and depth, and no name twice in an object, because two readers of such an
/// object need not agree on what it says. A value of another type than asked for is absent.
/// </summary>
internal static class VendorJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <returns>The root, or null when the text is not an object within these bounds.</returns>
    public static JsonElement? Parse(string text)
    {
        var start = VendorXml.Start(text);
        if (start.IsEmpty || start[0] != '{' || start.Length > VendorXml.MaxSize)
            return null;
        try
        {
            // The encoding replaces half of a surrogate pair; the parser throws for one.
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(start.ToArray()), Strict);
            return document.RootElement.Clone();
        }
        // An InvalidOperationException is half of a surrogate pair in a name
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public static JsonElement? Object(this JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>Returns a text that is not empty.</summary>
    public static string? Text(this JsonElement parent, string name)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return value.GetString() is { Length: > 0 } text ? text : null;
        }
        catch (InvalidOperationException) // half of a surrogate pair
        {
            return null;
        }
    }

    public static int? Integer(this JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt32(out var number)
            ? number
            : null;

    public static double? Number(this JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var number)
        && double.IsFinite(number)
            ? number
            : null;
}
