using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The corridor: read, observe, decide and apply, tell; each in its own room, in this order. It holds no rule of its
/// own.
/// </summary>
/// <param name="wake">Adds another policy to the queue: what it may do with a bucket has changed.</param>
internal sealed class PolicyReconciler(
    ObjectCache<BucketEncryptionPolicy> policies,
    Stores stores,
    StoreKeys keys,
    IReadOnlyDictionary<string, IBucketEncryptionApi> vendors,
    PolicyPass pass,
    Releaser releaser,
    WriteAheadRecorder keeper,
    StatusReporter teller,
    Action<NamespacedName> wake,
    TimeProvider time,
    ILogger<PolicyReconciler> logger
) : IReconciler
{
    /// <summary>Policies that this process has looked at, by uid: the first look may wait for its time.</summary>
    private readonly ConcurrentDictionary<NamespacedName, string> _known = new();

    /// <summary>By uid: what passes have written, until a status has it.</summary>
    private readonly ConcurrentDictionary<string, ImmutableArray<BucketResult>> _unreported = new(
        StringComparer.Ordinal
    );

    public async Task<ReconcileResult> ReconcileAsync(
        NamespacedName key,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (policies.Find(key) is not { } policy)
        {
            if (_known.TryRemove(key, out var gone))
                Forget(gone);
            return ReconcileResult.OnChange;
        }
        using var scope = Log.Scope(
            logger,
            key,
            policy.Spec.StoreRef.Name,
            stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value?.Vendor ?? ""
        );
        try
        {
            return await ReconcileAsync(policy, attempt, cancellationToken);
        }
        catch (KubeApiException e) when (e.MissingObject == key.Name)
        {
            return ReconcileResult.OnChange; // deleted meanwhile, and the API server itself says so
        }
        catch (KubeApiException e)
        {
            Log.StatusNotWritten(
                logger,
                e.Failure == KubeFailureKind.Conflict ? LogLevel.Debug : LogLevel.Warning,
                e.Failure,
                e.Message
            );
            return new ReconcileResult.Retry(
                e.Failure == KubeFailureKind.Conflict ? TimeSpan.Zero : e.RetryAfter ?? FailurePolicy.ShortestRetry
            );
        }
    }

    private async Task<ReconcileResult> ReconcileAsync(
        BucketEncryptionPolicy policy,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (WriteAheadRecorder.HasFinalizer(policy) && PolicyReader.LeavesBucketsAlone(policy))
            policy = await keeper.LetGoAsync(policy, cancellationToken);
        if (policy.Metadata.DeletionTimestamp is not null && !WriteAheadRecorder.HasFinalizer(policy))
            return ReconcileResult.OnChange;

        var wasLost = WriteAheadRecorder.HasLostStatus(policy);
        if (
            policy.Metadata.DeletionTimestamp is not null
            && (wasLost || WriteAheadRecorder.HasNothingToRelease(policy))
        )
        {
            var unknown = new Findings([], Failure: null, attempt) { Releases = Releaser.OfLostStatus(policy) };
            return await GoAsync(policy, unknown, cancellationToken);
        }
        var findings = new Findings([], Failure: null, attempt)
        {
            IsSuspended = true,
            Unreported = _unreported.GetValueOrDefault(policy.Metadata.Uid, []),
        };
        if (policy.Spec.Suspend != true)
        {
            var (work, problem) = await PrepareAsync(policy, cancellationToken);
            if (IsFirstLook(policy) && work is { Key: not null } && Schedule.IsSettled(policy, work.Inputs))
                return new ReconcileResult.After(
                    Schedule.UntilPhase(policy.Metadata.Uid, work.Desired.Terms.Resync, time.GetUtcNow())
                );
            (policy, findings) = work is null
                ? (policy, new Findings([], problem, attempt))
                : await WorkAsync(policy, work, attempt, cancellationToken);
        }
        findings = findings with { WasLost = wasLost };
        return policy.Metadata.DeletionTimestamp is not null && findings.IsReleased
            ? await GoAsync(policy, findings, cancellationToken)
            : await TellAsync(policy, findings, cancellationToken);
    }

    private bool IsFirstLook(BucketEncryptionPolicy policy)
    {
        var (key, uid) = (policy.Metadata.Key, policy.Metadata.Uid);
        var last = _known.GetValueOrDefault(key);
        if (last == uid)
            return false;
        if (last is not null)
            Forget(last); // the policy was made again under its name, and no reconcile has seen it gone
        _known[key] = uid;
        return true;
    }

    private void Forget(string uid)
    {
        releaser.Forget(uid);
        pass.Forget(uid);
        keeper.Forget(uid);
        _unreported.TryRemove(uid, out _);
    }

    /// <summary>
    /// Room 4: the store, what is declared, and the keys. Without keys there may still be buckets that an heir takes
    /// over.
    /// </summary>
    private async Task<Result<Work>> PrepareAsync(BucketEncryptionPolicy policy, CancellationToken cancellationToken)
    {
        var (store, problem) = stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace);
        if (store is null)
            return new(Value: null, problem);
        (var desired, problem) = PolicyReader.Read(policy, store.Place);
        if (desired is null)
            return new(Value: null, problem);
        (var key, problem) = await keys.GetAsync(store.Keys, cancellationToken);
        return new(
            new Work(store, desired, key, problem, Schedule.Inputs(store.Version, keys.VersionOf(store.Keys))),
            Failure: null
        );
    }

    /// <summary>Observe, record and apply, for the policy's buckets and for those that it has to release.</summary>
    private async Task<(BucketEncryptionPolicy Policy, Findings Findings)> WorkAsync(
        BucketEncryptionPolicy policy,
        Work work,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var terms = work.Desired.Terms;
            var (releases, released) = await releaser.PlanAsync(policy, terms, work.Store, cancellationToken);
            var own = policy.Metadata.DeletionTimestamp is null ? Tasks(policy, work).ToList() : [];
            var findings = new Findings([], Failure: null, attempt)
            {
                Releases = released,
                Partition = work.Store.Place.Partition,
            };
            if (own.Count + releases.Length == 0)
                return (policy, findings);
            if (work.Key is not { } key)
                return (policy, new Findings([], work.WhyNoKey, attempt));
            (policy, var results, var end) = await RunAsync(
                policy,
                work,
                key,
                findings,
                [.. own, .. releases],
                cancellationToken
            );
            return (
                policy,
                findings with
                {
                    End = end,
                    Buckets = [.. results.Take(own.Count)],
                    Releases = [.. released, .. results.Skip(own.Count)],
                    Inputs = work.Inputs,
                }
            );
        }
        // One of the two catch-alls (CONTRIBUTING, "Errors"): the status must say that it is our fault.
