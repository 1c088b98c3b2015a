using System.Globalization;

namespace BucketEncryptionOperator.Manifests;

/// <summary>A place in a file.</summary>
/// <param name="File">As the user named it; <c>-</c> is stdin.</param>
/// <param name="Line">Counted from 1; 0 where the problem is the file's as a whole.</param>
/// <param name="Column">Counted from 1.</param>
internal sealed record SourcePosition(string File, int Line, int Column)
{
    public override string ToString() =>
        Line == 0 ? File : string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}");
}

/// <summary>What is wrong in a file.</summary>
/// <param name="Field">Path of the field, as <c>spec.buckets[0].name</c>; empty where it is not about a field.</param>
internal sealed record ManifestProblem(SourcePosition Position, string Field, string Message)
{
    public override string ToString() =>
        Field.Length == 0 ? $"{Position}: {Message}" : $"{Position}: {Field}: {Message}";
}

/// <summary>A document cannot be read.</summary>
internal sealed class ManifestException(SourcePosition position, string message) : Exception(message)
{
    public ManifestProblem Problem => new(position, "", Message);
}
