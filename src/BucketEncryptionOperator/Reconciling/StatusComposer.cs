using System.Collections.Frozen;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>A status, and what is new in it.</summary>
/// <param name="NewErrors">
/// By bucket: errors that are reported now, with all their texts. Log, events and metrics say the same.
/// </param>
internal sealed record ComposedStatus(PolicyStatus Status, IReadOnlyDictionary<string, BucketError> NewErrors)
{
    /// <summary>The row's error where it was not reported before; null otherwise.</summary>
    public BucketError? NewErrorOf(BucketStatus row) => NewErrors.GetValueOrDefault(row.Name);
}

/// <summary>
/// Composes a status: a pure function of the last status, what was found, and the time. It is here and not in
/// Encryption because conditions are Kubernetes' words: <see cref="PolicyVerdict"/>, <see cref="PolicyConditions"/>.
/// </summary>
internal static class StatusComposer
{
    /// <summary>Maximum number of characters of all documents that are planned and not sent.</summary>
    private const int MaxPlans = 256 * 1024;

    /// <param name="evidence">How old <c>lastVerifiedTime</c> may get while nothing else changes.</param>
    public static ComposedStatus Compose(
        BucketEncryptionPolicy policy,
        Findings findings,
        TimeSpan evidence,
        DateTimeOffset time
    )
    {
        var now = KubeTimeConverter.Truncate(time);
        var stored = policy.Status ?? new PolicyStatus();
        var last = StatusSize.Expand(stored);
        var sameSpec = last.ObservedGeneration == policy.Metadata.Generation;
        var requested = Schedule.RequestedAtOf(policy) ?? last.LastHandledReconcileAt;
        if (findings.Failure is { } passing && sameSpec && findings.Tolerates(passing))
            return new ComposedStatus(
                WithoutForeignRows(policy, stored, findings.SelectableBuckets) with
                {
                    LastHandledReconcileAt = requested,
                },
                FrozenDictionary<string, BucketError>.Empty
            );
        ImmutableArray<StatusStanding> rows = findings.IsSuspended
            ? [.. Suspended(policy, findings, last, now)]
            : [.. Rows(policy, findings, last, sameSpec, now)];
        var coverage = Coverage.Of(policy, findings, last, sameSpec);
        var wanted = findings.IsSuspended
            ? PolicyConditions.OfSuspended(policy, last)
            : PolicyConditions.Of(
                rows,
                PolicyVerdict.Of(rows, findings.Failure, coverage.Problems),
                coverage.Doubt,
                last,
                policy.Metadata.Generation,
                now
            );
        if (KeyUsable(policy, findings, last, sameSpec) is { } keyUsable)
            wanted = wanted.Append(keyUsable);
        var status = last with
        {
            LastHandledReconcileAt = requested,
            ObservedGeneration = policy.Metadata.Generation,
            Inputs = findings.Inputs ?? last.Inputs,
            Conditions = ConditionSet.Reconcile(last.Conditions, wanted, now),
            Summary = Summary(rows.Select(r => r.Row)),
            Discovery = Coverage.StatusOf(policy, findings, last),
            Buckets = Bounded(
                rows.Select(r =>
                    findings.WasLost && r.Row.Original is null
                        ? r.Row with
                        {
                            Original = BucketMemory.Row(new Original.Unavailable()),
                        }
                        : r.Row
                )
            ),
        };
        status = StatusSize.Fit(status);
        var isNew = !StatusWriter.IsSame(stored, status);
        if (findings.IsVerified && (isNew || IsDue(last.LastVerifiedTime)))
            status = status with { LastVerifiedTime = now };
        if (
            findings.Discovery is { Found.Age: { } age }
            && status.Discovery is { } discovery
            && (isNew || IsDue(discovery.LastTime))
        )
            status = status with { Discovery = discovery with { LastTime = KubeTimeConverter.Truncate(now - age) } };
        return new ComposedStatus(status, NewErrors(rows));

        bool IsDue(DateTimeOffset? at) =>
            at is not { } written || Schedule.HasPassed(policy.Metadata.Uid, evidence, written, now);
    }

    /// <summary>The condition KeyUsable: as it was where the buckets were not read.</summary>
    private static Condition? KeyUsable(
        BucketEncryptionPolicy policy,
        Findings findings,
        PolicyStatus last,
        bool sameSpec
    )
    {
        var before = last.Conditions.Find(ConditionTypes.KeyUsable);
        var generation = policy.Metadata.Generation;
        if (findings.IsSuspended)
            return before is null ? null : PolicyConditions.Suspended(ConditionTypes.KeyUsable, generation);
        before = sameSpec ? before : null;
        return findings.Failure is not null ? before : KeyConditions.Of(findings.Keys, before, generation);
    }

