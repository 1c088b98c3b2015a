namespace BucketEncryptionOperator.Encryption;

/// <summary>The Kubernetes event that a new error of a bucket makes.</summary>
internal enum ReasonEvent
{
    /// <summary>None: it passes in seconds, is reported otherwise, or is never the error of a bucket.</summary>
    None,

    /// <summary>The common event for failures: operation, code and hint, without the vendor's text.</summary>
    VendorError,

    /// <summary>A warning of its own. Its reason is the name of the row.</summary>
    Warning,

    /// <summary>A normal event of its own. Its reason is the name of the row.</summary>
    Normal,
}

/// <summary>What a reason means beside its event; each is asked for in one place.</summary>
[Flags]
internal enum ReasonTraits
{
    None = 0,

    /// <summary>Writes of the bucket are paused: counted in <c>bucketencryption_fuse_blown_total</c>.</summary>
    BackOff = 1,

    /// <summary>
    /// A drifted or leaving bucket with this error waits for something that comes by itself: the policy is Reconciling
    /// and not Stalled.
    /// </summary>
    Awaited = 1 << 1,

    /// <summary>The bucket was read, and the plan refuses the write: its state is Drifted and not Failed.</summary>
    PlanRefusal = 1 << 2,

    /// <summary>The pass had no time, or no permits, for the bucket: the next pass continues with it.</summary>
    Unfinished = 1 << 3,

    /// <summary>The log has no line for it.</summary>
    NotLogged = 1 << 4,

    /// <summary>There was no whole answer: it counts for the endpoint's circuit breaker.</summary>
    NoAnswer = 1 << 5,

    /// <summary>It is reported and concerns another policy: Ready stays True.</summary>
    Noted = 1 << 6,

    /// <summary>
    /// A state of a KMS key in which no upload can use it: no bucket is moved to such a key.
    /// </summary>
    DeadKey = 1 << 7,
}

/// <summary>A reason of the operator's own, and what is decided by it: one row of <see cref="Reasons"/>.</summary>
/// <param name="Name">
/// The reason of a condition or event, or the code of an error. It is API: users select and alert by it.
/// </param>
internal record Reason(string Name, ReasonEvent Event, ReasonTraits Traits)
{
    /// <summary>The reason's heading in docs/troubleshooting.md, as GitHub names it.</summary>
    public string DocsAnchor => Name.ToLowerInvariant();

    public bool Has(ReasonTraits trait) => (Traits & trait) == trait;

    /// <summary>Whether a condition's reason or an error's code is this one.</summary>
    public bool Is(string? code) => code == Name;
}

/// <summary>A reason with which something can fail.</summary>
/// <param name="Kind">The kind of every such failure, unless the place that makes it names another one.</param>
internal sealed record FailureReason(string Name, FailureKind Kind, ReasonEvent Event, ReasonTraits Traits)
    : Reason(Name, Event, Traits);
