using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Specs;

internal enum PolicyMode
{
    Enforce,

    /// <summary>Report what differs, and write nothing.</summary>
    Audit,
}

/// <summary>What happens to a bucket that leaves the policy, or whose policy is deleted.</summary>
internal enum DeletionPolicy
{
    /// <summary>It stays as it is.</summary>
    Retain,

    /// <summary>Its encryption is removed.</summary>
    Delete,

    /// <summary>It gets back what it had before the policy's first write.</summary>
    Restore,
}

/// <summary>What a policy asks for, without regard to its store.</summary>
internal sealed record PolicyTerms(Goal.Declared Goal, PolicyMode Mode, DeletionPolicy Deletion, TimeSpan Resync);

/// <summary>The buckets of a policy: by name, or by what their account lists.</summary>
internal abstract record DesiredBuckets
{
    private DesiredBuckets() { }

    public sealed record Named(ImmutableArray<BucketAddress> Addresses) : DesiredBuckets;

    public sealed record Selected(BucketSelector Selector) : DesiredBuckets;
}

/// <summary>
/// What a policy asks for, valid by construction. From the inside: <c>DesiredEncryption</c> is the declared encryption;
/// <c>Goal.Declared</c> adds <c>match</c> and <c>allowDowngrade</c>; <see cref="PolicyTerms"/> adds mode, deletion and
/// interval; this adds where the buckets are.
/// </summary>
internal sealed record DesiredState(PolicyTerms Terms, DesiredBuckets Buckets);

/// <summary>
/// Turns a policy and its store into a desired state, or says what is wrong. The CRDs refuse most invalid specs. This
/// reader checks what needs both objects or the operator's settings, and what an older CRD accepted.
/// </summary>
internal static class PolicyReader
{
    public static readonly TimeSpan DefaultResync = TimeSpan.FromMinutes(10);

    public const string ReadPolicy = "ReadPolicy";

    /// <summary>
    /// Minimum interval that a clock can count. The CRD sets the minimum for users (30 s), and an installation may
    /// change it.
    /// </summary>
    private static readonly TimeSpan ShortestResync = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestResync = TimeSpan.FromHours(24);

    // The API's words: literals, so that a rename of an enumeration's member does not change the API.
    private const string Enforce = "Enforce";
    private const string Audit = "Audit";
    internal const string Retain = "Retain";
    private const string Delete = "Delete";
    private const string Restore = "Restore";

    public static bool IsAudit(PolicySpec spec) => spec.Mode == Audit;

    /// <summary>
    /// Returns whether nothing is written to the buckets when the policy is deleted, so that it needs no finalizer.
    /// </summary>
    public static bool LeavesBucketsAlone(BucketEncryptionPolicy policy) =>
        policy.Spec.DeletionPolicy is null or Retain
        || IsAudit(policy.Spec)
        || (policy.Metadata.DeletionTimestamp is not null && policy.Spec.Suspend == true);

    public static Result<PolicyTerms> ReadTerms(PolicySpec spec)
    {
        var (encryption, problem) = EncryptionReader.Read(spec.Encryption);
        if (encryption is null)
            return Wrong("encryption." + problem);
        if (spec.Match is not (null or "Exact" or "AtLeast"))
            return Wrong($"match: \"{spec.Match}\" is not known; allowed are Exact and AtLeast.");
        if (ModeOf(spec.Mode) is not { } mode)
            return Wrong($"mode: \"{spec.Mode}\" is not known; allowed are Enforce and Audit.");
        if (DeletionOf(spec.DeletionPolicy) is not { } deletion)
            return Wrong(
                $"deletionPolicy: \"{spec.DeletionPolicy}\" is not known; allowed are Retain, Delete and Restore."
            );
        if (deletion == DeletionPolicy.Delete && spec.AllowDowngrade != true)
            return Wrong(
                "deletionPolicy: Delete removes the encryption of the buckets, and needs spec.allowDowngrade true."
            );
        var resync = spec.ResyncInterval is { } text ? GoDuration.Parse(text) : DefaultResync;
        if (resync is not { } interval || interval < ShortestResync || interval > LongestResync)
            return Wrong($"resyncInterval: \"{spec.ResyncInterval}\" is not a duration such as 10m, at most 24h.");
        return new(
            new PolicyTerms(
                new Goal.Declared(encryption, spec.Match == "AtLeast", spec.AllowDowngrade == true),
                mode,
                deletion,
                interval
            ),
            Failure: null
        );

        static Result<PolicyTerms> Wrong(string message) => new(Value: null, Invalid("spec." + message));
    }

