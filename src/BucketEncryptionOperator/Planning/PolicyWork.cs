using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Planning;

/// <summary>A policy of a file with its buckets; or why they are not known.</summary>
/// <param name="Context">Null where the policy is suspended, or something is wrong with it.</param>
internal sealed record PolicyWork(Manifest<BucketEncryptionPolicy> Policy, ReconcileContext? Context)
{
    public string Vendor { get; init; } = "";

    public ImmutableArray<BucketEnforcement> Tasks { get; init; } = [];

    /// <summary>What is wrong with the policy, its store, its keys, or the list of the account.</summary>
    public ImmutableArray<Failure> Problems { get; init; } = [];

    public bool IsSelector => Policy.Object.Spec.BucketSelector is not null;

    /// <summary>The policy writes, and so may own buckets.</summary>
    public bool Enforces => Context is { Terms.Mode: PolicyMode.Enforce };
}
