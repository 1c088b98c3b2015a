using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>
/// What an error answer says, whatever a stranger put there: an XML <c>Error</c> in any namespace, or a JSON object (with or without
/// an outer <c>Error</c>). Everything is bounded and of one line; what cannot be read is absent.
/// </summary>
internal sealed class ErrorAnswer
{
    private const int MaxWord = 128;
    private const int MaxMessage = 256;
    private const int MaxLabel = 63;

    private static readonly JsonDocumentOptions Shallow = new() { MaxDepth = 16 };

    private readonly Func<string, string?> _field;

    /// <param name="bodyHeader">Has the body in base64, where there is none.</param>
    /// <param name="fieldHeaders">What the headers' names begin with that have the fields, where there is no body.</param>
    public ErrorAnswer(VendorResponse response, string? bodyHeader, string? fieldHeaders)
    {
        Response = response;
        var isEmpty = string.IsNullOrWhiteSpace(response.Body);
        var text = isEmpty && bodyHeader is not null ? Decoded(response.Header(bodyHeader)) : response.Body;
        _field = isEmpty && fieldHeaders is not null ? name => response.Header(fieldHeaders + name)
            : text.AsSpan().TrimStart().StartsWith("{", StringComparison.Ordinal) ? JsonFields(text)
            : XmlFields(text);
        var code = Field("Code");
        HasCode = code is not null;
        Code = code ?? $"HTTP_{Status}";
        Message = Bounded(_field("Message"), MaxMessage);
        // These go into a hint, that is, into a sentence that a person may follow.
        Endpoint = Field("Endpoint") is { } host && Uri.CheckHostName(host) == UriHostNameType.Dns ? host : null;
        Region = Label(Field("Region"));
    }

    public VendorResponse Response { get; }

    public int Status => (int)Response.Status;

    /// <summary>The vendor's, or <c>HTTP_nnn</c> where it gave none.</summary>
    public string Code { get; }

    /// <summary>The answer has an error code of its own; without one, anybody on the way may have given it.</summary>
    public bool HasCode { get; }

    public string? Message { get; }

    /// <summary>A host name that the vendor names as the right one.</summary>
    public string? Endpoint { get; }

    /// <summary>A region that the vendor names as the right one.</summary>
    public string? Region { get; }

    public string? Field(string name) => Bounded(_field(name), MaxWord);

    public string? Header(string? name) => name is null ? null : Bounded(Response.Header(name), MaxWord);

    /// <summary>The text, if it can be a region's name.</summary>
    public static string? Label(string? text) =>
        text?.Length is > 0 and <= MaxLabel && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? text : null;

    public bool MessageSays(string words) => Message?.Contains(words, StringComparison.OrdinalIgnoreCase) == true;

    private static Func<string, string?> XmlFields(string text)
    {
        var root = VendorXml.Parse(text) is { Name.LocalName: "Error" } error ? error : null;
        return name => VendorXml.Text(root, name);
    }

    private static Func<string, string?> JsonFields(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            using var document = JsonDocument.Parse(text, Shallow);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.EnumerateObject().FirstOrDefault(p => p.NameEquals("Error")) is { Value.ValueKind: JsonValueKind.Object } inner)
                root = inner.Value;
            if (root.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in root.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String))
                    fields.TryAdd(property.Name, property.Value.GetString() ?? "");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the second: half of a surrogate pair
        {
            fields.Clear();
        }
        return fields.GetValueOrDefault;
    }

    private static string Decoded(string? base64)
    {
        Span<byte> bytes = new byte[base64?.Length ?? 0];
        return Convert.TryFromBase64String(base64 ?? "", bytes, out var length) ? Encoding.UTF8.GetString(bytes[..length]) : "";
    }

    private static string? Bounded(string? text, int max)
    {
        if (text is null)
            return null;
        var clean = string.Concat(Failure.Cut(text.Trim(), max).Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return clean.Length == 0 ? null : clean;
    }
}
