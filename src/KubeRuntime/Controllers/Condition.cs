using System.Collections.Immutable;

namespace KubeRuntime.Controllers;

/// <summary>A condition as in <c>metav1.Condition</c> (<c>V1Condition</c> in KubernetesClient).</summary>
public sealed record Condition
{
    public const string True = "True";
    public const string False = "False";
    public const string Unknown = "Unknown";

    public required string Type { get; init; }

    /// <summary><see cref="True"/>, <see cref="False"/> or <see cref="Unknown"/>.</summary>
    public required string Status { get; init; }

    public long? ObservedGeneration { get; init; }

    /// <summary>When <see cref="Status"/> last changed. A change of reason or message does not count.</summary>
    public DateTimeOffset LastTransitionTime { get; init; }

    /// <summary>One word, <c>[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?</c>.</summary>
    public required string Reason { get; init; }

    public string Message
    {
        get;
        init => field = value ?? "";
    } = "";
}

/// <summary>A list of conditions with one of each type.</summary>
public static class ConditionSet
{
    public static Condition? Find(this ImmutableArray<Condition> conditions, string type) =>
        conditions.IsDefaultOrEmpty ? null : conditions.FirstOrDefault(c => c.Type == type);

    /// <summary>
    /// Returns the conditions that an object should have now, in the given order. Where the status did not change, the
    /// time is that of <paramref name="before"/>. Types that are not in <paramref name="wanted"/> are dropped.
    /// </summary>
    public static ImmutableArray<Condition> Reconcile(
        ImmutableArray<Condition> before,
        IEnumerable<Condition> wanted,
        DateTimeOffset now
    ) =>
        [
            .. wanted.Select(c =>
                c with
                {
                    LastTransitionTime =
                        before.Find(c.Type) is { } b && b.Status == c.Status ? b.LastTransitionTime : now,
                }
            ),
        ];
}
