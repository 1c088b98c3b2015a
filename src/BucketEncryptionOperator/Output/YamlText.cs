using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BucketEncryptionOperator.Output;

/// <summary>
/// Writes JSON as YAML, in blocks. A text that could be read as anything else stands in double quotes, as JSON writes
/// it, which is YAML too.
/// </summary>
internal static class YamlText
{
    public static string Of(JsonElement value)
    {
        var text = new StringBuilder();
        Append(text, value, indent: 0, isInline: false);
        return text.ToString();
    }

    /// <param name="isInline">Something is on the line already: a key or the dash of a list.</param>
    private static void Append(StringBuilder text, JsonElement value, int indent, bool isInline)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when value.EnumerateObject().Any():
                AppendObject(text, value, indent, isInline);
                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                foreach (var item in value.EnumerateArray())
                {
                    text.Append(' ', indent).Append("- ");
                    Append(text, item, indent + 2, isInline: true);
                }
                break;
            default:
                text.Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private static void AppendObject(StringBuilder text, JsonElement value, int indent, bool isInline)
    {
        foreach (var field in value.EnumerateObject())
        {
            if (!isInline)
                text.Append(' ', indent);
            isInline = false;
            text.Append(Word(field.Name)).Append(':');
            var isBlock = field.Value.ValueKind switch
            {
                JsonValueKind.Object => field.Value.EnumerateObject().Any(),
                JsonValueKind.Array => field.Value.GetArrayLength() > 0,
                _ => false,
            };
            text.Append(isBlock ? '\n' : ' ');
            // A list stands below its key, as kubectl writes it
            var inner = field.Value.ValueKind == JsonValueKind.Array ? indent : indent + 2;
            Append(text, field.Value, isBlock ? inner : 0, isInline: false);
        }
    }

    private static string Scalar(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "{}",
            JsonValueKind.Array => "[]",
            JsonValueKind.String => Word(value.GetString() ?? ""),
            _ => value.GetRawText(),
        };

    private static string Word(string text) => IsPlain(text) ? text : Quoted(text);

    private static string Quoted(string text) =>
        $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    /// <summary>Returns whether the text is a word that YAML cannot take for anything but a text.</summary>
    private static bool IsPlain(string text) =>
        text.Length > 1
        && char.IsAsciiLetter(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
        && text.ToLowerInvariant() is not ("yes" or "no" or "on" or "off" or "true" or "false" or "null" or "nan");
}
