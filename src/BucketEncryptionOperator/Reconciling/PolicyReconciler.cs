using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;
using KubeRuntime.Control;
using KubeRuntime.Events;
using KubeRuntime.Watching;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The corridor: read, observe, decide and apply, tell; each in its own room, in this order. It holds no rule of its own.
/// </summary>
internal sealed class PolicyReconciler(
    Mirror<BucketEncryptionPolicy> policies,
    Stores stores,
    SecretKeys keys,
    IReadOnlyDictionary<string, IBucketEncryptionApi> vendors,
    BucketReconciler buckets,
    StatusWriter writer,
    IEventRecorder events,
    PolicyReconcilerOptions options,
    TimeProvider time,
    Random jitter,
    ILogger<PolicyReconciler> logger) : IReconciler
{
    /// <summary>Policies of one interval spread over a tenth of it.</summary>
    private const double MaxJitter = 0.1;

    public async Task<Requeue> ReconcileAsync(NamespacedName key, int attempt, CancellationToken cancellationToken)
    {
        if (policies.Find(key) is not { Metadata.DeletionTimestamp: null } policy)
            return Requeue.OnChange;
        using var scope = Log.Scope(logger, key, policy.Spec.StoreRef.Name);

        var (store, problem) = stores.Find(policy.Spec.StoreRef, key.Namespace);
        DesiredState? desired = null;
        if (store is not null)
            (desired, problem) = PolicyReader.Read(policy, store.Place);
        var findings = desired is null || store is null
            ? new Findings([], problem, attempt)
            : await LookAsync(policy, store, desired, attempt, cancellationToken);

        return await TellAsync(policy, findings, desired?.Resync ?? PolicyReader.DefaultResync, cancellationToken);
    }

    /// <summary>Rooms 5 and 6 for every bucket, in parallel within the limit.</summary>
    private async Task<Findings> LookAsync(BucketEncryptionPolicy policy, Store store, DesiredState desired, int attempt, CancellationToken cancellationToken)
    {
        try
        {
            var (key, problem) = await keys.GetAsync(store.Keys, cancellationToken);
            if (key is null)
                return new Findings([], problem, attempt);

            var look = new Look(vendors[store.Vendor], desired, Histories(policy));
            var results = await LookAtAsync(look, desired.Buckets, key, cancellationToken);
            // A key that was replaced in the Secret before it was switched off is no trouble: nobody needs to hear of it.
            if (Array.Exists(results, IsRejection) && (await keys.GetAsync(store.Keys, cancellationToken)).Value is { } renewed && renewed != key)
                results = [.. results.Where(r => !IsRejection(r)), .. await LookAgainAsync(look, [.. results.Where(IsRejection)], renewed, cancellationToken)];
            var found = results.ToDictionary(r => r.Bucket, StringComparer.Ordinal);
            return new Findings([.. desired.Buckets.Select(b => found[b.Bucket])], Failure: null, attempt);
        }
#pragma warning disable CA1031 // One of the two catch-alls (CONTRIBUTING, "Errors"): the status must say that it is our fault.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.Bug(logger, e);
            return new Findings([], new Failure(FailureKind.Bug, "Reconcile", "OperatorBug") { Message = "The operator has a bug; its log tells more." }, attempt);
        }
    }

    private async Task<BucketResult[]> LookAtAsync(Look look, IReadOnlyList<BucketAddress> addresses, AccessKey key, CancellationToken cancellationToken)
    {
        var results = new BucketResult[addresses.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.BucketConcurrency, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, results.Length, parallel, async (i, token) =>
            results[i] = await buckets.ReconcileAsync(look.Api, key, addresses[i], look.Desired, look.Histories.GetValueOrDefault(addresses[i].Bucket), token));
        return results;
    }

    /// <summary>What the first look has written stays written.</summary>
    private async Task<IEnumerable<BucketResult>> LookAgainAsync(Look look, BucketResult[] first, AccessKey key, CancellationToken cancellationToken)
    {
        var applied = first.ToDictionary(r => r.Bucket, r => r.Applied, StringComparer.Ordinal);
        var again = await LookAtAsync(look, [.. look.Desired.Buckets.Where(b => applied.ContainsKey(b.Bucket))], key, cancellationToken);
        return again.Select(r => r with { Applied = r.Applied ?? applied[r.Bucket] });
    }

    private static bool IsRejection(BucketResult result) => result.Outcome is Outcome.Failed { Failure.ConcernsCredentials: true };

    /// <summary>Room 7: status, log, events, and when to come back, all from the same findings.</summary>
    private async Task<Requeue> TellAsync(BucketEncryptionPolicy policy, Findings findings, TimeSpan resync, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var status = StatusComposer.Compose(policy, findings, now);
        Record(PolicyEvents.Done(policy, findings, now));
        try
        {
            if (await writer.WriteAsync(policy, status, cancellationToken))
            {
                Log.StatusChange(logger, policy.Status, status);
                Record(PolicyEvents.Changes(policy, status, now));
            }
        }
        catch (KubeApiException e) when (e.Failure == KubeFailure.NotFound)
        {
            return Requeue.OnChange; // deleted meanwhile
        }
        catch (KubeApiException e)
        {
            Log.StatusNotWritten(logger, e.Failure == KubeFailure.Conflict ? LogLevel.Debug : LogLevel.Warning, e.Failure, e.Message);
            return new Requeue.Retry(e.Failure == KubeFailure.Conflict ? TimeSpan.Zero : e.RetryAfter ?? FailurePolicy.ShortestRetry);
        }
        var next = FailurePolicy.Next(findings.Outcomes, resync, StatusComposer.UntilMissingStalls(status, now));
        return next switch
        {
            { Delay: null } => Requeue.OnChange,
            { Delay: { } delay, BackOff: true } => new Requeue.Retry(delay),
            { Delay: { } delay } => new Requeue.After(delay * (1 + MaxJitter * jitter.NextDouble())),
        };
    }

    private void Record(IEnumerable<Occurrence> occurrences)
    {
        foreach (var occurrence in occurrences)
            events.Record(occurrence);
    }

    private static ImmutableDictionary<string, WriteHistory> Histories(BucketEncryptionPolicy policy) =>
        (policy.Status?.Buckets ?? []).Where(b => b.Writes is not null)
            .ToImmutableDictionary(b => b.Name, b => new WriteHistory(b.Writes?.Hash ?? "", b.Writes?.Count ?? 0, b.Writes?.NotBefore ?? default), StringComparer.Ordinal);

    /// <summary>What is the same for every bucket of a policy.</summary>
    private sealed record Look(IBucketEncryptionApi Api, DesiredState Desired, ImmutableDictionary<string, WriteHistory> Histories);
}

/// <param name="BucketConcurrency">Buckets of one policy that are worked on at a time.</param>
internal sealed record PolicyReconcilerOptions(int BucketConcurrency);
