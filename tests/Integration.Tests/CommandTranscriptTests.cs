using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>
/// The command as it is built, against simulated stores. In the collection of the others, though it needs no cluster:
/// those measure, and it starts two dozen processes.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class CommandTranscriptTests
{
    [Fact]
    public async Task The_docs_show_byte_for_byte_what_bucket_encryption_prints()
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