    public static Result<DesiredState> Read(BucketEncryptionPolicy policy, Store store) =>
        Read(policy, ReadTerms(policy.Spec), store);

    /// <param name="read">As <see cref="ReadTerms"/> has read the spec.</param>
    public static Result<DesiredState> Read(BucketEncryptionPolicy policy, Result<PolicyTerms> read, Store store)
    {
        var (terms, problem) = read;
        if (terms is null)
            return new(Value: null, problem);
        var traits = store.Place.Traits;
        (var buckets, problem) = ReadBuckets(policy, store);
        if (buckets is null)
            return new(Value: null, problem);
        if (StoreRules.ProblemOf(terms.Goal.Encryption, traits) is { } wrong)
            return new(Value: null, Invalid(Describe(wrong)));
        if (terms.Goal.Encryption is DesiredEncryption.None)
            terms = terms with
            {
                Goal = terms.Goal with { Encryption = new DesiredEncryption.None(traits.AlwaysEncrypted) },
            };
        return new(new DesiredState(terms, buckets), Failure: null);
    }

    private static Result<DesiredBuckets> ReadBuckets(BucketEncryptionPolicy policy, Store store)
    {
        var spec = policy.Spec;
        if (spec.BucketSelector is { } selector)
            return BucketSelectorReader.Read(policy, selector, store);
        if (ProblemOfBuckets(spec.Buckets) is { } problem)
            return new(Value: null, Invalid(problem));
        var place = store.Place;
        return
            spec.Buckets.Select(b => StoreRules.ProblemOf(b.Name, place.Traits)).FirstOrDefault(p => p is not null)
                is { } wrongName
            ? new(Value: null, Invalid(Describe(wrongName)))
            : new(new DesiredBuckets.Named([.. spec.Buckets.Select(b => place.Address(b.Name))]), Failure: null);
    }

    /// <returns>The default where no word is given; null where the word is not known.</returns>
    private static PolicyMode? ModeOf(string? word) =>
        word switch
        {
            null or Enforce => PolicyMode.Enforce,
            Audit => PolicyMode.Audit,
            _ => null,
        };

    /// <inheritdoc cref="ModeOf"/>
    private static DeletionPolicy? DeletionOf(string? word) =>
        word switch
        {
            null or Retain => DeletionPolicy.Retain,
            Delete => DeletionPolicy.Delete,
            Restore => DeletionPolicy.Restore,
            _ => null,
        };

    private static string Describe(StoreProblem problem)
    {
        var path = problem.Field switch
        {
            DeclaredField.Bucket => "spec.buckets",
            DeclaredField.Algorithm => "spec.encryption.algorithm",
            DeclaredField.DataEncryption => "spec.encryption.kmsDataEncryption",
            DeclaredField.KeyId => "spec.encryption.kmsKey.id",
            DeclaredField.KeyProject => "spec.encryption.kmsProjectId",
            DeclaredField.BucketKey => "spec.encryption.bucketKeyEnabled",
            DeclaredField.BlockedTypes => "spec.encryption.blockedEncryptionTypes",
            _ => throw new InvalidOperationException($"no path for {problem.Field}"),
        };
        return $"{path}: {problem.Message}{Allowed(problem.Allowed)}.";
    }

    private static string Allowed(ImmutableArray<string> words) =>
        words switch
        {
            [] => "",
            [var only] => $"; allowed are {only}",
            [.. var others, var last] => $"; allowed are {string.Join(", ", others)} and {last}",
        };

    /// <summary>
    /// Checks the names of the buckets, which become parts of a host. The CRD checks the same, but may be older.
    /// </summary>
    private static string? ProblemOfBuckets(ImmutableArray<BucketReference> buckets)
    {
        if (buckets.IsDefaultOrEmpty)
            return "spec.buckets: name at least one bucket, or select buckets with spec.bucketSelector.";
        if (buckets.FirstOrDefault(b => !BucketName.IsValid(b.Name, edgeHyphens: false)) is { } bad)
            return $"spec.buckets: \"{bad.Name}\" is no bucket name; one has 3 to 63 lower-case letters, digits and "
                + "hyphens (where the store takes them: and dots between them), and starts and ends with a letter "
                + "or digit.";
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return buckets.FirstOrDefault(b => !seen.Add(b.Name)) is { } twice
            ? $"spec.buckets: \"{twice.Name}\" must be named once."
            : null;
    }

    private static Failure Invalid(string message) => new(Reasons.InvalidSpec, ReadPolicy) { Message = message };
}
