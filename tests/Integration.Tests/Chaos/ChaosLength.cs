namespace Integration.Tests.Chaos;

/// <summary><c>make chaos</c> sets BEO_CHAOS=long; in <c>make test</c> the same faults last shorter.</summary>
internal static class ChaosLength
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("BEO_CHAOS") == "long";

    public static TimeSpan Of(int longSeconds, int shortSeconds) =>
        TimeSpan.FromSeconds(IsLong ? longSeconds : shortSeconds);
}
