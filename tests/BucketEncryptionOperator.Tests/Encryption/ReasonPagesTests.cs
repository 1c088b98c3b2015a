using System.Text.RegularExpressions;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>
/// The table of reasons and the pages, in both directions: docs/troubleshooting.md has a heading per reason, and
/// docs/status.md the events.
/// </summary>
public sealed partial class ReasonPagesTests
{
    private static readonly string StatusPage = Path.Combine(Repository.Root, "docs", "status.md");

    private static readonly string Troubleshooting = File.ReadAllText(
        Path.Combine(Repository.Root, "docs", "troubleshooting.md")
    );

    /// <summary>The sections of troubleshooting.md that have a reason or code for a title, in order.</summary>
    private static readonly List<(string Name, string Text)> Sections =
    [
        .. ReasonSection().Matches(Troubleshooting).Select(m => (m.Groups["name"].Value, m.Groups["text"].Value)),
    ];

    [Fact]
    public void Every_reason_has_a_heading_and_every_heading_is_a_reason_or_a_code_of_a_vendor()
    {
        var own = Reasons.All.Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        var headings = Sections.Select(s => s.Name).ToList();

        Assert.Empty(own.Except(headings, StringComparer.Ordinal));
        Assert.DoesNotContain(
            headings,
            h => !own.Contains(h) && !VendorCatalog.All.Any(v => v.Dialect.Errors.Knows(h))
        );
        Assert.Equal(headings.Distinct(StringComparer.Ordinal), headings);
    }

    [Fact]
    public void Every_reason_says_what_it_means_what_to_do_and_when_it_is_tried_again()
    {
        var incomplete =
            from section in Sections
            where Reasons.All.Any(r => r.Is(section.Name)) && !Complete().IsMatch(section.Text)
            select section.Name;

        Assert.Empty(incomplete);
    }

    /// <summary>GitHub takes the punctuation out of a heading and makes it lower case.</summary>
    [Fact]
    public void The_anchor_of_a_reason_is_that_of_its_heading()
    {
        var anchors = Heading()
            .Matches(Troubleshooting)
            .Select(m => Punctuation().Replace(m.Groups["title"].Value, "").ToLowerInvariant().Replace(' ', '-'))
            .ToList();

        Assert.Equal(anchors.Distinct(StringComparer.Ordinal), anchors);
        Assert.Empty(Reasons.All.Select(r => r.DocsAnchor).Except(anchors, StringComparer.Ordinal));
    }

    [Fact]
    public void The_status_page_has_the_events_of_the_table_and_no_others()
    {
        var rows =
            from line in Section(File.ReadAllText(StatusPage), "## Events").Split('\n')
            let cells = line.Split('|', StringSplitOptions.TrimEntries)
            where cells.Length == 6 && cells[2] is "Normal" or "Warning"
            from Match name in Code().Matches(cells[1])
            select $"{name.Groups["name"].Value} {cells[2]}";
        var events = Reasons
            .All.Where(r => r.Event is ReasonEvent.Normal or ReasonEvent.Warning)
            .Select(r => $"{r.Name} {r.Event}");

        Assert.Equal(events.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    /// <summary>From a heading to the next one of its level.</summary>
    private static string Section(string page, string heading)
    {
        var text = page[page.IndexOf(heading + "\n", StringComparison.Ordinal)..];
        var end = text.IndexOf("\n## ", StringComparison.Ordinal);
        return end < 0 ? text : text[..end];
    }

    [GeneratedRegex(@"^### `(?<name>\w+)`\n(?<text>.*?)(?=^#|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ReasonSection();

    [GeneratedRegex(
        @"^[^\-\s].*?^- \*\*To do:\*\* \S.*?^- \*\*Again:\*\* \S",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Complete();

    [GeneratedRegex(@"^#+ (?<title>.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"`(?<name>\w+)`")]
    private static partial Regex Code();
}
