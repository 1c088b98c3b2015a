namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// The minimum level to log, which may change while the operator runs. Of .NET's own messages, which come with each
/// request, only warnings and errors are logged.
/// </summary>
internal sealed class LogLevels(LogLevel minimum)
{
    private volatile LogLevel _minimum = minimum;

    public LogLevel Minimum
    {
        get => _minimum;
        set => _minimum = value;
    }

    /// <summary>Called before each line.</summary>
    public bool IsEnabled(string? category, LogLevel level) =>
        level >= _minimum && (level >= LogLevel.Warning || !IsFramework(category));

    private static bool IsFramework(string? category) =>
        category is not null
        && (
            category.StartsWith("Microsoft", StringComparison.Ordinal)
            || category.StartsWith("System", StringComparison.Ordinal)
        );
}
