namespace KubeRuntime.Client;

/// <summary>
/// The token that proves who we are. One from a file follows its file (<see cref="Renewable{T}"/>): projected service
/// account tokens are replaced on disk well before they end (the kubelet does it at 80 % of their life).
/// </summary>
public sealed class BearerToken
{
    private readonly Renewable<string> _value;

    private BearerToken(Renewable<string> value) => _value = value;

    public string Current => _value.Current;

    /// <exception cref="FormatException">The text is no token.</exception>
    public static BearerToken FromText(string token) => new(Renewable.Of(Checked(token)));

    /// <exception cref="IOException">The file cannot be read now; later failures keep the last token.</exception>
    /// <exception cref="FormatException">The file holds no token.</exception>
    public static BearerToken FromFile(string path, TimeProvider time) =>
        new(Renewable.From(() => File.ReadAllText(path), Checked, time));

    /// <summary>The server did not know it.</summary>
    public void Doubt() => _value.Doubt();

    public override string ToString() => "(redacted)";

    /// <summary>
    /// A line end inside a token would make every request throw in the header's parser, far from here.
    /// </summary>
    private static string Checked(string text)
    {
        var token = text.Trim();
        return token.Length > 0 && VisibleAscii.IsAll(token) ? token : throw new FormatException("not a token");
    }
}
