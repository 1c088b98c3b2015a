using KubeRuntime.Client;

namespace BucketEncryptionOperator.Api;

/// <summary>
/// <c>BucketStore</c> as on the wire (crds/bucketstores.yaml). Some of its fields are named after vendors;
/// <c>StoreSpecMapping</c> gives them neutral names.
/// </summary>
internal sealed record BucketStore : IStore
{
    public required ObjectMeta Metadata { get; init; }
    public required BucketStoreSpec Spec { get; init; }
    public StoreStatus? Status { get; init; }
}

/// <summary>Not sealed: a <see cref="ClusterBucketStoreSpec"/> says the same and more.</summary>
internal record BucketStoreSpec
{
    public required string Vendor { get; init; }
    public required string Region { get; init; }
    public string? Endpoint { get; init; }
    public string? Addressing { get; init; }
    public string? CaBundle { get; init; }
    public string? KmsEndpoint { get; init; }
    public string? KeyChecks { get; init; }
    public AlibabaSpec? Alibaba { get; init; }
    public S3Spec? S3 { get; init; }
    public required CredentialsSpec Credentials { get; init; }
    public RateLimitSpec? RateLimit { get; init; }
}

internal sealed record RateLimitSpec
{
    public int? RequestsPerSecond { get; init; }
    public int? Burst { get; init; }
    public int? MaxConcurrency { get; init; }
}

internal sealed record AlibabaSpec
{
    public string? SignatureVersion { get; init; }
    public string? CloudBoxId { get; init; }
}

internal sealed record S3Spec
{
    public string? ExpectedBucketOwner { get; init; }
}
