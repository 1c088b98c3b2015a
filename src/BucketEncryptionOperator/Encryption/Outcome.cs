namespace BucketEncryptionOperator.Encryption;

/// <summary>How the work on one bucket ended.</summary>
internal abstract record Outcome
{
    private Outcome() { }

    /// <param name="History">Corrections of somebody else's changes, while they are still counted.</param>
    public sealed record InSync(BucketEncryption Observed, WriteHistory? History = null) : Outcome;

    /// <summary>
    /// Written, now or earlier, and a read shows something else, or nothing. <paramref name="History"/> says how often.
    /// </summary>
    public sealed record Unconfirmed(BucketEncryption? Observed, WriteHistory History, bool Removes = false) : Outcome
    {
        /// <summary>Written just now: a read a moment later tells more.</summary>
        public bool IsNew { get; init; }

        /// <summary>
        /// Written several times, and the last write has had its time: the next one comes much later, and a person
        /// should look.
        /// </summary>
        public bool IsStuck => History.FuseBlown && !IsNew;
    }

    /// <param name="Observed">What the bucket has, where it could be read.</param>
    public sealed record Failed(Failure Failure, BucketEncryption? Observed) : Outcome;

    /// <summary>It differs, and nothing may be written: this is what would be.</summary>
    /// <param name="Why">Null where the policy asks for no more than a report.</param>
    public sealed record Planned(BucketEncryption Observed, PlannedChange Change, Failure? Why) : Outcome;

    /// <summary>
    /// It differs, or is to be released, and nothing may be written yet: look again after <paramref name="For"/>.
    /// </summary>
    /// <param name="Observed">What the bucket has, where it was read.</param>
    public sealed record Waiting(BucketEncryption? Observed, Failure Why, TimeSpan For) : Outcome;

    /// <summary>Another policy owns the bucket.</summary>
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
    /// <summary>
    /// What this look says about the policy's claim on the bucket; null where it says nothing, and the claim stays as
    /// it is.
    /// </summary>
    public Claim? Claim { get; init; }

    /// <summary>The policy may write the bucket, and must release it one day.</summary>
    public bool Owns { get; init; }

    /// <summary>
    /// A write was on record and was not made: it was not sent, or the vendor refused it. It does not count as one
    /// without effect.
    /// </summary>
    public bool WasRefused { get; init; }

    /// <summary>The id under which the store answers its own default key, where this write has shown it.</summary>
    public string? VendorKey { get; init; }

    /// <summary>
    /// Since when nothing but answers that are not the store's have come; null where this one is not of that sort.
    /// </summary>
    public DateTimeOffset? ForeignSince { get; init; }

    /// <summary>The vendor denied the write, with a code of its own.</summary>
    public bool WasDenied { get; init; }

    /// <summary>The read right before the write failed: no write was sent.</summary>
    public bool WasUnread { get; init; }

    /// <summary>What was read of the bucket, where there was no time for the write that must follow.</summary>
    public PostponedObservation? Postponed { get; init; }
}

/// <param name="ReadAt">Timestamp at which the read was begun.</param>
internal sealed record PostponedObservation(Observation Observed, long ReadAt);

/// <summary>
/// What entitles a policy to a bucket: the vendor's coded answer about that very bucket to that very key, and nothing
/// else.
/// </summary>
internal enum Claim
{
    /// <summary>
    /// The policy's keys have never read the bucket, or the vendor says that there is no such bucket.
    /// </summary>
    None,

    /// <summary>The policy's keys have read the bucket, and nothing was denied since.</summary>
    Open,

    /// <summary>
    /// The keys had read the bucket, and the vendor denies it now. The policy keeps the bucket from all that declare
    /// something else.
    /// </summary>
    Denied,
}

/// <summary>A write that the vendor has taken.</summary>
/// <param name="To">None: the encryption was removed.</param>
internal sealed record AppliedChange(BucketEncryption From, BucketEncryption To, DateTimeOffset At);

/// <summary>A write that was not sent.</summary>
/// <param name="Document">The body of the PUT; null for a DELETE.</param>
internal sealed record PlannedChange(BucketEncryption Target, string? Document);
