using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a pass does with a bucket that it has observed.</summary>
internal abstract record BucketDecision
{
    private BucketDecision() { }

    /// <summary>Nothing more: this is the result.</summary>
    public sealed record Done(BucketResult Result) : BucketDecision;

    /// <summary>
    /// The policy may act on the bucket, whether or not the plan is a write: it is recorded, and written if the plan
    /// says so.
    /// </summary>
    public sealed record Act(BucketObservation.Seen Observation) : BucketDecision;
}

/// <summary>
/// Decides what a policy does with a bucket that it has observed. What the bucket needs is in the observation already
/// (<see cref="BucketObserver"/>). This decides whether it may be done, in this order: what the mode says, which policy
/// owns the bucket, whether this process may write at all, and whether the KMS key that the write names can be used. It
/// reads and writes nothing.
/// </summary>
internal sealed class BucketPlanner(
    BucketOwnership ownership,
    BucketObserver observer,
    WriteGate gate,
    WriteChecks checks,
    PassOptions options
)
{
    /// <summary>The list is asked for again with the policy's back-off, which is shorter.</summary>
    private static readonly TimeSpan ListPause = TimeSpan.FromMinutes(1);

    private static Failure ReadOnlyRefusal { get; } =
        new(Reasons.ReadOnly, Planner.Step)
        {
            Message = "The operator runs with --read-only and writes to no vendor.",
            Hint = "status.buckets[].planned says what would be sent.",
        };

    /// <param name="dead">KMS keys that no bucket may be moved to.</param>
    public BucketDecision Decide(
        ReconcileContext context,
        IBucketEncryptionApi api,
        BucketObservation observation,
        DeadKeys dead
    ) =>
        observation switch
        {
            BucketObservation.Unseen unseen => new BucketDecision.Done(Unseen(context, unseen.Task, unseen.Failure)),
            BucketObservation.Seen seen when context.Terms.Mode == PolicyMode.Audit => new BucketDecision.Done(
                new BucketResult(seen.Task.Bucket, Planned(seen, api, why: null))
            ),
            BucketObservation.Seen { Task: BucketEnforcement enforcement } seen => DecideByOwnership(
                context.Policy.Now,
                api,
                enforcement,
                seen,
                dead
            ),
            BucketObservation.Seen seen => DecideByPermission(seen, api, dead),
            _ => throw new InvalidOperationException(observation.GetType().Name),
        };

    /// <summary>Returns whether the policy may write what a release or an enforcement plans.</summary>
    public bool IsOwner(StoredPolicy policy, BucketTask task) =>
        task is not BucketEnforcement enforcement
        || ownership.StandingOf(policy.Now, task.Id, enforcement.Declared) is BucketStanding.Owner;

    /// <summary>
    /// The result of a bucket that could not be read. Only the vendor's coded answer about this bucket to this key says
    /// something about the claim. A page of a gateway, a redirect, a circuit breaker and the API server do not.
    /// </summary>
    public BucketResult Unseen(ReconcileContext context, BucketTask task, Failure failure)
    {
        var result = new BucketResult(task.Bucket, task.Conclude(new Outcome.Failed(failure, Observed: null)));
        return task is BucketEnforcement
            ? result with
            {
                Claim = ClaimAfter(context.Policy.Now, task.Id, failure),
            }
            : result;
    }

    /// <summary>The policy's claim on a bucket that could not be read, which other policies see from now on.</summary>
    private Claim ClaimAfter(BucketEncryptionPolicy policy, BucketId bucket, Failure failure)
    {
        // An earlier read may have found more than the status says.
        var last = ownership.ClaimOf(policy, bucket);
        Claim claim;
        switch (failure)
        {
            case { IsVendorAnswer: true, Kind: FailureKind.Missing }:
                claim = Claim.None;
                break;
            case { IsVendorAnswer: true, Kind: FailureKind.Denied }:
                claim = last == Claim.None ? Claim.None : Claim.Denied;
                break;
            default:
                return last;
        }
        ownership.RecordClaim(policy, bucket, claim);
        return claim;
    }

    private BucketDecision DecideByOwnership(
        BucketEncryptionPolicy policy,
        IBucketEncryptionApi api,
        BucketEnforcement enforcement,
        BucketObservation.Seen seen,
        DeadKeys dead
    )
    {
        if (enforcement.Selected is { Hold: { } hold })
            return new BucketDecision.Done(
                new BucketResult(enforcement.Bucket, Held(seen, api, hold))
                {
                    Claim = ownership.ClaimOf(policy, enforcement.Id), // also one that no status has yet
                }
            );
        ownership.RecordClaim(policy, enforcement.Id, Claim.Open);
        var declared = enforcement.Declared;
        switch (ownership.StandingOf(policy, enforcement.Id, declared))
        {
            case BucketStanding.NotOwner yields:
                var result = new BucketResult(enforcement.Bucket, Yield(policy, enforcement, seen, yields));
                return new BucketDecision.Done(enforcement.WithOpenClaim(result));
            case BucketStanding.StandIn standIn:
                // It weakens nothing without the consent of both.
                var consent = declared.Consent && standIn.For.Spec.AllowDowngrade == true;
                var careful = enforcement with { Declared = declared with { Consent = consent } };
                return DecideByPermission(observer.Plan(api, careful, seen.Observed, seen.ReadAt), api, dead);
            default:
                return DecideByPermission(seen, api, dead);
        }
    }

    /// <summary>Decides whether this process may write what the plan asks for.</summary>
    private BucketDecision DecideByPermission(BucketObservation.Seen seen, IBucketEncryptionApi api, DeadKeys dead)
    {
        if (seen.Plan is not Plan.Write write)
            return new BucketDecision.Act(seen);
        if (options.ReadOnly)
            return Done(Planned(seen, api, ReadOnlyRefusal));
        if (!checks.MayWrite)
            return Done(new Outcome.Failed(NotLeading.Failure, seen.Observed.Encryption));
        if (dead.ProblemOf(write, seen.Observed.Encryption) is { } unusable)
            return Done(seen.Task.Refuse(unusable, seen.Observed.Encryption));
        return gate.MustWait(seen) is { } wait ? Done(wait) : new BucketDecision.Act(seen);

        BucketDecision.Done Done(Outcome outcome) =>
            new(seen.Task.WithOpenClaim(new BucketResult(seen.Task.Bucket, outcome)));
    }

    /// <summary>
    /// The outcome of a bucket that is not in a complete list. It may come with the next one; where there is one that
    /// does not have it, a person has to look.
    /// </summary>
    private static Outcome Held(BucketObservation.Seen seen, IBucketEncryptionApi api, Failure hold) =>
        seen.Plan is Plan.Write && hold.PassesByItself
            ? new Outcome.Waiting(seen.Observed.Encryption, hold, ListPause)
            : Planned(seen, api, hold);

    /// <summary>What would be sent; nothing is.</summary>
    public static Outcome Planned(BucketObservation.Seen seen, IBucketEncryptionApi api, Failure? why) =>
        seen.Plan is Plan.Write write
            ? new Outcome.Planned(
                seen.Observed.Encryption,
                new PlannedChange(write.Target, write.Removes ? null : seen.DocumentOf(api, write)),
                why
            )
            : seen.WithoutWrite;

    /// <summary>The outcome where another policy owns the bucket.</summary>
    private Outcome.Yielded Yield(
        BucketEncryptionPolicy policy,
        BucketEnforcement enforcement,
        BucketObservation.Seen seen,
        BucketStanding.NotOwner yields
    )
    {
        var isMet = seen.Plan is Plan.Keep;
        if (enforcement.Selected is not null)
            return new Outcome.Yielded(
                seen.Observed.Encryption,
                isMet,
                isMet ? null : OwnershipFailures.OwnedByOther(policy, yields)
            );
        if (!BucketOwnership.Agree(yields.To, enforcement.Declared))
            return new Outcome.Yielded(seen.Observed.Encryption, isMet, OwnershipFailures.Conflict(policy, yields));
        if (isMet)
            return new Outcome.Yielded(seen.Observed.Encryption, isMet, Why: null);
        var why = options.ReadOnly
            ? ReadOnlyRefusal
            : OwnershipFailures.NotWritten(yields.To, ownership.WriterOf(enforcement.Id), enforcement.Bucket);
        return new Outcome.Yielded(seen.Observed.Encryption, isMet, why);
    }
}
