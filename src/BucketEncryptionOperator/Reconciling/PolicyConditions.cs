using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The conditions of a policy, from its rows and what they come to.
/// <list type="bullet">
/// <item>
/// Ready: True when the operator has done what the policy asks; False when a person is (or will be) needed; else
/// Unknown.
/// </item>
/// <item>Compliant: what is known of the buckets, whatever the reason.</item>
/// <item>
/// Stalled, only while True: waiting alone will not resolve it. Reconciling, only while True: waiting may resolve it.
/// </item>
/// </list>
/// </summary>
internal static class PolicyConditions
{
    private const string SuspendedMessage = "The policy is suspended (spec.suspend): nothing is read or written.";

    /// <param name="doubt">Why there may be more buckets than rows; null where there are not.</param>
    public static IEnumerable<Condition> Of(
        ImmutableArray<StatusStanding> rows,
        PolicyVerdict verdict,
        string? doubt,
        PolicyStatus last,
        long generation,
        DateTimeOffset now
    )
    {
        Condition Make(string type, string status, string reason, string message) =>
            new()
            {
                Type = type,
                Status = status,
                Reason = reason,
                Message = message,
                ObservedGeneration = generation,
            };

        yield return Make(
            ConditionTypes.Ready,
            verdict.Worst switch
            {
                <= Standing.Noted => Condition.True,
                >= Standing.Missing => Condition.False,
                _ => Condition.Unknown,
            },
            verdict.Reason,
            verdict.Message
        );
        var ours = rows.Where(r => r.Row.State != BucketStatus.Releasing).Select(r => r.Row).ToList();
        var differ = ours.Where(r => r is { State: not BucketStatus.InSync, Observed: not null }).ToList();
        yield return differ.Count > 0
            ? Make(
                ConditionTypes.Compliant,
                Condition.False,
                differ.All(r => Reasons.OwnedByOthers.Is(r.Error?.Code))
                    ? Reasons.OwnedByOthers.Name
                    : Reasons.NotAsDeclared.Name,
                $"{differ.Count} of {ours.Count} buckets are not encrypted as declared."
            )
        : doubt is not null ? Make(ConditionTypes.Compliant, Condition.Unknown, Reasons.NotRead.Name, doubt)
        : ours.All(r => r.State == BucketStatus.InSync)
            ? Make(
                ConditionTypes.Compliant,
                Condition.True,
                Reasons.AsDeclared.Name,
                "Every bucket is encrypted as declared."
            )
        : Make(
            ConditionTypes.Compliant,
            Condition.Unknown,
            Reasons.NotRead.Name,
            $"{ours.Count(r => r.State != BucketStatus.InSync)} of {ours.Count} buckets could not be read."
        );

        if (verdict.Worst <= Standing.Noted)
            yield break;
        var stalled =
            verdict.Worst == Standing.Stuck
            || (verdict.Worst == Standing.Missing && UntilMissingStalls(last, now) <= TimeSpan.Zero)
            // A bug of ours resolves nothing: the rows that needed a person are kept
            || (verdict.IsBug && IsStalled(last));
        yield return Make(
            stalled ? ConditionTypes.Stalled : ConditionTypes.Reconciling,
            Condition.True,
            verdict.Reason,
            verdict.Message
        );
    }

    /// <summary>
    /// Conditions of a suspended policy: Ready stays as it was, with neither Reconciling nor Stalled.
    /// </summary>
    public static IEnumerable<Condition> OfSuspended(BucketEncryptionPolicy policy, PolicyStatus last)
    {
        var generation = policy.Metadata.Generation;
        var ready =
            last.Conditions.Find(ConditionTypes.Ready)
            ?? new Condition
            {
                Type = ConditionTypes.Ready,
                Status = Condition.Unknown,
                Reason = Reasons.Suspended.Name,
            };
        yield return ready with
        {
            ObservedGeneration = generation,
            Reason = Reasons.Suspended.Name,
            Message = SuspendedMessage,
        };
        yield return Suspended(ConditionTypes.Compliant, generation);
    }

    /// <summary>A condition of a suspended policy that says what nobody looks at now.</summary>
    public static Condition Suspended(string type, long generation) =>
        new()
        {
            Type = type,
            Status = Condition.Unknown,
            Reason = Reasons.Suspended.Name,
            Message = SuspendedMessage,
            ObservedGeneration = generation,
        };

    /// <summary>Time until a missing object makes the policy Stalled.</summary>
    public static TimeSpan UntilMissingStalls(PolicyStatus status, DateTimeOffset now) =>
        status.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.False } ready
            ? ready.LastTransitionTime + FailurePolicy.MissingGrace - now
            : FailurePolicy.MissingGrace;

    public static bool IsStalled(PolicyStatus status) =>
        status.Conditions.Find(ConditionTypes.Stalled) is { Status: Condition.True };
}
