using System.Collections.Immutable;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// What was typed, as it was typed; null is not typed. Never printed: the record's own form is replaced.
/// </summary>
internal sealed record BucketEncryptionArguments
{
    /// <summary>The one URL, and what the parser could make nothing of.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    public string? Method { get; init; }

    public string? SseAlgorithm { get; init; }

    public string? KmsKeyId { get; init; }

    public string? KmsDataEncryption { get; init; }

    public string? Endpoint { get; init; }

    public string? AccessKeyId { get; init; }

    public string? AccessKeySecret { get; init; }

    public string? StsToken { get; init; }

    public string? Mode { get; init; }

    public string? Region { get; init; }

    public string? SignVersion { get; init; }

    public string? CloudBoxId { get; init; }

    public bool ForcePathStyle { get; init; }

    public string? ConfigFile { get; init; }

    public string? Vendor { get; init; }

    public string? ReadTimeout { get; init; }

    public string? ConnectTimeout { get; init; }

    /// <summary>Options of ossutil that are known and not supported, as far as they were given.</summary>
    public ImmutableArray<string> Unsupported { get; init; } = [];

    public override string ToString() => "BucketEncryptionArguments (redacted)";
}

/// <summary>
/// What was typed, or what the config file and the environment say, cannot be carried out. Its message is for the
/// person who typed, and holds no key.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);
