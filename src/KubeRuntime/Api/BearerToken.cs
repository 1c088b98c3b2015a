namespace KubeRuntime.Api;

/// <summary>
/// The token that proves who we are. One from a file is read again every minute: projected service account tokens are
/// replaced on disk well before they end (the kubelet does it at 80 % of their life).
/// </summary>
public sealed class BearerToken
{
    private static readonly TimeSpan RereadAfter = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly string? _path;
    private readonly TimeProvider _time;
    private string _value;
    private long _readAt;

    private BearerToken(string value, string? path, TimeProvider time)
    {
        _value = value;
        _path = path;
        _time = time;
        _readAt = time.GetTimestamp();
    }

    /// <exception cref="FormatException">The text is no token.</exception>
    public static BearerToken FromText(string token, TimeProvider time) => new(Checked(token), path: null, time);

    /// <exception cref="IOException">The file cannot be read now; later failures keep the last token.</exception>
    /// <exception cref="FormatException">The file holds no token.</exception>
    public static BearerToken FromFile(string path, TimeProvider time) => new(Checked(File.ReadAllText(path)), path, time);

    public string Current
    {
        get
        {
            lock (_gate)
            {
                if (_path is not null && _time.GetElapsedTime(_readAt) >= RereadAfter)
                    Reread(_path);
                return _value;
            }
        }
    }

    public override string ToString() => "(redacted)";

    /// <summary>A line end inside a token would make every request throw in the header's parser, far from here.</summary>
    private static string Checked(string text)
    {
        var token = text.Trim();
        return token.Length > 0 && token.All(c => c is > ' ' and <= '~') ? token : throw new FormatException("not a token");
    }

    private void Reread(string path)
    {
        _readAt = _time.GetTimestamp();
        try
        {
            _value = Checked(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // A kubelet swaps the file; the token that we have is good until the server says otherwise.
        }
    }
}
