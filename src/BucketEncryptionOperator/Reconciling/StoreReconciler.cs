using System.Collections.Concurrent;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One of the two kinds of stores.</summary>
/// <param name="Read">Reads the store, or says why it cannot be used.</param>
/// <param name="Remark">What its owner should know although nothing is wrong; null for nothing.</param>
internal sealed record StoreKind<T>(
    KubeResource<T> Resource,
    ObjectCache<T> Cache,
    Func<T, Result<Store>> Read,
    Func<T, string?> Remark
)
    where T : class, IStore;

/// <summary>
/// Reconciles the stores of one kind: reads the spec, gets the keys, looks up what the vendor last answered to them,
/// and reports. It makes no vendor call. A settled store costs its Secret's GET every 5 minutes, which its policies
/// share, and nothing else.
/// </summary>
internal sealed class StoreReconciler<T>(
    StoreKind<T> kind,
    StoreKeys keys,
    AccessKeyCircuitBreakers breakers,
    CredentialStateSource credentialStates,
    KubeClient client,
    TimeProvider time,
    Random jitter,
    ILogger logger
) : IReconciler
    where T : class, IStore
{
    private const double MaxJitter = 0.1;

    /// <summary>As often as <see cref="SecretKeys"/> reads a Secret again.</summary>
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(5);

    /// <summary>By store: the version of its keys that its last status is about.</summary>
    private readonly ConcurrentDictionary<NamespacedName, string> _reported = [];

    public async Task<ReconcileResult> ReconcileAsync(
        NamespacedName key,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (kind.Cache.Find(key) is not { Metadata.DeletionTimestamp: null } store)
        {
            credentialStates.SetKey(key, key: null);
            _reported.TryRemove(key, out _);
            return ReconcileResult.OnChange;
        }
        var findings = await ObserveAsync(key, store, attempt, cancellationToken);
        return await ReportAsync(store, findings, cancellationToken);
    }

    private async Task<StoreFindings> ObserveAsync(
        NamespacedName name,
        T store,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        var (usable, failure) = kind.Read(store);
        var key = default(AccessKey);
        if (usable is not null)
            (key, failure) = await keys.GetAsync(usable.Keys, cancellationToken);
        credentialStates.SetKey(name, key);
        var state = usable is not null && key is not null ? StateOf(usable, key) : new AccessKeyState.Untried();
        var version = usable is null ? "" : keys.VersionOf(usable.Keys);
        return new StoreFindings(failure, state, attempt)
        {
            Remark = kind.Remark(store),
            KeyVersion = version,
            HasOtherKey = _reported.TryGetValue(name, out var last) && last != version,
        };
    }

    private AccessKeyState StateOf(Store store, AccessKey key)
    {
        var state = breakers.StandingOf(key, store.Realm);
        return state is AccessKeyState.Rejected rejected
            ? new AccessKeyState.Rejected(
                KeyHints.Explain(rejected.Failure, breakers.IsTakenElsewhere(key, store.Realm))
            )
            : state;
    }

    private async Task<ReconcileResult> ReportAsync(
        T store,
        StoreFindings findings,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var status = StoreStatusComposer.Compose(store.Metadata, store.Status, findings, now);
        try
        {
            await WriteAsync(store, status, cancellationToken);
            _reported[store.Metadata.Key] = findings.KeyVersion;
        }
        catch (KubeApiException e)
        {
            var level = Requeues.LevelOfFailedWrite(e);
            Log.StatusNotWritten(logger, level, e.Failure, e.Message);
            return Requeues.AfterFailedWrite(e);
        }
        IEnumerable<Outcome> outcomes = findings.Trouble is { } trouble
            ? [new Outcome.Failed(trouble, Observed: null)]
            : [];
        return Requeues.Of(
            FailurePolicy.Next(outcomes, Resync, StoreStatusComposer.UntilMissingStalls(status, now)),
            settled: delay => delay * (1 + MaxJitter * jitter.NextDouble())
        );
    }

    private async Task WriteAsync(T store, StoreStatus status, CancellationToken cancellationToken)
    {
        if (store.Status is { } current && current.IsSame(status))
            return;
        var meta = store.Metadata;
        var patch = new StoreStatusPatch
        {
            Metadata = new PatchMeta { ResourceVersion = meta.ResourceVersion },
            Status = status,
        };
        var written = await client.PatchStatusAsync(
            kind.Resource,
            meta.Key,
            JsonSerializer.SerializeToUtf8Bytes(patch, ApiJsonContext.Default.StoreStatusPatch),
            cancellationToken
        );
        kind.Cache.Replace(meta.ResourceVersion, written);
        var (before, after) = (
            store.Status?.Conditions.Find(ConditionTypes.Ready),
            status.Conditions.Find(ConditionTypes.Ready)
        );
        if (after is not null && (before?.Status, before?.Reason) != (after.Status, after.Reason))
            Log.StoreReadyChanged(
                logger,
                after.Status == Condition.False ? LogLevel.Warning : LogLevel.Information,
                kind.Resource.Plural,
                meta.Key,
                after.Status,
                after.Reason,
                after.Message
            );
    }
}
