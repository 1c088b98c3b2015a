using KubeRuntime.Client;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>The rule for names of buckets that all vendors share. Each store says whether it takes dots.</summary>
internal static class BucketName
{
    private const int Min = 3;
    private const int Max = 63;

    /// <summary>Returns whether the text may be the name of a bucket.</summary>
    /// <param name="edgeHyphens">
    /// Whether a label may begin or end with a hyphen. Policies do not allow it; the command does, for old buckets.
    /// </param>
    public static bool IsValid(string text, bool edgeHyphens) =>
        text.Length is >= Min and <= Max && DnsName.IsSubdomain(text, edgeHyphens);
}
