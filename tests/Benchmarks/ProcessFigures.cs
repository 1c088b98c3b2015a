using System.Globalization;

namespace Benchmarks;

/// <summary>What Linux says of a process (proc(5)).</summary>
internal static class ProcessFigures
{
    /// <summary>Clock ticks a second; 100 on every Linux that .NET runs on.</summary>
    private const double Ticks = 100;
    private const double KibInMib = 1024;

    /// <summary>Time since the kernel started this process, so that the start of the runtime counts too.</summary>
    public static double SecondsSinceStart() =>
        double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture)
        - (Stat("self", 22) / Ticks);

    /// <summary>For bench.py.</summary>
    public static string Line(double seconds, string pid) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"seconds={seconds:0.000} cpuSeconds={CpuSeconds(pid):0.00} rssMiB={ResidentMib(pid):0.0} "
                + $"privateMiB={PrivateMib(pid):0.0} peakMiB={PeakMib(pid):0.0}"
        );

    private static double CpuSeconds(string pid) => (Stat(pid, 14) + Stat(pid, 15)) / Ticks;

    private static double ResidentMib(string pid) => Status(pid, "VmRSS:");

    /// <summary>Without the pages of files, which the kernel can take back when memory is short.</summary>
    private static double PrivateMib(string pid) => Status(pid, "RssAnon:") + Status(pid, "RssShmem:");

    private static double PeakMib(string pid) => Status(pid, "VmHWM:");

    /// <summary>Fields are counted as in proc(5); the second one may hold blanks.</summary>
    private static double Stat(string pid, int field)
    {
        var line = File.ReadAllText($"/proc/{pid}/stat");
        return double.Parse(line[(line.LastIndexOf(')') + 2)..].Split(' ')[field - 3], CultureInfo.InvariantCulture);
    }

    private static double Status(string pid, string name)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(
                line[name.Length..].Replace("kB", "", StringComparison.Ordinal),
                CultureInfo.InvariantCulture
            ) / KibInMib;
    }
}
