using System.Collections.Immutable;

namespace BucketEncryptionOperator.Commands;

/// <summary>The command line as it was typed; null if an option was not typed. Its text form is redacted.</summary>
internal sealed record BucketEncryptionArguments
{
    /// <summary>The URL of the bucket, and words that the parser did not recognize.</summary>
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

    /// <summary>Known options of ossutil that are not supported, as far as they were given.</summary>
    public ImmutableArray<string> Unsupported { get; init; } = [];

    public override string ToString() => "BucketEncryptionArguments (redacted)";
}

/// <summary>
/// The command line, the config file or the environment asks for something impossible. The message is for the user, and
/// contains no key.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);
