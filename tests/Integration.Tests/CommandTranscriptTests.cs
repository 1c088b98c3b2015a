using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>
/// The commands as they are built, against simulated stores and a cluster of their own. In the collection of the others:
/// those measure, and it starts two dozen processes.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class CommandTranscriptTests
{
    [Fact]
    public async Task The_docs_show_byte_for_byte_what_the_commands_print()
    {
        await using var check = Child.Start(
            "bash",
            [Path.Combine(Repository.Root, "tests", "transcript.sh"), "--check"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["CONFIGURATION"] = Repository.Configuration }
        );

        await check.ExitAsync();

        Assert.True(check.ExitCode == 0, check.Output);
    }
}