#pragma warning disable CA1031
        catch (Exception e) when (e is not (OperationCanceledException or KubeApiException))
#pragma warning restore CA1031
        {
            Log.Bug(logger, e);
            return (
                policy,
                new Findings(
                    [],
                    new Failure(Reasons.OperatorBug, "Reconcile")
                    {
                        Message = "The operator has a bug; its log tells more.",
                    },
                    attempt
                )
            );
        }
    }

    private static IEnumerable<BucketTask> Tasks(BucketEncryptionPolicy policy, Work work)
    {
        var sameSpec = policy.Status?.ObservedGeneration == policy.Metadata.Generation;
        var partition = work.Store.Place.Partition;
        var rows = (policy.Status?.Buckets ?? [])
            .Where(b => (b.Partition ?? partition) == partition)
            .ToDictionary(b => b.Name, StringComparer.Ordinal);
        return work.Desired.Buckets.Select(b =>
        {
            var memory = BucketMemory.Of(rows.GetValueOrDefault(b.Bucket), sameSpec);
            return new BucketTask(
                b,
                new BucketId(partition, b.Bucket),
                work.Desired.Terms.Goal.Knowing(memory.VendorKey),
                memory
            );
        });
    }

    /// <summary>
    /// A key that was replaced in the Secret before it was switched off, or that ended and has a successor, is no
    /// trouble: nobody needs to hear of it.
    /// </summary>
    private async Task<(BucketEncryptionPolicy Policy, IReadOnlyList<BucketResult> Results, PassEnd End)> RunAsync(
        BucketEncryptionPolicy policy,
        Work work,
        AccessKey key,
        Findings findings,
        IReadOnlyList<BucketTask> tasks,
        CancellationToken cancellationToken
    )
    {
        var (api, applied, began) = (vendors[work.Store.Vendor], new ConcurrentQueue<BucketResult>(), policy);
        var ended = false;
        try
        {
            var basis = new PassBasis(policy, work.Desired.Terms, work.Inputs);
            (policy, var results, var end) = await pass.RunAsync(
                basis,
                new VendorSession(api, key),
                tasks,
                applied,
                cancellationToken
            );
            if (
                results.Any(IsRejection)
                && (await keys.GetAsync(work.Store.Keys, cancellationToken)).Value is { } renewed
                && renewed != key
            )
            {
                var rejected = Enumerable.Range(0, tasks.Count).Where(i => IsRejection(results[i])).ToList();
                basis = basis with
                {
                    Policy = policy,
                    Inputs = Schedule.Inputs(work.Store.Version, keys.VersionOf(work.Store.Keys)),
                };
                (policy, var again, _) = await pass.RunAsync(
                    basis,
                    new VendorSession(api, renewed),
                    [.. rejected.Select(i => tasks[i])],
                    applied,
                    cancellationToken
                );
                var all = results.ToArray();
                // What the first look has written stays written
                foreach (var (i, result) in rejected.Zip(again))
                    all[i] = result with { Applied = result.Applied ?? all[i].Applied };
                results = all;
            }
            ended = true;
            return (policy, results, end);
        }
        finally
        {
            if (!ended && !applied.IsEmpty) // cut off: what was written must be reported, and nobody comes back to it
            {
                Remember(began, [.. applied]);
                teller.TellDone(began, findings with { Buckets = [.. applied], Releases = [] });
            }
        }
    }

    private static bool IsRejection(BucketResult result) =>
        result.Outcome is Outcome.Failed { Failure.ConcernsCredentials: true };

    /// <summary>Every bucket is released: the policy may go.</summary>
    private async Task<ReconcileResult> GoAsync(
        BucketEncryptionPolicy policy,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        teller.TellDone(policy, findings);
        await keeper.LetGoAsync(policy, cancellationToken);
        releaser.Forget(policy.Metadata.Uid);
        Wake(teller.ConcernedByRelease(policy, findings));
        return ReconcileResult.OnChange;
    }

    /// <summary>Room 7: status, log, events, and when to come back, all from the same findings.</summary>
    private async Task<ReconcileResult> TellAsync(
        BucketEncryptionPolicy policy,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        Remember(policy, findings.Buckets);
        var (told, next) = await teller.TellAsync(
            policy,
            findings,
            PolicyReader.ReadTerms(policy.Spec).Value?.Resync ?? PolicyReader.DefaultResync,
            cancellationToken
        );
        _unreported.TryRemove(policy.Metadata.Uid, out _);
        Wake(teller.Concerned(policy, told, findings));
        return next;
    }

    /// <summary>
    /// Remembers results until a status has them. Of two results of a bucket the newer one counts, with the older one's
    /// write.
    /// </summary>
    private void Remember(BucketEncryptionPolicy policy, ImmutableArray<BucketResult> results)
    {
        var uid = policy.Metadata.Uid;
        var byBucket = _unreported.GetValueOrDefault(uid, []).ToDictionary(b => b.Bucket, StringComparer.Ordinal);
        foreach (var result in results)
        {
            var earlier = byBucket.GetValueOrDefault(result.Bucket);
            if (result.Applied is not null || result.WasRefused || earlier is not null)
                byBucket[result.Bucket] = result with { Applied = result.Applied ?? earlier?.Applied };
        }
        if (byBucket.Count > 0)
            _unreported[uid] = [.. byBucket.Values];
    }

    private void Wake(IEnumerable<NamespacedName> others)
    {
        foreach (var other in others)
        {
            if (policies.Find(other) is { } woken)
                IsFirstLook(woken); // what is settled by its own account may not be any more
            wake(other);
        }
    }

    /// <summary>All that a look at the vendor needs.</summary>
    /// <param name="Key">Null where there is none, for the reason beside it.</param>
    private sealed record Work(Store Store, DesiredState Desired, AccessKey? Key, Failure? WhyNoKey, string Inputs);
}
