using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// When a settled policy is looked at again. Each policy has a phase of its own, made of its uid, and is looked at
/// whenever its interval comes round to it: that spreads many policies evenly over their interval, and a restart
/// changes nothing of it.
/// </summary>
internal static class Schedule
{
    public const string RequestedAt = RequestAnnotations.RequestedAt;

    /// <summary>Of an interval; a look that has just been is not followed by another at once.</summary>
    private const double ShortestPause = 0.1;

    /// <summary>From now to the policy's next time: from a tenth of the interval to one and a tenth.</summary>
    public static TimeSpan Next(string uid, TimeSpan interval, DateTimeOffset now)
    {
        var rest = UntilPhase(uid, interval, now);
        return rest < interval * ShortestPause ? rest + interval : rest;
    }

    /// <summary>Whether the policy's time has come round since then.</summary>
    public static bool HasCome(string uid, TimeSpan interval, DateTimeOffset since, DateTimeOffset now) =>
        since + Next(uid, interval, since) <= now;

    /// <summary>From now to the next time, however short.</summary>
    public static TimeSpan UntilPhase(string uid, TimeSpan interval, DateTimeOffset now)
    {
        var phase = (long)(BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(uid))) % (ulong)interval.Ticks);
        var passed = (now.UtcTicks - phase) % interval.Ticks;
        return TimeSpan.FromTicks(interval.Ticks - passed);
    }

    /// <summary>
    /// Nothing has changed since the last look but the time: the spec, what was asked for by annotation, the store, and
    /// its keys. Then a process that has just started need not look before the policy's time comes round.
    /// </summary>
    public static bool IsSettled(BucketEncryptionPolicy policy, string inputs) =>
        policy is { Metadata: { DeletionTimestamp: null } meta, Status: { } status }
        && status.ObservedGeneration == meta.Generation
        && status.LastHandledReconcileAt == AskedFor(policy)
        && status.Inputs == inputs
        && status.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.True }
        && status.Buckets.All(b => b.State != BucketStatus.Releasing);

    /// <summary>What somebody has asked for a look with; any new value is a new request.</summary>
    public static string? AskedFor(BucketEncryptionPolicy policy) => policy.Metadata.Annotations[RequestedAt];

    /// <summary>What a look of the policy would be made with now; null while its store cannot be used.</summary>
    public static string? InputsOf(BucketEncryptionPolicy policy, Stores stores, StoreKeys keys) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value is { } store
            ? Inputs(store.Version, keys.VersionOf(store.Keys))
            : null;

    /// <summary>Names the versions of what a look is made with, besides the policy.</summary>
    public static string Inputs(string storeVersion, string keyVersion) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{storeVersion} {keyVersion}")).AsSpan(0, 8));
}
