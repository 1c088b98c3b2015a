using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Texts of untrusted answers, as they may be shown.</summary>
internal static class VendorText
{
    public const int MaxWord = 128;
    public const int MaxMessage = 256;

    /// <summary>Returns the text in one line and bounded; null for one that says nothing.</summary>
    public static string? OneLine(string? text, int max)
    {
        if (text is null)
            return null;
        var clean = string.Concat(Failure.Cut(text.Trim(), max).Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return clean.Length == 0 ? null : clean;
    }
}
