using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What the account's list has shown, and what became of the selected buckets.</summary>
internal sealed record DiscoveryFindings(Discovered Found)
{
    /// <summary>Selected buckets that another policy owns.</summary>
    public int OwnedByOthers { get; init; }

    /// <summary>Those of them that are not as this policy declares.</summary>
    public int OwnedByOthersNotAsDeclared { get; init; }

    /// <summary>Outcomes that decide when to reconcile again.</summary>
    public IEnumerable<Outcome> Outcomes =>
        [
            .. Found.Problems.Select(p => new Outcome.Failed(p, Observed: null)),
            .. Found.NextList is { } next
                ? [new Outcome.Waiting(Observed: null, NextList, next)]
                : Array.Empty<Outcome>(),
        ];

    /// <summary>Not reported: the policy only comes back in time for the next list.</summary>
    private static Failure NextList { get; } = new(Reasons.AwaitingList, BucketDiscovery.Step);
}

/// <summary>What a reconcile found: one result per bucket, or why the buckets were not read.</summary>
/// <param name="Attempt">Tries in a row before this one that ended in a failure which passes by itself.</param>
internal sealed record Findings(ImmutableArray<BucketResult> Buckets, Failure? Failure, int Attempt)
{
    /// <summary>Buckets that the policy has to release: not named any more, or the policy is being deleted.</summary>
    public ImmutableArray<BucketResult> Releases { get; init; } = [];

    /// <summary>The policy has <c>spec.suspend</c>: nothing was read or written.</summary>
    public bool IsSuspended { get; init; }

    /// <summary>Results of earlier passes of a suspended policy that no status has yet.</summary>
    public ImmutableArray<BucketResult> Unreported { get; init; } = [];

    /// <summary>What the account's list has shown; null for a policy that names its buckets.</summary>
    public DiscoveryFindings? Discovery { get; init; }

    /// <inheritdoc cref="StoredPolicy.SelectableBuckets"/>
    public ImmutableArray<string>? SelectableBuckets { get; init; }

    /// <summary>The policy has written to buckets before, and its status does not know of it.</summary>
    public bool WasLost { get; init; }

    /// <summary>What is known of the policy's KMS keys; null where none is asked for.</summary>
    public KeyFindings? Keys { get; init; }

    /// <summary>Every bucket that the policy had to release is released.</summary>
    public bool IsReleased => Failure is null && !IsSuspended && Releases.All(r => r.Outcome is Outcome.Released);

    /// <summary>The versions of store and key that were used; null where nothing was read.</summary>
    public string? Inputs { get; init; }

    /// <summary>Whether the pass reached all buckets.</summary>
    public PassEnd End { get; init; }

    /// <summary>Buckets that were written to.</summary>
    public IReadOnlySet<string> Written =>
        Buckets.Where(b => b.Applied is not null).Select(b => b.Bucket).ToHashSet(StringComparer.Ordinal);

    /// <summary>The partition of the store; null where the store is not known.</summary>
    public string? Partition { get; init; }

    /// <summary>
    /// Outcomes that decide when to reconcile again. A failure of the whole policy counts as one of a bucket.
    /// </summary>
    public IEnumerable<Outcome> OutcomesAt(DateTimeOffset now) =>
        Failure is not null
            ? [new Outcome.Failed(Failure, Observed: null)]
            : Buckets
                .Concat(Releases)
                .Select(b =>
                    b is { Outcome: Outcome.Failed { Failure: var failure }, ForeignSince: { } since }
                    && FailurePolicy.IsNotTheStore(failure, since, now)
                        ? new Outcome.Waiting(Observed: null, failure, FailurePolicy.ForeignProbe)
                        : b.Outcome
                )
                .Concat(Discovery?.Outcomes ?? []);

    /// <summary>Every bucket of the spec was read.</summary>
    public bool IsVerified =>
        Failure is null
        && !IsSuspended
        && Discovery is null or { Found.IsVerified: true }
        && Buckets.All(b =>
            b.Outcome switch
            {
                Outcome.Failed failed => failed.Observed is not null,
                Outcome.Unconfirmed unconfirmed => unconfirmed.Observed is not null,
                Outcome.Waiting waiting => waiting.Observed is not null,
                _ => true,
            }
        );

    /// <summary>Whether a status of the same spec does not show the failure yet.</summary>
    public bool Tolerates(Failure failure) =>
        failure.PassesByItself && Attempt + 1 < FailurePolicy.ShowsAt(failure.Kind);

    /// <summary>
    /// The findings, with the time since when each bucket had nothing but answers that are not the store's. After an
    /// hour a person is needed, and the store is asked every five minutes.
    /// </summary>
    public Findings WithForeignTimes(PolicyStatus? last, DateTimeOffset now)
    {
        var rows = (last?.Buckets ?? []).ToDictionary(b => b.Name, StringComparer.Ordinal);
        return this with { Buckets = [.. Buckets.Select(Timed)], Releases = [.. Releases.Select(Timed)] };

        BucketResult Timed(BucketResult result) =>
            result.Outcome is Outcome.Failed { Failure.IsForeign: true }
                ? result with
                {
                    ForeignSince =
                        rows.GetValueOrDefault(result.Bucket)?.Error?.Since ?? KubeTimeConverter.Truncate(now),
                }
                : result;
    }
}
