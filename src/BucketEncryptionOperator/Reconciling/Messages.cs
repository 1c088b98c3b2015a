namespace BucketEncryptionOperator.Reconciling;

/// <summary>Texts of conditions and events.</summary>
internal static class Messages
{
    /// <summary>Returns what is wrong, then what to do about it; either may be absent.</summary>
    public static string Join(string? what, string? hint) =>
        string.Join(' ', new[] { what, hint }.Where(t => !string.IsNullOrEmpty(t)));
}
