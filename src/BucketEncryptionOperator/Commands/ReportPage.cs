using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// The evidence as one HTML page that needs nothing else: totals, filters, a table, fit to print. Everything that is
/// not ours is encoded, and the page's policy lets it load nothing.
/// </summary>
internal static class ReportPage
{
    private const string Template = "Commands/report.html";

    private static readonly string[] States =
    [
        BucketStatus.InSync,
        BucketStatus.Drifted,
        BucketStatus.Failed,
        BucketStatus.Unknown,
        BucketStatus.Releasing,
    ];

    /// <summary>Seconds between two looks of a page that is live.</summary>
    private const int RefreshSeconds = 5;

    /// <param name="isLive">The page is served, and asks for itself again from time to time.</param>
    public static string Of(EvidenceReport evidence, bool isLive = false)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Template);
        using var template = new StreamReader(stream ?? throw new InvalidOperationException(Template));
        var page = new StringBuilder();
        while (template.ReadLine() is { } line)
            page.Append(Filled(line, evidence, isLive)).Append('\n');
        return page.ToString();
    }

    /// <summary>
    /// Fills a line of the template. A place of its own line is filled once, so that a text of a row is never taken for
    /// a place.
    /// </summary>
    private static string Filled(string line, EvidenceReport evidence, bool isLive)
    {
        var text = new StringBuilder();
        var rest = line.AsSpan();
        while (rest.IndexOf("{{", StringComparison.Ordinal) is >= 0 and var open)
        {
            var end = rest[open..].IndexOf("}}", StringComparison.Ordinal);
            if (end < 0)
                break;
            text.Append(rest[..open]).Append(ValueOf(rest[(open + 2)..(open + end)], evidence, isLive));
            rest = rest[(open + end + 2)..];
        }
        return text.Append(rest).ToString();
    }

    private static string ValueOf(ReadOnlySpan<char> place, EvidenceReport evidence, bool isLive) =>
        place switch
        {
            "connect" => isLive ? "; connect-src 'self'" : "",
            "refresh" => isLive ? $" data-refresh=\"{RefreshSeconds}\"" : "",
            "meta" => Encoded($"{evidence.Cluster}, {EvidenceReport.TimeText(evidence.At)}"),
            "count" => evidence.Rows.Length.ToString(CultureInfo.InvariantCulture),
            "totals" => Totals(evidence),
            "states" => Options(evidence.Rows.Select(r => r.State)),
            "namespaces" => Options(evidence.Rows.Select(r => r.Namespace)),
            "rows" => string.Concat(evidence.Rows.Select(RowOf)),
            _ => throw new InvalidOperationException($"no place {place}"),
        };

    private static string Totals(EvidenceReport evidence) =>
        string.Concat(
            States
                .Select(state => (Name: state, Count: evidence.Rows.Count(r => r.State == state)))
                .Where(t => t.Count > 0 || t.Name is BucketStatus.InSync or BucketStatus.Drifted)
                .Append((Name: "All", Count: evidence.Rows.Length))
                .Select(t => $"<div><dt>{Encoded(t.Name)}</dt><dd>{t.Count}</dd></div>\n")
        );

    private static string Options(IEnumerable<string> values) =>
        string.Concat(
            values
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
                .Select(v => $"<option>{Encoded(v)}</option>")
        );

    private static string RowOf(StatusRow row) =>
        $"<tr data-state=\"{Encoded(row.State)}\" data-ns=\"{Encoded(row.Namespace)}\">"
        + $"<td class=\"state\">{Encoded(row.State)}</td><td>{Encoded(row.Bucket ?? "")}</td>"
        + $"<td>{Encoded($"{row.Namespace}/{row.Policy}")}</td>"
        + $"<td>{Encoded(row.Store)} {Encoded(row.Vendor ?? "")}</td>"
        + $"<td><code>{Encoded(row.DeclaredText)}</code></td><td><code>{Encoded(row.ObservedText)}</code></td>"
        + $"<td class=\"key\" data-status=\"{Encoded(row.KeyUsable?.Status ?? "")}\">"
        + $"{Encoded($"{row.KeyUsable?.Status} {row.KeyUsable?.Reason}".Trim())}</td>"
        + $"<td>{Encoded($"{row.Reason} {row.Message}".Trim())}</td>"
        + $"<td>{EvidenceReport.TimeText(row.LastVerified)}</td><td>{row.Generation}</td></tr>\n";

    private static string Encoded(string text) => HtmlEncoder.Default.Encode(text);
}
