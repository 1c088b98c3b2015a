using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using MicroBenchmarks;

namespace Benchmarks;

/// <summary>
/// Runs each of <see cref="HotPaths"/> a fixed number of times, and prints a line of it: method, operations, bytes per
/// operation, name. hot_paths.py runs this under callgrind, which counts the instructions below <see cref="Measure"/>.
/// </summary>
internal static class HotPathCounts
{
    /// <summary>Callgrind is 50 times slower than the machine.</summary>
    private const int Operations = 200;
    private const int FewestCalls = 10;

    public static int Run()
    {
        using var paths = new HotPaths();
        foreach (var (method, benchmark) in Found(typeof(HotPaths)))
        {
            var path = method.CreateDelegate<Func<object?>>(paths);
            var calls = Math.Max(FewestCalls, Operations / benchmark.OperationsPerInvoke);
            WarmUp(path, calls);
            GC.Collect(); // a path that allocates little then has no collection in it, whatever came before
            var before = GC.GetAllocatedBytesForCurrentThread();
            Measure(path, calls);
            var operations = calls * benchmark.OperationsPerInvoke;
            var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)operations;
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{method.Name}\t{operations}\t{bytes:0}\t{benchmark.Description}"
                )
            );
        }
        return 0;
    }

    private static IEnumerable<(MethodInfo Method, BenchmarkAttribute Benchmark)> Found(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] Type type
    ) =>
        from method in type.GetMethods()
        let benchmark = method.GetCustomAttribute<BenchmarkAttribute>()
        where benchmark is not null
        select (method, benchmark);

    /// <summary>What happens once is not part of the figure.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WarmUp(Func<object?> path, int calls)
    {
        for (var i = 0; i < calls; i++)
            Finish(path());
    }

    /// <summary>Of its own name, and not inlined: hot_paths.py looks for what it calls.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Measure(Func<object?> path, int calls)
    {
        for (var i = 0; i < calls; i++)
            Finish(path());
    }

    private static void Finish(object? result)
    {
        if (result is Task { IsCompleted: false })
            throw new InvalidOperationException("a hot path has waited: its instructions are of other threads too");
    }
}