    /// <summary>
    /// A status that stays as it is holds no row of a bucket that the policy may not select any more: the store's owner
    /// may have narrowed what its users see.
    /// </summary>
    private static PolicyStatus WithoutForeignRows(
        BucketEncryptionPolicy policy,
        PolicyStatus status,
        ImmutableArray<string>? selectable
    )
    {
        if (policy.Spec.BucketSelector is null)
            return status;
        ImmutableArray<BucketStatus> kept =
        [
            .. status.Buckets.Where(b => PolicyBuckets.MayInclude(policy, selectable, b.Name)),
        ];
        return kept.Length == status.Buckets.Length ? status : status with { Buckets = kept, Summary = Summary(kept) };
    }

    private static Dictionary<string, BucketError> NewErrors(ImmutableArray<StatusStanding> rows)
    {
        var errors = new Dictionary<string, BucketError>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (row is { HasNewError: true, Row: { Name: var name, Error: { } error } })
                errors[name] = error;
        }
        return errors;
    }

    /// <summary>The last status with some rows replaced: what must be on record before a write.</summary>
    /// <param name="stays">
    /// Whether the policy still has the bucket. Of a selector's rows that are more than a status may have, those of
    /// other buckets go already.
    /// </param>
    public static PolicyStatus WithRows(
        BucketEncryptionPolicy policy,
        IReadOnlyList<BucketStatus> rows,
        Func<string, bool> stays
    )
    {
        var last = StatusSize.Expand(policy.Status ?? new PolicyStatus());
        var changed = rows.ToDictionary(r => r.Name, StringComparer.Ordinal);
        var known = last.Buckets.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        ImmutableArray<BucketStatus> all =
        [
            .. last.Buckets.Select(b => changed.GetValueOrDefault(b.Name) ?? b),
            .. rows.Where(r => !known.Contains(r.Name)),
        ];
        if (policy.Spec.BucketSelector is not null)
            all =
            [
                .. all.OrderBy(r => stays(r.Name) ? 0 : 1)
                    .Take(BucketSelector.MaxBuckets)
                    .OrderBy(r => r.Name, StringComparer.Ordinal),
            ];
        return StatusSize.Fit(last with { Summary = Summary(all), Buckets = all });
    }

    /// <summary>
    /// Rows of the buckets of the spec, and of those that the policy still has to release. A bucket that is released
    /// has no row any more.
    /// </summary>
    private static IEnumerable<StatusStanding> Rows(
        BucketEncryptionPolicy policy,
        Findings findings,
        PolicyStatus last,
        bool sameSpec,
        DateTimeOffset now
    )
    {
        var remembered = last.Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal);
        // What the policy had to release when it named its buckets: a selector releases nothing, also not later on
        if (policy.Spec.BucketSelector is not null && findings.Failure is null)
            remembered = remembered.ToDictionary(
                r => r.Key,
                r => r.Value with { HeldTime = null },
                StringComparer.Ordinal
            );
        if (findings.Failure is { } failure)
        {
            var isBeingDeleted = policy.Metadata.DeletionTimestamp is not null;
            var spec = isBeingDeleted
                ? []
                : PolicyBuckets.NamesOf(policy, findings.SelectableBuckets).ToHashSet(StringComparer.Ordinal);
            foreach (var bucket in spec)
                yield return WithoutResult(
                    bucket,
                    remembered.GetValueOrDefault(bucket),
                    failure,
                    sameSpec,
                    PolicyConditions.IsStalled(last)
                );
            foreach (
                var row in last.Buckets.Where(b =>
                    b.HeldTime is not null && !spec.Contains(b.Name) && !PolicyReader.LeavesBucketsAlone(policy)
                )
            )
                yield return BucketStatuses.Leaving(
                    WithoutResult(row.Name, row, failure, sameSpec, PolicyConditions.IsStalled(last))
                );
            yield break;
        }
        foreach (var result in findings.Buckets)
            yield return WithResult(result, remembered.GetValueOrDefault(result.Bucket), sameSpec, findings, last, now);
        foreach (var result in findings.Releases.Where(r => r.Outcome is not Outcome.Released))
            yield return BucketStatuses.Leaving(
                WithResult(result, remembered.GetValueOrDefault(result.Bucket), sameSpec, findings, last, now)
            );
    }

    /// <summary>
    /// Rows of a suspended policy: those of the last status, and new ones for buckets that have none.
    /// </summary>
    private static IEnumerable<StatusStanding> Suspended(
        BucketEncryptionPolicy policy,
        Findings findings,
        PolicyStatus last,
        DateTimeOffset now
    )
    {
        var remembered = last.Buckets.ToDictionary(
            b => b.Name,
            b => new StatusStanding(b, Standing.Unread),
            StringComparer.Ordinal
        );
        foreach (var result in findings.Unreported)
        {
            var before = remembered.TryGetValue(result.Bucket, out var known) ? known.Row : null;
            remembered[result.Bucket] = BucketStatuses.Next(
                before,
                result,
                tolerated: false,
                PolicyConditions.IsStalled(last),
                now
            );
        }
        var spec = PolicyBuckets.NamesOf(policy, findings.SelectableBuckets);
        var leaving = last.Buckets.Where(b =>
            b.HeldTime is not null
            && !spec.Contains(b.Name, StringComparer.Ordinal)
            && !PolicyReader.LeavesBucketsAlone(policy)
        );
        return spec.Select(b =>
                remembered.TryGetValue(b, out var row) && row.Row.State != BucketStatus.Releasing
                    ? row with
                    {
                        Standing = Standing.Unread,
                    }
                    : new StatusStanding(BucketStatuses.NotLookedAt(b, row.Row), Standing.Unread)
            )
            .Concat(
                leaving.Select(b => new StatusStanding(b with { State = BucketStatus.Releasing }, Standing.Unread))
            );
    }

    /// <summary>
    /// The row of a bucket with a result. From a row of an older spec only the history of writes and claims is kept.
    /// </summary>
    private static StatusStanding WithResult(
        BucketResult result,
        BucketStatus? remembered,
        bool sameSpec,
        Findings findings,
        PolicyStatus last,
        DateTimeOffset now
    )
    {
        // A row of another partition is about another bucket: nothing of it is valid here.
        var before =
            remembered?.Partition is { } partition && findings.Partition is { } here && partition != here
                ? null
                : remembered;
        if (before?.Denied is not null && findings.Inputs is { } inputs && inputs != last.Inputs)
            before = before with { Denied = null };
        var failure = (result.Outcome as Outcome.Failed)?.Failure;
        var next = BucketStatuses.Next(
            sameSpec || before is null ? before : BucketStatuses.NotLookedAt(before.Name, before),
            result,
            tolerated: sameSpec
                && failure is not null
                && findings.Tolerates(failure)
                && !(result.ForeignSince is { } since && FailurePolicy.IsNotTheStore(failure, since, now)),
            PolicyConditions.IsStalled(last),
            now,
            findings.Partition
        );
        return next with
        {
            KeyRejected = next.IsKept
                ? Reasons.CredentialsRejected.Is(last.Conditions.Find(ConditionTypes.Ready)?.Reason)
                : failure is { ConcernsCredentials: true },
        };
    }

    private static StatusStanding WithoutResult(
        string bucket,
        BucketStatus? last,
        Failure failure,
        bool sameSpec,
        bool wasStalled
    ) =>
        failure.Kind == FailureKind.Bug && sameSpec && last is not null
            ? new StatusStanding(last, BucketStatuses.StandingOf(last, wasStalled))
            : new StatusStanding(BucketStatuses.NotLookedAt(bucket, last), Standing.Unread);

    /// <summary>
    /// Limits the size of a status, for etcd takes 1.5 MB per object: of many large plans the last ones lose their
    /// document.
    /// </summary>
    private static ImmutableArray<BucketStatus> Bounded(IEnumerable<BucketStatus> rows)
    {
        var left = MaxPlans;
        return
        [
            .. rows.Select(row =>
                row.Planned is not { Document: { } document } plan || (left -= document.Length) >= 0
                    ? row
                    : row with
                    {
                        Planned = plan with { Document = null },
                    }
            ),
        ];
    }

    /// <summary>Counts the policy's buckets by state, without those that are being released.</summary>
    private static BucketSummary Summary(IEnumerable<BucketStatus> rows)
    {
        var ours = rows.Where(r => r.State != BucketStatus.Releasing).ToList();
        int Count(string state) => ours.Count(r => r.State == state);
        return new BucketSummary
        {
            Total = ours.Count,
            InSync = Count(BucketStatus.InSync),
            Drifted = Count(BucketStatus.Drifted),
            Failed = Count(BucketStatus.Failed),
            Unknown = Count(BucketStatus.Unknown),
            Text = $"{Count(BucketStatus.InSync)}/{ours.Count}",
        };
    }
}
