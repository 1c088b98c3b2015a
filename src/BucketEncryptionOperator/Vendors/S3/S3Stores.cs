using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.S3;

/// <param name="ExpectedBucketOwner">Account id that the bucket must belong to; null: any.</param>
internal sealed record S3Options(string? ExpectedBucketOwner) : VendorOptions;

/// <summary>Where AWS S3 is (MinIO, Ceph and others are where their owners say), and what S3 offers. Facts and sources: docs/vendors/s3.md.</summary>
internal static class S3Stores
{
    public static EndpointNames Endpoints { get; } = new(
        region => $"https://s3.{region}.amazonaws.com{(region.StartsWith("cn-", StringComparison.Ordinal) ? ".cn" : "")}",
        [
            "s3.{region}.amazonaws.com",
            "s3.dualstack.{region}.amazonaws.com",
            "s3-fips.{region}.amazonaws.com",
            "s3-fips.dualstack.{region}.amazonaws.com",
            "s3.{region}.amazonaws.com.cn",
            "s3.dualstack.{region}.amazonaws.com.cn",
        ]);

    public static ShellNames Shell { get; } = new(
        "s3", "s3", RegionUse.InSignature, new KeyVariables("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
    {
        RegionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"],
    };

    public static StoreTraits Describe(StoreSettings settings)
    {
        var isAws = IsAws(settings.Endpoint.IdnHost);
        return new StoreTraits("S3", ["AES256", "KMS", "None"], isAws ? [Addressing.VirtualHost, Addressing.Path] : [Addressing.Path, Addressing.VirtualHost])
        {
            BucketKeys = true,
            DottedNames = true,
            AlwaysEncrypted = isAws,
            Partition = isAws ? AwsPartition(settings.Region) : null,
            ProblemOfKey = isAws ? S3Keys.ProblemOnAws : S3Keys.ProblemElsewhere,
            Options = new S3Options(settings.ExpectedBucketOwner),
        };
    }

    /// <summary>Bucket names are unique within a partition of AWS.</summary>
    private static string AwsPartition(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn" : region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov" : "aws";

    private static bool IsAws(string host) =>
        host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase);
}
