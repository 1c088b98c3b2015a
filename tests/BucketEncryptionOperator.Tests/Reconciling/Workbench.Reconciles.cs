using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

internal sealed partial class Workbench
{
    /// <summary>Several at a time, as workers do. The statuses are judged by themselves.</summary>
    public async Task<IReadOnlyList<ReconcileResult>> ReconcileAsync(IReadOnlyList<NamespacedName> keys, int workers)
    {
        var requeues = new ReconcileResult[keys.Count];
        await Parallel.ForAsync(
            0,
            keys.Count,
            new ParallelOptions { MaxDegreeOfParallelism = workers },
            async (i, token) => requeues[i] = await _reconciler.ReconcileAsync(keys[i], attempt: 0, token)
        );
        foreach (
            var gone in keys.Where(k => Kubernetes.Find(k) is null)
                .Select(_policies.Find)
                .OfType<BucketEncryptionPolicy>()
        )
            Gone(gone);
        Watch();
        return requeues;
    }

    /// <summary>
    /// One reconcile and nothing else: what others do meanwhile, and what the mirror learns of it, is the caller's
    /// matter.
    /// </summary>
    public Task<ReconcileResult> ReconcileAloneAsync(
        NamespacedName key,
        int attempt,
        CancellationToken cancellationToken
    ) => _reconciler.ReconcileAsync(key, attempt, cancellationToken);

    public Task<ReconcileResult> ReconcileAsync(CancellationToken cancellationToken = default) =>
        ReconcileAsync(Given.PolicyKey, cancellationToken);

    public async Task<ReconcileResult> ReconcileAsync(NamespacedName key, CancellationToken cancellationToken = default)
    {
        var before = _policies.Find(key);
        var requeue = await _reconciler.ReconcileAsync(key, _attempts.GetValueOrDefault(key), cancellationToken);
        if (requeue != ReconcileResult.Behind)
            _attempts[key] = requeue is ReconcileResult.Retry ? _attempts.GetValueOrDefault(key) + 1 : 0;
        if (
            before is not null
            && Kubernetes.Find(key) is { Status: { ObservedGeneration: not null } status } now
            && now.Metadata.ResourceVersion != before.Metadata.ResourceVersion
        )
            StatusRules.Check(before, status, Time.GetUtcNow());
        Watch();
        if (before is not null && Kubernetes.Find(key) is null)
            Gone(before);
        Assert.All(
            Events.Notes,
            note => Assert.DoesNotContain(StatusRules.SecretMark, note, StringComparison.OrdinalIgnoreCase)
        );
        Assert.All(
            Logs,
            line => Assert.DoesNotContain(StatusRules.SecretMark, line, StringComparison.OrdinalIgnoreCase)
        );
        return requeue;
    }

    /// <summary>
    /// Reconciles while questions about keys are answered beside it, as they come; then answers those that are left.
    /// </summary>
    public async Task<ReconcileResult> ReconcileWithKeysAsync()
    {
        using var stop = new CancellationTokenSource();
        var asking = AskKeysUntilAsync(stop.Token);
        var result = await ReconcileAsync();
        await stop.CancelAsync();
        await asking;
        await AskKeysAsync();
        return result;
    }

    /// <summary>
    /// Asks all questions that wait, as the keys' controller does, and enqueues the policies whose keys have changed.
    /// </summary>
    /// <returns>When each question is asked again, in the order of the questions.</returns>
    public async Task<IReadOnlyList<ReconcileResult>> AskKeysAsync()
    {
        var asked = new Dictionary<NamespacedName, ReconcileResult>();
        using var stop = new CancellationTokenSource();
        var source = KeyHealths.RunAsync(Woken.Enqueue, stop.Token);
        while (AskedKeys.Reader.TryRead(out var first))
        {
            HashSet<NamespacedName> waiting = [first]; // as in a queue, what waits twice is asked once
            while (AskedKeys.Reader.TryRead(out var key))
                waiting.Add(key);
            foreach (var key in waiting)
                asked[key] = await _keyReconciler.ReconcileAsync(key, attempt: 0, stop.Token);
        }
        await stop.CancelAsync();
        await source.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return [.. asked.Values];
    }

    private async Task AskKeysUntilAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await AskedKeys.Reader.WaitToReadAsync(cancellationToken))
                await AskKeysAsync();
        }
        catch (OperationCanceledException)
        {
            // The reconcile has ended
        }
    }

    /// <summary>
    /// Reconciles as often as it is asked to come back before the next resync. Bounded, so that a loop is a failure.
    /// </summary>
    public Task<ReconcileResult> SettleAsync() => SettleAsync(Given.PolicyKey);

    public async Task<ReconcileResult> SettleAsync(NamespacedName key)
    {
        for (var i = 0; i < 60; i++)
        {
            switch (await ReconcileAsync(key))
            {
                case var again when again == ReconcileResult.Behind:
                    break;
                case ReconcileResult.Retry retry:
                    Time.Advance(retry.AtLeast + TimeSpan.FromSeconds(1));
                    break;
                case ReconcileResult.After { Delay: var delay } when delay < TimeSpan.FromSeconds(30):
                    Time.Advance(delay + TimeSpan.FromSeconds(1));
                    break;
                case var settled:
                    Time.Advance(TimeSpan.FromSeconds(1));
                    return settled;
            }
        }
        throw new InvalidOperationException("It never settles: " + string.Join("\n", Logs.TakeLast(5)));
    }
}
