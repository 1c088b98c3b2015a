using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Commands;

/// <summary>How the command ended.</summary>
internal abstract record CommandResult
{
    private CommandResult() { }

    /// <param name="NotConfigured">The vendor's answer, if it said that nothing is configured.</param>
    public sealed record Read(BucketEncryption Encryption, Failure? NotConfigured) : CommandResult;

    /// <summary>
    /// The vendor accepted it. Whether a read shows it yet, and whether the KMS key works, was not checked.
    /// </summary>
    public sealed record Written(BucketEncryption Encryption) : CommandResult;

    public sealed record Failed(Failure Failure) : CommandResult;

    /// <summary>Nothing was sent.</summary>
    public sealed record Unusable(string Problem) : CommandResult;

    /// <summary>Ctrl-C or SIGTERM came before the vendor's answer.</summary>
    public sealed record Interrupted : CommandResult
    {
        public const string Code = "Interrupted";
        public const string Message =
            "Stopped before the vendor answered. A put or delete may have been carried out: a get shows it.";
    }

    /// <summary>A bug of this program.</summary>
    public sealed record Broken : CommandResult
    {
        public const string Message =
            "The program has a bug; stderr says where. A put or delete may have been carried out: a get shows it.";
    }
}

/// <summary>A result as text for stdout, and the exit code.</summary>
internal readonly record struct RenderedOutput(string Text, int ExitCode)
{
    /// <summary>The exit code of shells for a program that SIGINT has ended.</summary>
    public const int Interrupted = 130;
}
