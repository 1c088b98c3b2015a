namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// What a failure means for what happens next: the one vocabulary inside the operator (CONTRIBUTING, "Errors").
/// </summary>
internal enum FailureKind
{
    /// <summary>Time heals it: 5xx, reset, time-out, half an answer.</summary>
    Transient,

    /// <summary>Time heals it, and going slower does too.</summary>
    Throttled,

    /// <summary>Another change is under way.</summary>
    Conflict,

    /// <summary>The keys are rejected or may not: their owner must act.</summary>
    Denied,

    /// <summary>The bucket, store or Secret is not there (yet).</summary>
    Missing,

    /// <summary>The policy or store asks for what cannot be.</summary>
    Invalid,

    /// <summary>The vendor will not do it as things are, or it would weaken the bucket without consent.</summary>
    Refused,

    /// <summary>The operator's own mistake.</summary>
    Bug,
}

/// <summary>
/// One thing that went wrong, named at the border where it happened. Holds no key, signature, query or body.
/// </summary>
/// <param name="Operation">
/// The vendor's name of the call, for example <c>PutBucketEncryption</c>, or a step of the operator's own.
/// </param>
/// <param name="Code">The vendor's error code, unchanged, or the operator's own word.</param>
/// <remarks>
/// Its texts are bounded by construction, for they end in a status, and the API server refuses one that is too long.
/// </remarks>
internal sealed record Failure(FailureKind Kind, string Operation, string Code)
{
    private const int MaxWord = 128;
    private const int MaxText = 1024;

    /// <summary>A failure that has a reason of the operator's own.</summary>
    public Failure(FailureReason reason, string operation)
        : this(reason.Kind, operation, reason.Name) { }

    public string Code
    {
        get;
        init => field = Cut(value, MaxWord);
    } = Cut(Code, MaxWord);

    public int? HttpStatus { get; init; }

    /// <summary>Alibaba Cloud's fine error number.</summary>
    public string? Ec
    {
        get;
        init => field = value is null ? null : Cut(value, MaxWord);
    }

    public string? Message
    {
        get;
        init => field = value is null ? null : Cut(value, MaxText);
    }

    /// <summary>What a person can do about it.</summary>
    public string? Hint
    {
        get;
        init => field = value is null ? null : Cut(value, MaxText);
    }

    /// <summary>A host that the vendor names as the right one.</summary>
    public string? Endpoint
    {
        get;
        init => field = value is null ? null : Cut(value, MaxText);
    }

    /// <summary>Of the request; goes to logs, and to the status only when something else changes too.</summary>
    public string? RequestId
    {
        get;
        init => field = value is null ? null : Cut(value, MaxWord);
    }

    /// <summary>The vendor's own word on when to come back.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The access key itself is the trouble (rejected, or its Secret is not there): every other bucket of the store
    /// would fail alike.
    /// </summary>
    public bool ConcernsCredentials { get; init; }

    /// <summary>
    /// The vendor itself said so, with an error code of its own, to a request for this bucket with this key. False for
    /// timeouts, pages of gateways, answers of a circuit breaker that asked nobody, and everything that the API server
    /// says: only a vendor's answer may move a claim or reject a key.
    /// </summary>
    public bool IsVendorAnswer { get; init; }

    /// <summary>
    /// No byte of the request went to the vendor, so it has changed nothing: the rate limit, a circuit breaker, an
    /// expired key, a last check, or a
    /// connection that could not be made. False means that the vendor may have got it, answer or not.
    /// </summary>
    public bool NotSent { get; init; }

    /// <summary>
    /// An answer came, and nothing in it is the vendor's: a page of a gateway, proxy or load balancer, or of another
    /// server. It says nothing about bucket or key. <see cref="FailurePolicy.IsNotTheStore"/> tells when a person is
    /// called for.
    /// </summary>
    public bool IsForeign { get; init; }

    /// <summary>Whether waiting alone may mend it.</summary>
    public bool PassesByItself => Kind is FailureKind.Transient or FailureKind.Throttled or FailureKind.Conflict;

    /// <summary>Whether its reason is the operator's own and has the trait.</summary>
    public bool Has(ReasonTraits trait) => Reasons.Find(Code, HttpStatus)?.Has(trait) == true;

    /// <summary>
    /// At most <paramref name="max"/> characters, and no half of a pair: that would not read back as it was written.
    /// </summary>
    public static string Cut(string text, int max) =>
        text.Length <= max ? text : text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];
}

/// <summary>A value, or why there is none. Exactly one of the two is set.</summary>
internal readonly record struct Result<T>(T? Value, Failure? Failure)
    where T : class;
