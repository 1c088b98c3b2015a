using System.Text;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Informers;

/// <summary>Memory is the process's: no other test may run meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MemoryOfTheProcess
{
    public const string Name = "memory of the process";
}

[Collection(MemoryOfTheProcess.Name)]
public sealed class ObjectCacheMemoryTests(ITestOutputHelper output)
{
    /// <summary>An object may have 256 KiB of annotations, and a mirror has all objects of all namespaces.</summary>
    [Fact]
    public void Large_annotations_do_not_fill_the_memory()
    {
        var mirror = new ObjectCache<Widget>();
        var note = new string('x', 255 * 1024);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 500; i++)
        {
            var json = Encoding.UTF8.GetBytes(Widget.Annotated($"w{i}", i + 1, note));
            mirror.Apply(new WatchEvent<Widget>.Applied(ObjectReader.ReadObject(json, Widget.Resource).Item!));
        }

        var kilobytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024;
        output.WriteLine($"500 objects with annotations of 255 KiB: {kilobytes} KiB");
        // Kept annotations would be 250 MiB. The figure is negative where earlier tests have left something.
        Assert.InRange(kilobytes, long.MinValue, 10_240);
        Assert.Equal(500, mirror.Count);
    }
}
