namespace BucketEncryptionOperator.Encryption;

/// <summary>How the work on one bucket ended.</summary>
internal abstract record Outcome
{
    private Outcome()
    {
    }

    /// <param name="History">Corrections of somebody else's changes, while they are still counted.</param>
    public sealed record InSync(BucketEncryption Observed, WriteHistory? History = null) : Outcome;

    /// <summary>Written, now or earlier, and a read shows something else, or nothing. <paramref name="History"/> says how often.</summary>
    public sealed record Unconfirmed(BucketEncryption? Observed, WriteHistory History, bool Removes = false) : Outcome;

    /// <param name="Observed">What the bucket has, where it could be read.</param>
    public sealed record Failed(Failure Failure, BucketEncryption? Observed) : Outcome;

    /// <summary>It differs, and nothing may be written: this is what would be.</summary>
    /// <param name="Why">Null where the policy asks for no more than a report.</param>
    public sealed record Planned(BucketEncryption Observed, PlannedChange Change, Failure? Why) : Outcome;

    /// <summary>Another policy keeps the bucket.</summary>
    /// <param name="IsMet">The bucket is as this policy wants it.</param>
    /// <param name="Why">Null where the two agree, and it is as both want it.</param>
    public sealed record Yielded(BucketEncryption Observed, bool IsMet, Failure? Why) : Outcome;

    /// <summary>The bucket is this policy's no more, and nothing remains to be done for it.</summary>
    /// <param name="Skipped">Why it was left as it is, where it should have been changed.</param>
    public sealed record Released(Failure? Skipped = null) : Outcome;
}

/// <param name="Applied">What this reconcile wrote to the bucket, if it did.</param>
internal sealed record BucketResult(string Bucket, Outcome Outcome, AppliedChange? Applied = null)
{
    /// <summary>Whether the policy's own keys open the bucket; null where this look did not tell.</summary>
    public bool? Opened { get; init; }

    /// <summary>The policy is the one that keeps the bucket.</summary>
    public bool Holds { get; init; }
}

/// <summary>A write that the vendor has taken.</summary>
/// <param name="To">None: the encryption was removed.</param>
internal sealed record AppliedChange(BucketEncryption From, BucketEncryption To, DateTimeOffset At);

/// <summary>A write that was not sent.</summary>
/// <param name="Document">The body of the PUT; null for a DELETE.</param>
internal sealed record PlannedChange(BucketEncryption Target, string? Document);
