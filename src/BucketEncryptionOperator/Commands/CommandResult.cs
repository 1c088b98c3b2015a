using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Commands;

/// <summary>How the command ended.</summary>
internal abstract record CommandResult
{
    private CommandResult()
    {
    }

    /// <param name="NotConfigured">The vendor's words, where it said that nothing is configured.</param>
    public sealed record Read(BucketEncryption Encryption, Failure? NotConfigured) : CommandResult;

    /// <summary>The vendor took it. Whether a read shows it yet, and whether the KMS key works, nobody asked.</summary>
    public sealed record Written(BucketEncryption Encryption) : CommandResult;

    public sealed record Failed(Failure Failure) : CommandResult;

    /// <summary>Nothing was sent.</summary>
    public sealed record Unusable(string Problem) : CommandResult;
}

/// <summary>A result as it is shown: what goes to stdout, and the exit code.</summary>
internal readonly record struct Shown(string Text, int ExitCode);
