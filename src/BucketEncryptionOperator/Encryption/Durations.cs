namespace BucketEncryptionOperator.Encryption;

/// <summary>Compares times, as <see cref="Math"/> compares numbers.</summary>
internal static class Durations
{
    public static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    public static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    public static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => Min(Max(value, min), max);
}
