using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// When a settled policy reconciles again. Each policy has a phase of its own, made of its uid, and reconciles once per
/// interval at that phase: that spreads many policies evenly over their interval, and a restart does not change it.
/// </summary>
internal static class Schedule
{
    public const string RequestedAt = RequestAnnotations.RequestedAt;

    /// <summary>Least part of an interval between two reconciles.</summary>
    private const double ShortestPause = 0.1;

    /// <summary>Returns the time until the policy's next reconcile: 0.1 to 1.1 of the interval.</summary>
    public static TimeSpan Next(string uid, TimeSpan interval, DateTimeOffset now)
    {
        var rest = UntilPhase(uid, interval, now);
        return rest < interval * ShortestPause ? rest + interval : rest;
    }

    /// <summary>Returns whether the policy's next time after <paramref name="since"/> has passed.</summary>
    public static bool HasPassed(string uid, TimeSpan interval, DateTimeOffset since, DateTimeOffset now) =>
        since + Next(uid, interval, since) <= now;

    /// <summary>Returns the time until the policy's phase, however short.</summary>
    public static TimeSpan UntilPhase(string uid, TimeSpan interval, DateTimeOffset now)
    {
        var phase = (long)(BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(uid))) % (ulong)interval.Ticks);
        var passed = (now.UtcTicks - phase) % interval.Ticks;
        return TimeSpan.FromTicks(interval.Ticks - passed);
    }

    /// <summary>
    /// Returns whether nothing but the time has changed since the last reconcile: not the spec, the annotation, the
    /// store or its keys. Then a process that has just started need not read the buckets before the policy's next time.
    /// </summary>
    public static bool IsSettled(BucketEncryptionPolicy policy, string inputs) =>
        policy is { Metadata: { DeletionTimestamp: null } meta, Status: { } status }
        && status.ObservedGeneration == meta.Generation
        && status.LastHandledReconcileAt == RequestedAtOf(policy)
        && status.Inputs == inputs
        && status.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.True }
        && status.Buckets.All(b => b.State != BucketStatus.Releasing);

    /// <summary>
    /// Returns the value of the annotation that requests a reconcile. Any new value is a new request.
    /// </summary>
    public static string? RequestedAtOf(BucketEncryptionPolicy policy) => policy.Metadata.Annotations[RequestedAt];

    /// <summary>Returns what a reconcile would use now; null while the policy's store cannot be used.</summary>
    public static string? InputsOf(BucketEncryptionPolicy policy, Stores stores, StoreKeys keys) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value is { } store
            ? Inputs(store.Version, keys.VersionOf(store.Keys))
            : null;

    /// <summary>Returns a short hash of the versions of store and key, as statuses hold it.</summary>
    public static string Inputs(string storeVersion, string keyVersion) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{storeVersion} {keyVersion}")).AsSpan(0, 8));
}
