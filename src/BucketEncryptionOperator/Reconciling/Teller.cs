using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using KubeRuntime.Control;
using KubeRuntime.Events;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="Evidence">How old a settled policy's <c>lastVerifiedTime</c> may get.</param>
internal sealed record TellerOptions(TimeSpan Evidence);

/// <summary>Says what was found: in the status, by events, in the log, in metrics, and to the queue.</summary>
internal sealed class Teller(
    StatusWriter writer, BucketClaims claims, IEventRecorder events, PolicyMetrics metrics, TellerOptions options, TimeProvider time, ILogger<Teller> logger)
{
    /// <returns>The policy as it is stored now, and when to come back.</returns>
    /// <exception cref="KubeRuntime.Api.KubeApiException">The status was not written.</exception>
    public async Task<(BucketEncryptionPolicy Policy, Requeue Next)> TellAsync(BucketEncryptionPolicy policy, Findings findings, TimeSpan resync, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var status = StatusComposer.Compose(policy, findings, options.Evidence, now);
        TellDone(policy, findings);
        var told = await writer.WriteAsync(policy, status, cancellationToken);
        claims.Told(policy);
        metrics.Told(policy, status, findings, isNews: !ReferenceEquals(told, policy));
        if (!ReferenceEquals(told, policy))
        {
            Log.StatusChange(logger, policy.Status, status);
            Record(PolicyEvents.Changes(policy, status, now));
        }
        var settled = Schedule.Next(policy.Metadata.Uid, resync, now);
        return (told, findings.IsSuspended ? Requeue.OnChange : FailurePolicy.Next(findings.Outcomes, settled, StatusComposer.UntilMissingStalls(status, now)) switch
        {
            { Delay: null } => Requeue.OnChange,
            { Delay: { } delay, BackOff: true } => new Requeue.Retry(delay),
            { Delay: { } delay } => new Requeue.After(delay),
        });
    }

    /// <summary>What was done, which is not done again, whether or not a status can be written.</summary>
    public void TellDone(BucketEncryptionPolicy policy, Findings findings)
    {
        metrics.Done(policy, findings);
        Record(PolicyEvents.Done(policy, findings, time.GetUtcNow()));
    }

    /// <summary>Buckets that another policy should look at now: this one has claimed them, given them up, or waits for the other's write.</summary>
    public static IEnumerable<string> ChangedHands(BucketEncryptionPolicy before, BucketEncryptionPolicy told, Findings findings)
    {
        var claimed = Claimed(before);
        claimed.SymmetricExceptWith(Claimed(told));
        claimed.UnionWith(findings.Releases.Where(r => r.Outcome is Outcome.Released).Select(r => r.Bucket));
        claimed.UnionWith(findings.Buckets.Where(r => r.Outcome is Outcome.Yielded { Why.PassesByItself: true }).Select(r => r.Bucket));
        return claimed;
    }

    private static HashSet<string> Claimed(BucketEncryptionPolicy policy) =>
        (policy.Status?.Buckets ?? []).Where(b => b.ClaimedTime is not null).Select(b => b.Name).ToHashSet(StringComparer.Ordinal);

    private void Record(IEnumerable<Occurrence> occurrences)
    {
        foreach (var occurrence in occurrences)
            events.Record(occurrence);
    }
}
