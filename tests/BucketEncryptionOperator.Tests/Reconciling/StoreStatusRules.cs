using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Api;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What a store's status must be, whatever happened: as <see cref="StatusRules"/> for policies.</summary>
internal static class StoreStatusRules
{
    private static readonly CrdSchema Schema = CrdSchema.Load("bucketstores.yaml")["status"];

    /// <param name="store">With the status that was there before.</param>
    /// <param name="now">When <paramref name="status"/> was made.</param>
    public static void Check(BucketStore store, StoreStatus status, DateTimeOffset now)
    {
        var broken = Broken(store, status, now).ToList();

        Assert.True(broken.Count == 0, string.Join("\n", broken));
    }

    private static IEnumerable<string> Broken(BucketStore store, StoreStatus status, DateTimeOffset now)
    {
        var json = JsonSerializer.SerializeToNode(
            new StoreStatusPatch
            {
                Metadata = new PatchMeta { ResourceVersion = "" },
                Status = status,
            },
            ApiJsonContext.Default.StoreStatusPatch
        )!["status"]!;
        foreach (var violation in Schema.Violations(json, "status"))
            yield return violation;
        if (json.ToJsonString().Contains(StatusRules.SecretMark, StringComparison.OrdinalIgnoreCase))
            yield return "a secret is in the status";
        var (ready, stalled, reconciling) = (
            status.Conditions.Find("Ready"),
            status.Conditions.Find("Stalled"),
            status.Conditions.Find("Reconciling")
        );
        if (
            ready is null
            || (ready.Status == Condition.True) != (stalled is null && reconciling is null)
            || (stalled is not null && reconciling is not null)
        )
            yield return "Ready is True, or exactly one of Stalled and Reconciling is";
        if (
            status.ObservedGeneration > store.Metadata.Generation
            || status.Conditions.Any(c => c.ObservedGeneration != status.ObservedGeneration)
        )
            yield return "observedGeneration is not that of the spec";
        foreach (var condition in status.Conditions)
        {
            var was = store.Status?.Conditions.Find(condition.Type);
            var expected =
                was is not null && was.Status == condition.Status
                    ? was.LastTransitionTime
                    : KubeTimeConverter.Truncate(now);
            if (condition.LastTransitionTime != expected)
                yield return $"lastTransitionTime of {condition.Type} moved without its status, or did not move with "
                    + "it";
            if (condition.Message.Length == 0)
                yield return $"{condition.Type} has no message";
        }
    }
}
