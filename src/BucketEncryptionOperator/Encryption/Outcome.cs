namespace BucketEncryptionOperator.Encryption;

/// <summary>How the work on one bucket ended.</summary>
internal abstract record Outcome
{
    private Outcome()
    {
    }

    public sealed record InSync(BucketEncryption Observed) : Outcome;

    /// <summary>Written, now or earlier, and not yet seen by a read. <paramref name="History"/> says how often.</summary>
    public sealed record Unconfirmed(BucketEncryption? Observed, WriteHistory History) : Outcome;

    /// <param name="Observed">What the bucket has, where it could be read.</param>
    public sealed record Failed(Failure Failure, BucketEncryption? Observed) : Outcome;
}

/// <param name="Applied">What this reconcile wrote to the bucket, if it did.</param>
internal sealed record BucketResult(string Bucket, Outcome Outcome, AppliedChange? Applied = null);

/// <summary>A write that the vendor has taken.</summary>
/// <param name="To">None: the encryption was removed.</param>
internal sealed record AppliedChange(BucketEncryption From, BucketEncryption To, DateTimeOffset At);
