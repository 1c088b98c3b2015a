namespace BucketEncryptionOperator.Output;

/// <summary>The form of what a command prints on stdout.</summary>
internal enum OutputFormat
{
    /// <summary>For people; with colours on a terminal.</summary>
    Table,

    Json,

    Yaml,

    /// <summary>For a comment of a pull request.</summary>
    Markdown,

    /// <summary>Annotations of GitHub Actions, with file and line.</summary>
    Github,
}
