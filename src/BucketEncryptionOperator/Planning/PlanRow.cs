using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Manifests;

namespace BucketEncryptionOperator.Planning;

/// <summary>What the operator would do with a bucket in mode Enforce.</summary>
internal enum PlanAction
{
    /// <summary>Nothing: the bucket is as declared.</summary>
    None,

    Put,

    Delete,

    /// <summary>It differs, and another policy of the files writes it.</summary>
    OwnedByOther,

    /// <summary>It differs, and the operator would not write it.</summary>
    Refused,

    /// <summary>It could not be found out.</summary>
    Error,

    /// <summary>The policy is suspended: nothing is read.</summary>
    Suspended,
}

/// <summary>One bucket of a policy; or the policy, where its buckets are not known.</summary>
/// <param name="Bucket">Empty where the row is about the policy.</param>
internal sealed record PlanRow(Manifest<BucketEncryptionPolicy> Policy, string Bucket, PlanAction Action)
{
    /// <summary>Empty where the store is not known.</summary>
    public string Vendor { get; init; } = "";

    /// <summary>Null where the bucket was not read.</summary>
    public BucketEncryption? Observed { get; init; }

    /// <summary>What the bucket would have; null where nothing would be written.</summary>
    public BucketEncryption? Target { get; init; }

    /// <summary>Body of the PUT, to the byte; null where none would be sent.</summary>
    public string? Document { get; init; }

    /// <summary>Bytes that the operator would keep in the status to restore the bucket one day.</summary>
    public int OriginalSize { get; init; }

    /// <summary>Why the action is not a write, where the bucket is not as declared.</summary>
    public Failure? Why { get; init; }
}
