using System.Text.Json;

namespace BucketEncryptionOperator.Tests.Hosting;

/// <summary>
/// What the operator's process is started with. A property whose name is misspelt in the project file is no error to
/// anybody else.
/// </summary>
public sealed class MemorySettingsTests
{
    private const long Mib = 1 << 20;

    [Theory]
    [InlineData("System.GC.Server")]
    [InlineData("System.GC.Concurrent")]
    [InlineData("System.Runtime.TieredPGO")]
    public void The_operator_runs_without(string costly) => Assert.False(Setting(costly).GetBoolean());

    [Fact]
    public void The_operator_collects_after_a_few_MiB() =>
        Assert.InRange(Setting("System.GC.Gen0MaxBudget").GetInt64(), Mib, 8 * Mib);

    /// <summary>The trimmer removes System.Diagnostics.Metrics where it is off, and /metrics would be empty.</summary>
    [Fact]
    public void The_operator_keeps_metrics_when_it_is_trimmed() =>
        Assert.True(Setting("System.Diagnostics.Metrics.Meter.IsSupported").GetBoolean());

    private static JsonElement Setting(string name)
    {
        using var settings = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "bucket-encryption-operator.runtimeconfig.json"))
        );
        return settings
            .RootElement.GetProperty("runtimeOptions")
            .GetProperty("configProperties")
            .GetProperty(name)
            .Clone();
    }
}
