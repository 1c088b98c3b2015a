using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MicroBenchmarks;
using Perfolizer.Horology;

// Runs HotPaths in this process: JIT-compiled, with the collector's settings of the operator. Time is of this machine
// and this hour; the bytes of an operation are the same everywhere. Arguments are BenchmarkDotNet's, such as
// --filter '*status*'. The exit code is 1 where a benchmark failed.
var config = ManualConfig
    .CreateEmpty()
    .AddJob(
        Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(3)
            .WithIterationCount(10)
            .WithIterationTime(TimeInterval.FromMilliseconds(100))
    )
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .HideColumns(Column.Error, Column.StdDev, Column.Gen0, Column.Gen1, Column.Gen2)
    .AddExporter(MarkdownExporter.GitHub)
    .AddLogger(ConsoleLogger.Default)
    .WithArtifactsPath("artifacts/micro");
string[] all = ["--filter", "*"];
var summaries = BenchmarkSwitcher.FromTypes([typeof(HotPaths)]).Run(args.Length == 0 ? all : args, config).ToList();
return summaries.Count > 0 && summaries.All(s => !s.HasCriticalValidationErrors && s.Reports.All(r => r.Success))
    ? 0
    : 1;
