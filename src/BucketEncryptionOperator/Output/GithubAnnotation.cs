using System.Globalization;

namespace BucketEncryptionOperator.Output;

/// <summary>
/// A line of GitHub Actions' workflow commands, which shows a message beside a line of a file. What is in a message
/// cannot end the line and begin a command of its own.
/// </summary>
/// <param name="Level"><c>error</c>, <c>warning</c> or <c>notice</c>.</param>
/// <param name="Line">0: the file as a whole.</param>
internal sealed record GithubAnnotation(string Level, string File, int Line, string Title, string Message)
{
    public override string ToString()
    {
        var line = Line > 0 ? string.Create(CultureInfo.InvariantCulture, $",line={Line}") : "";
        return $"::{Level} file={Property(File)}{line},title={Property(Title)}::{Data(Message)}\n";
    }

    private static string Data(string text) =>
        string.Join("%0A", text.Split('\n').Select(l => string.Join("%0D", l.Split('\r').Select(Visible))));

    private static string Visible(string text) => VisibleText.Of(text.Replace("%", "%25", StringComparison.Ordinal));

    private static string Property(string text) =>
        Data(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
