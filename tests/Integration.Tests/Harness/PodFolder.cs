namespace Integration.Tests.Harness;

/// <summary>
/// A service account's files as a kubelet lays them out: names that point into <c>..data</c>, which points to the
/// folder of the current generation. A change is a new folder and a new <c>..data</c>, so all files change at once.
/// </summary>
internal sealed class PodFolder : IDisposable
{
    private static readonly string[] Names = ["token", "ca.crt", "namespace"];
    private int _generation;

    public string Path { get; } = Directory.CreateTempSubdirectory("beo-pod-").FullName;

    public async Task WriteAsync(string token, string authority)
    {
        var generation = $"..generation_{++_generation}";
        Directory.CreateDirectory(In(generation));
        foreach (var (name, text) in Names.Zip([token, authority, "default"]))
            await File.WriteAllTextAsync(In(generation, name), text);
        File.CreateSymbolicLink(In("..data_tmp"), generation);
        await using (var move = Child.Start("mv", ["-T", In("..data_tmp"), In("..data")]))
            await move.ExitAsync();
        if (_generation == 1)
        {
            foreach (var name in Names)
                File.CreateSymbolicLink(In(name), System.IO.Path.Combine("..data", name));
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string In(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);
}
