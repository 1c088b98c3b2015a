using System.Diagnostics;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>The vendors' own clients against the simulator (tests/interop): what the simulator's signature checks are worth.</summary>
public sealed class InteropTests(ITestOutputHelper output)
{
    [Fact]
    public async Task The_vendors_own_clients_get_on_with_the_simulator()
    {
        ProcessStartInfo start = new(Path.Combine(RepositoryRoot(), "tests", "interop", "run.sh")) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["SIMULATOR_DLL"] = Path.Combine(AppContext.BaseDirectory, "object-store-simulator.dll");
        using Process process = Process.Start(start)!;
        // The first run installs npm packages.
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(5), TimeProvider.System);
        using CancellationTokenRegistration kill = late.Token.Register(() => process.Kill(entireProcessTree: true));

        Task<string> errors = process.StandardError.ReadToEndAsync(late.Token);
        string matrix = await process.StandardOutput.ReadToEndAsync(late.Token);
        await process.WaitForExitAsync(late.Token);

        output.WriteLine(await errors + matrix);
        Assert.Equal(0, process.ExitCode);
        Assert.Matches(@"^interop: [1-9]\d* passed, 0 failed$", matrix.TrimEnd().Split('\n')[^1]);
    }

    private static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "BucketEncryptionOperator.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests run outside the repository.");
    }
}
