namespace KubeRuntime.Client;

/// <summary>The characters that may go into an HTTP header without quoting: ASCII, visible, and no blank.</summary>
public static class VisibleAscii
{
    /// <summary>Returns whether every character of the text is visible ASCII; true for an empty text.</summary>
    public static bool IsAll(string text) => text.All(c => c is > ' ' and <= '~');
}
