using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>The operator takes its settings from flags and the environment, wherever it is started.</summary>
[Collection(ClusterTests.Name)]
public sealed class WorkingDirectoryTests(ClusterFixture fixture)
{
    /// <summary>
    /// ASP.NET's builders read appsettings.json of the working directory, and watch all that is below it. In a
    /// container that is the whole file system, /proc included: seconds of CPU at each start.
    /// </summary>
    [Fact]
    public async Task Files_of_the_working_directory_are_neither_read_nor_watched()
    {
        var directory = Directory.CreateTempSubdirectory("working-directory-");
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "appsettings.json"), "{\"Logging\": not JSON");
        var scene = await fixture.SceneAsync();
        await using var op = OperatorProcess.LaunchIn(
            directory.FullName,
            fixture.Server.Kubeconfig,
            scene.Endpoint,
            environment: null,
            "--watch-namespaces",
            scene.Namespace
        );

        await op.WhenReadyAsync();

        var open = Directory
            .EnumerateFiles($"/proc/{op.Id}/fd")
            .Select(fd => File.ResolveLinkTarget(fd, returnFinalTarget: false)?.Name);
        Assert.DoesNotContain(open, target => target?.Contains("inotify", StringComparison.Ordinal) == true);
        directory.Delete(recursive: true);
    }
}
