using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>explain</c>: a reason's section of docs/troubleshooting.md, which is embedded in the program.
/// </summary>
internal static partial class ExplainCommand
{
    private const string Page = "docs/troubleshooting.md";
    private const string Heading = "### ";

    private static readonly Argument<string?> Reason = new("reason")
    {
        Description = "Reason of a condition, or code of an error. Without it: all that are known.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Build(Func<string, string?> environment)
    {
        var command = new Command("explain", "Explain a reason: what it means, and what to do. It works offline.")
        {
            Reason,
        };
        CommandConsole.SetAction(command, environment, (parsed, console, _) => RunAsync(parsed, console));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CommandConsole console)
    {
        var sections = Sections();
        if (parsed.GetValue(Reason) is not { } reason)
        {
            foreach (var name in sections.Keys.Order(StringComparer.OrdinalIgnoreCase))
                await console.WriteLineAsync(name);
            return 0;
        }
        if (!sections.TryGetValue(reason, out var text))
        {
            var near = sections
                .Keys.Where(k => k.Contains(reason, StringComparison.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal);
            var hint = string.Join(", ", near) is { Length: > 0 } names ? $"; there are {names}" : "";
            throw new UsageException(
                $"{reason} is not a reason of the operator{hint}. If it is a vendor's code, see the vendor's "
                    + "documentation"
            );
        }
        await console.Output.WriteAsync(text);
        return 0;
    }

    /// <summary>The sections whose headings are reasons or codes, by name; case does not count.</summary>
    private static Dictionary<string, string> Sections()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Page);
        using var page = new StreamReader(stream ?? throw new InvalidOperationException(Page));
        var sections = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string? name = null;
        while (page.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                name =
                    line.StartsWith(Heading + '`', StringComparison.Ordinal) && line.EndsWith('`')
                        ? line[(Heading.Length + 1)..^1]
                        : null;
            if (name is not null)
                sections[name] = sections.GetValueOrDefault(name, "") + (line.StartsWith('#') ? name : line) + "\n";
        }
        return sections.ToDictionary(
            s => s.Key,
            s => Link().Replace(s.Value.TrimEnd(), TextOf) + "\n",
            StringComparer.OrdinalIgnoreCase
        );
    }

    /// <summary>A link as a terminal can show it: its text, and the page in brackets.</summary>
    private static string TextOf(Match link)
    {
        var (text, target) = (link.Groups["text"].Value, link.Groups["page"].Value);
        if (target.Length == 0)
            return text;
        var page = target.Contains("://", StringComparison.Ordinal) ? target : "docs/" + target;
        return page == text ? text : $"{text} ({page})";
    }

    [GeneratedRegex(
        @"\[(?<text>[^\]]*)\]\((?<page>[^)#]*)(#[^)]*)?\)",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Link();
}
