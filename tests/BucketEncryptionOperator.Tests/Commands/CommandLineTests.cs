using System.CommandLine;
using BucketEncryptionOperator.Commands;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed class CommandLineTests
{
    /// <summary>System.CommandLine would end the process two seconds after a signal, whatever is under way.</summary>
    [Fact]
    public async Task A_signal_to_the_operator_is_left_to_its_host()
    {
        Assert.Null(await TerminationTimeoutOf("run", "--help"));
        Assert.NotNull(await TerminationTimeoutOf("bucket-encryption", "--help"));
    }

    private static async Task<TimeSpan?> TerminationTimeoutOf(params string[] words)
    {
        var configuration = new InvocationConfiguration { Output = TextWriter.Null };
        await CommandLine.RunAsync(words, _ => null, TimeProvider.System, configuration, CancellationToken.None);
        return configuration.ProcessTerminationTimeout;
    }
}
