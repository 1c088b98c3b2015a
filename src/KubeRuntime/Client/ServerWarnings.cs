using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Client;

/// <summary>
/// What the API server warns of in its answers (<c>Warning: 299 - "text"</c>: a version that is deprecated, a field
/// that it does not know). Each text is logged once in the life of the process; the number of texts and their length
/// are bounded, for they come from outside. For any number of clients.
/// </summary>
public sealed class ServerWarnings(ILogger logger)
{
    private const int MostTexts = 100;
    private const int LongestText = 512;

    /// <summary>The only code that Kubernetes uses.</summary>
    private const int MiscellaneousPersistent = 299;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    internal void Note(HttpResponseHeaders headers)
    {
        foreach (var warning in headers.Warning)
        {
            if (warning.Code == MiscellaneousPersistent)
                Note(Unquoted(warning.Text));
        }
    }

    private void Note(string text)
    {
        lock (_gate)
        {
            if (_seen.Count >= MostTexts || !_seen.Add(text))
                return;
        }
        Log.ServerWarns(logger, text);
    }

    /// <summary>A quoted string of HTTP: a backslash stands before a character that is meant as it is.</summary>
    private static string Unquoted(string quoted)
    {
        var text = new StringBuilder();
        for (var i = 1; i < quoted.Length - 1 && text.Length < LongestText; i++)
        {
            if (quoted[i] == '\\')
                i++;
            text.Append(quoted[i]);
        }
        return text.ToString();
    }
}
