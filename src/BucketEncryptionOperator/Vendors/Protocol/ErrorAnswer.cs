using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// What an untrusted error answer says, and whether it is the vendor's. Every text is bounded and has one line; a text
/// that cannot be read is absent.
/// <para>
/// An answer is the vendor's when it has an error code, and has it in the vendor's form: an XML <c>Error</c> in any
/// namespace; or headers of the vendor's own where there is no body; or, of vendors that are known to do so, a JSON
/// object. A code begins with a letter and has letters, digits, <c>.</c>, <c>_</c> and <c>-</c>. A code that is not in
/// this vendor's table, and one that is also a reason phrase of HTTP, counts only beside a request id or another of the
/// elements that stores write: gateways say <c>Unauthorized</c> too. JSON is what every gateway writes, so there the
/// code must be known and have a request id beside it.
/// </para>
/// </summary>
internal sealed class ErrorAnswer
{
    private const int MaxSearched = 4096;
    private const int MaxLabel = 63;

    private static readonly JsonDocumentOptions Shallow = new() { MaxDepth = 16 };

    /// <summary>Reason phrases of HTTP that stores also use as codes.</summary>
    private static readonly string[] Phrases =
    [
        "BadRequest",
        "Unauthorized",
        "MethodNotAllowed",
        "RequestTimeout",
        "TooManyRequests",
        "NotImplemented",
        "ServiceUnavailable",
    ];

    /// <summary>Elements that stores write beside a code: at least one of them.</summary>
    private static readonly string[] Marks = ["RequestId", "HostId", "BucketName", "Resource"];

    private readonly Func<string, string?> _field;

    /// <summary>Longer than the text that is shown: the words that distinguish refusals are at its end.</summary>
    private readonly string? _fullMessage;

    public ErrorAnswer(VendorResponse response, ErrorDialect dialect, Func<string, bool> isKnown, AnswerContext context)
    {
        (Response, Context) = (response, context);
        (_field, var form) = Read(response, dialect);
        RequestId = Field("RequestId") ?? dialect.RequestIdHeaders.Select(Header).FirstOrDefault(id => id is not null);
        IsVendors =
            Field("Code") is { } code
            && IsCode(code)
            && form switch
            {
                Form.Headers => true,
                Form.Xml when isKnown(code) && !Phrases.Contains(code, StringComparer.Ordinal) => true,
                Form.Xml => RequestId is not null || Marks.Any(m => Field(m) is not null),
                Form.Json => isKnown(code) && RequestId is not null,
                _ => false,
            };
        Code = IsVendors ? Field("Code") ?? "" : Reasons.OfStatus(Status);
        Message = VendorText.OneLine(_field("Message"), VendorText.MaxMessage);
        _fullMessage = VendorText.OneLine(_field("Message"), MaxSearched);
        // These go into a hint, that is, into a sentence that a person may follow.
        Endpoint =
            IsVendors && Field("Endpoint") is { } host && Uri.CheckHostName(host) == UriHostNameType.Dns ? host : null;
        Region = IsVendors ? Label(Field("Region")) : null;
    }

    /// <summary>Where the fields are.</summary>
    private enum Form
    {
        None,
        Xml,
        Json,

        /// <summary>In headers that only this vendor has.</summary>
        Headers,
    }

    public VendorResponse Response { get; }

    public AnswerContext Context { get; }

    public int Status => (int)Response.Status;

    /// <summary>The vendor's code, or <c>HTTP_nnn</c> where it gave no code.</summary>
    public string Code { get; }

    /// <summary>The answer is the vendor's own; otherwise anything on the way may have given it.</summary>
    public bool IsVendors { get; }

    public string? Message { get; }

    public string? RequestId { get; }

    /// <summary>A host name that the vendor names as the right one.</summary>
    public string? Endpoint { get; }

    /// <summary>A region that the vendor names as the right one.</summary>
    public string? Region { get; }

    /// <param name="name">An element of the error, or <c>Parent/Child</c>.</param>
    public string? Field(string name) => VendorText.OneLine(_field(name), VendorText.MaxWord);

    public string? Header(string? name) =>
        name is null ? null : VendorText.OneLine(Utf8(Response.Header(name)), VendorText.MaxWord);

    /// <summary>The text, if it can be a region's name.</summary>
    public static string? Label(string? text) =>
        text?.Length is > 0 and <= MaxLabel && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? text : null;

    public bool MessageSays(string words) => _fullMessage?.Contains(words, StringComparison.OrdinalIgnoreCase) == true;

    private static bool IsCode(string text) =>
        char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static (Func<string, string?> Field, Form Form) Read(VendorResponse response, ErrorDialect dialect)
    {
        var start = VendorXml.Start(response.Body);
        if (!start.IsEmpty)
        {
            return start[0] != '{'
                ? (XmlFields(response.Root), Form.Xml)
                : (JsonFields(start.ToString()), dialect.WritesJson ? Form.Json : Form.None);
        }
        if (dialect.FieldHeaders is { } prefix)
            return (name => Utf8(response.Header(prefix + name)), Form.Headers);
        return (
            XmlFields(
                VendorXml.Parse(Decoded(dialect.BodyHeader is null ? null : response.Header(dialect.BodyHeader)))
            ),
            Form.Headers
        );
    }

    private static Func<string, string?> XmlFields(XElement? document)
    {
        var root = document is { Name.LocalName: "Error" } error ? error : null;
        return name =>
            name.Split('/') is [var parent, var child]
                ? VendorXml.Text(VendorXml.Child(root, parent), child)
                : VendorXml.Text(root, name);
    }

    private static Func<string, string?> JsonFields(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            // The encoding replaces half of a surrogate pair; the parser throws for one.
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(text), Shallow);
            var root = document.RootElement;
            if (
                root.ValueKind == JsonValueKind.Object
                && root.EnumerateObject().FirstOrDefault(p => p.NameEquals("Error"))
                    is { Value.ValueKind: JsonValueKind.Object } inner
            )
                root = inner.Value;
            if (root.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in root.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String))
                    fields.TryAdd(property.Name, property.Value.GetString() ?? "");
            }
        }
        // An InvalidOperationException is half of a surrogate pair
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            fields.Clear();
        }
        return fields.GetValueOrDefault;
    }

    private static string Decoded(string? base64)
    {
        Span<byte> bytes = new byte[base64?.Length ?? 0];
        return Convert.TryFromBase64String(base64 ?? "", bytes, out var length)
            ? Encoding.UTF8.GetString(bytes[..length])
            : "";
    }

    /// <summary>
    /// A header may have bytes beyond ASCII (obs-text). The client reads each as one letter; vendors mean UTF-8.
    /// </summary>
    private static string? Utf8(string? header)
    {
        if (header is null || Ascii.IsValid(header) || header.Any(c => c > '\u00FF'))
            return header;
        var text = Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(header));
        return text.Contains('\uFFFD') ? header : text;
    }
}
