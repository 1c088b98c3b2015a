using System.CommandLine;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Commands;

namespace Integration.Tests.Harness;

/// <summary>What came of a command line, in this process and with the real clock.</summary>
internal sealed record CommandRun(int Code, string Output, string Errors)
{
    /// <summary>The checks of <c>doctor -o json</c>, as "ok key".</summary>
    public IEnumerable<string> Checks =>
        JsonNode.Parse(Output)!["checks"]!.AsArray().Select(c => $"{c!["result"]} {c["check"]}");

    /// <param name="environment">Default: no variable is set.</param>
    public static async Task<CommandRun> OfAsync(IReadOnlyList<string> words, Func<string, string?>? environment = null)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(
            words,
            environment ?? (_ => null),
            TimeProvider.System,
            new InvocationConfiguration { Output = output, Error = errors }
        );
        return new CommandRun(code, output.ToString(), errors.ToString());
    }
}
