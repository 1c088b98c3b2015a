using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a reconcile of a store found.</summary>
/// <param name="Failure">Why its spec or its keys cannot be used; null where they can.</param>
/// <param name="KeyState">The vendor's last answer to the key that the store has now.</param>
/// <param name="Attempt">
/// Number of attempts in a row before this one that failed for a reason that passes by itself.
/// </param>
internal sealed record StoreFindings(Failure? Failure, AccessKeyState KeyState, int Attempt)
{
    /// <summary>What the store's owner should know although nothing is wrong.</summary>
    public string? Remark { get; init; }

    /// <summary>The version of the keys that this is about; empty where keys have no versions.</summary>
    public string KeyVersion { get; init; } = "";

    /// <summary>The keys are not those that the last status is about.</summary>
    public bool HasOtherKey { get; init; }

    /// <summary>The failure, or the vendor's rejection of the key: for the requeue it is one.</summary>
    public Failure? Trouble => Failure ?? (KeyState as AccessKeyState.Rejected)?.Failure;
}

/// <summary>
/// Composes a store's status: a pure function, with the same rules as for policies. Ready: the spec is valid, the keys
/// exist, and the vendor's last answer to them was no rejection. It asks no vendor: the policies do.
/// </summary>
internal static class StoreStatusComposer
{
    public static StoreStatus Compose(ObjectMeta meta, StoreStatus? before, StoreFindings findings, DateTimeOffset time)
    {
        var now = KubeTimeConverter.Truncate(time);
        var last = before ?? new StoreStatus();
        var sameSpec = last.ObservedGeneration == meta.Generation;
        if (
            sameSpec
            && findings.Trouble is { PassesByItself: true } passing
            && findings.Attempt + 1 < FailurePolicy.ShowsAt(passing.Kind)
        )
            return last;
        return new StoreStatus
        {
            ObservedGeneration = meta.Generation,
            Conditions = ConditionSet.Reconcile(
                last.Conditions,
                Conditions(findings, last, sameSpec, now).Select(c => c with { ObservedGeneration = meta.Generation }),
                now
            ),
        };
    }

    /// <summary>Returns the time until a missing object counts as stalled.</summary>
    public static TimeSpan UntilMissingStalls(StoreStatus status, DateTimeOffset now) =>
        status.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.False } ready
            ? ready.LastTransitionTime + FailurePolicy.MissingGrace - now
            : FailurePolicy.MissingGrace;

    private static IEnumerable<Condition> Conditions(
        StoreFindings findings,
        StoreStatus last,
        bool sameSpec,
        DateTimeOffset now
    )
    {
        if (findings.Trouble is not { } failure)
        {
            yield return Good(findings, last, sameSpec);
            yield break;
        }
        var rejected = findings.Failure is null;
        var reason = rejected
            ? Reasons.CredentialsRejected.Name
            : PolicyVerdict.ToReason(failure.Code, failure.HttpStatus);
        var message = Messages.Join(
            rejected ? $"The vendor rejects the access key: {failure.Code}." : failure.Message,
            failure.Hint
        );
        var stalled =
            !failure.PassesByItself
            && (failure.Kind != FailureKind.Missing || UntilMissingStalls(last, now) <= TimeSpan.Zero);
        yield return new Condition
        {
            Type = ConditionTypes.Ready,
            Status = failure.PassesByItself ? Condition.Unknown : Condition.False,
            Reason = reason,
            Message = message,
        };
        yield return new Condition
        {
            Type = stalled ? ConditionTypes.Stalled : ConditionTypes.Reconciling,
            Status = Condition.True,
            Reason = reason,
            Message = message,
        };
    }

    /// <summary>
    /// That the vendor has accepted the keys stays true when the operator has forgotten it: by a restart, or because no
    /// request was made for long.
    /// </summary>
    private static Condition Good(StoreFindings findings, StoreStatus last, bool sameSpec)
    {
        var wasTaken =
            last.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.True, Reason: var reason }
            && Reasons.KeysAccepted.Is(reason);
        var taken = findings.KeyState is AccessKeyState.Taken || (sameSpec && wasTaken && !findings.HasOtherKey);
        return new Condition
        {
            Type = ConditionTypes.Ready,
            Status = Condition.True,
            Reason = (taken ? Reasons.KeysAccepted : Reasons.KeysResolved).Name,
            Message = Messages.Join(
                taken
                    ? "The vendor has taken the keys."
                    : "The keys are there; the vendor has not been asked with them yet.",
                findings.Remark
            ),
        };
    }
}
