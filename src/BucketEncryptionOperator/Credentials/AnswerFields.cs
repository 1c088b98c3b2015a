using System.Globalization;
using System.Text.Json;
using System.Xml;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The texts of an answer by their names, on whatever level they are: documents of strangers, bounded in depth, and
/// never printed.
/// </summary>
internal sealed class AnswerFields
{
    private const int MaxDepth = 16;
    private const int MaxText = 8 * 1024;

    /// <summary>Both times are told in whole seconds, rounded down.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    private AnswerFields() { }

    /// <summary>Null where there is none, or an empty one.</summary>
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

    /// <summary>No DTD, no entities, nothing fetched; by local names.</summary>
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

    /// <summary>The key in it, and how long it is good by the giver's own clock.</summary>
    /// <exception cref="KeySourceException">There is none.</exception>
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

    /// <summary>What may go into a header.</summary>
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
