using System.CommandLine;
using BucketEncryptionOperator.Commands;
using TestKit;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>
/// What came of a command line, in this process: no environment but HOME, and a clock that stands still.
/// </summary>
internal sealed record Ran(int ExitCode, string Output, string Errors)
{
    /// <param name="output">In place of one that is kept.</param>
    /// <param name="errors">The same.</param>
    public static async Task<Ran> Of(
        IReadOnlyList<string> words,
        string home = "/nonexistent",
        Func<string, string?>? environment = null,
        StringWriter? output = null,
        StringWriter? errors = null,
        CancellationToken cancellationToken = default
    )
    {
        (output, errors) = (output ?? new StringWriter(), errors ?? new StringWriter());
        var exitCode = await CommandLine.RunAsync(
            words,
            environment ?? (name => name == "HOME" ? home : null),
            new ManualTimeProvider(),
            new InvocationConfiguration { Output = output, Error = errors },
            cancellationToken
        );
        return new Ran(exitCode, output.ToString(), errors.ToString());
    }
}
