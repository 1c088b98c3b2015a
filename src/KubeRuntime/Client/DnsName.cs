namespace KubeRuntime.Client;

/// <summary>The names that Kubernetes (RFC 1123) and object stores allow: lower-case labels between dots.</summary>
public static class DnsName
{
    /// <summary>Maximum length of a label that is a name by itself, as that of a namespace.</summary>
    public const int MaxLabel = 63;

    /// <summary>Maximum length of the name of most objects.</summary>
    public const int MaxSubdomain = 253;

    /// <summary>Returns whether the text is one label: lower-case letters, digits and hyphens, at least one.</summary>
    /// <param name="edgeHyphens">Whether a hyphen may be the first or the last character.</param>
    public static bool IsLabel(string text, bool edgeHyphens = false) =>
        text.Length > 0
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && (edgeHyphens || (text[0] != '-' && text[^1] != '-'));

    /// <summary>Returns whether the text is labels with one dot between each.</summary>
    /// <inheritdoc cref="IsLabel"/>
    public static bool IsSubdomain(string text, bool edgeHyphens = false) =>
        text.Split('.').All(label => IsLabel(label, edgeHyphens));
}
