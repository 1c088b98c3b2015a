namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// The least level to log, which may change while the operator runs. What .NET itself says of each request would drown
/// the rest: of that, warnings at least.
/// </summary>
internal sealed class LogLevels(LogLevel least)
{
    private volatile LogLevel _least = least;

    public LogLevel Least
    {
        get => _least;
        set => _least = value;
    }

    /// <summary>Asked before each line.</summary>
    public bool LetsThrough(string? category, LogLevel level) =>
        level >= _least && (level >= LogLevel.Warning || !IsFramework(category));

    private static bool IsFramework(string? category) =>
        category is not null
        && (
            category.StartsWith("Microsoft", StringComparison.Ordinal)
            || category.StartsWith("System", StringComparison.Ordinal)
        );
}
