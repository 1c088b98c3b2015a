using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// What a reconcile has to do for one bucket: <see cref="BucketEnforcement"/> or <see cref="BucketRelease"/>. Both
/// observe, plan, record and apply in the same way; they differ in their goal and in what an outcome means.
/// </summary>
/// <param name="Memory">What the policy's status remembers of the bucket.</param>
internal abstract record BucketTask(BucketAddress Address, BucketId Id, BucketMemory Memory)
{
    public string Bucket => Address.Bucket;

    public abstract Goal Goal { get; }

    /// <summary>What an outcome of the common steps means for this task.</summary>
    public abstract Outcome Conclude(Outcome outcome);

    /// <summary>The outcome where the plan refuses to change the bucket.</summary>
    public abstract Outcome Refuse(Failure why, BucketEncryption observed);

    /// <summary>The result, with what it says about the policy's claim: its keys have read the bucket.</summary>
    public abstract BucketResult WithOpenClaim(BucketResult result);
}

/// <summary>Gives a bucket that the policy names or selects the declared encryption.</summary>
internal sealed record BucketEnforcement(
    BucketAddress Address,
    BucketId Id,
    Goal.Declared Declared,
    BucketMemory Memory
) : BucketTask(Address, Id, Memory)
{
    /// <summary>By a selector; null where the spec names the bucket.</summary>
    public SelectedTask? Selected { get; init; }

    public override Goal Goal => Declared;

    public override Outcome Conclude(Outcome outcome) => outcome;

    public override Outcome Refuse(Failure why, BucketEncryption observed) => new Outcome.Failed(why, observed);

    public override BucketResult WithOpenClaim(BucketResult result) => result with { Claim = Claim.Open };
}

/// <summary>What a selector knows of a bucket that it selects.</summary>
/// <param name="Hold">
/// Why the bucket is read and not written, and claimed no more than it was; null where it is in a complete list.
/// </param>
/// <param name="MaxWrites">Maximum number of writes of the pass; null where more were confirmed.</param>
/// <param name="Undecided">
/// Number of other buckets of which the operator had no time yet to find out whether they are selected.
/// </param>
internal sealed record SelectedTask(Failure? Hold, int? MaxWrites, int Undecided);

/// <summary>
/// Does what <c>deletionPolicy</c> says with a bucket that the policy wrote and does not name any more, or with every
/// one when the policy is being deleted. A release claims nothing.
/// </summary>
/// <param name="Target">What the bucket shall have afterwards: no encryption, or the original.</param>
internal sealed record BucketRelease(BucketAddress Address, BucketId Id, Goal Target, BucketMemory Memory)
    : BucketTask(Address, Id, Memory)
{
    public override Goal Goal => Target;

    /// <summary>A bucket that is as it should be, or that does not exist any more, is released.</summary>
    public override Outcome Conclude(Outcome outcome) =>
        outcome is Outcome.InSync or Outcome.Failed { Failure: { Kind: FailureKind.Missing, IsVendorAnswer: true } }
            ? new Outcome.Released()
            : outcome;

    /// <summary>The bucket stays as it is, and is released all the same.</summary>
    public override Outcome Refuse(Failure why, BucketEncryption observed) => new Outcome.Released(why);

    public override BucketResult WithOpenClaim(BucketResult result) => result;
}
