using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>
/// The commands as they are built, against simulated stores and a cluster of their own. In the collection of the
/// others: those measure, and it starts four dozen processes.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class CommandTranscriptTests
{
    /// <summary>An API server and four dozen processes, one after the other, beside other tests.</summary>
    private static readonly TimeSpan ForAllCommands = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task The_docs_show_byte_for_byte_what_the_commands_print()
    {
        await using var check = Child.Start(
            "bash",
            [Path.Combine(Repository.Root, "tests", "transcript.sh"), "--check"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["CONFIGURATION"] = Repository.Configuration }
        );

        await check.ExitAsync(ForAllCommands);

        Assert.True(check.ExitCode == 0, check.Output);
    }
}
