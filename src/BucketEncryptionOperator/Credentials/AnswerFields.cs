using System.Globalization;
using System.Text.Json;
using System.Xml;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The texts of an answer by their names, on any level. The documents come from outside: they are bounded in depth, and
/// never printed.
/// </summary>
internal sealed class AnswerFields
{
    private const int MaxDepth = 16;
    private const int MaxText = 8 * 1024;

    /// <summary>Both times are in whole seconds, rounded down.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    private AnswerFields() { }

    /// <summary>Null if there is no such text, or an empty one.</summary>
    public string? this[string name] =>
        _texts.TryGetValue(name, out var text) && text.Length is > 0 and <= MaxText ? text : null;

    public static AnswerFields OfJson(string body)
    {
        var fields = new AnswerFields();
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            fields.Add(document.RootElement);
        }
        // An InvalidOperationException is half of a surrogate pair
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            fields._texts.Clear();
        }
        return fields;
    }

    /// <summary>Reads XML by local names. No DTD, no entities, nothing is fetched.</summary>
    public static AnswerFields OfXml(string body)
    {
        var fields = new AnswerFields();
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
        try
        {
            using var reader = XmlReader.Create(new StringReader(body), settings);
            var element = "";
            while (reader.Read() && reader.Depth <= MaxDepth)
            {
                if (reader.NodeType == XmlNodeType.Element)
                    element = reader.LocalName;
                else if (reader.NodeType == XmlNodeType.Text)
                    fields._texts.TryAdd(element, reader.Value.Trim());
            }
        }
        catch (XmlException)
        {
            fields._texts.Clear();
        }
        return fields;
    }

    /// <summary>Returns the key in the answer, and its lifetime by the clock of the service.</summary>
    /// <exception cref="KeySourceException">The answer has no key.</exception>
    public TemporaryKey Key(
        string step,
        string principal,
        IdentityAnswer answer,
        (string Id, string Secret, string Token) names
    )
    {
        var (id, secret, token) = (Word(names.Id), Word(names.Secret), Word(names.Token));
        return
            id is not null
            && secret is not null
            && token is not null
            && DateTimeOffset.TryParse(
                this["Expiration"],
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var expiration
            )
            ? new TemporaryKey(
                new AccessKey(id, secret, token) { Principal = principal },
                expiration - answer.Now - Rounding
            )
            : throw IdentityErrors.Unreadable(step);
    }

    /// <summary>Returns a text that may go into a header; null for any other.</summary>
    private string? Word(string name) => this[name] is { } text && VisibleAscii.IsAll(text) ? text : null;

    private void Add(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return;
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.String)
                _texts.TryAdd(property.Name, property.Value.GetString() ?? "");
            else
                Add(property.Value);
        }
    }
}
