using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// Where AWS S3 is (MinIO, Ceph and others are where their owners say), and what S3 offers. Facts and sources:
/// docs/vendors/s3.md.
/// </summary>
internal static class S3Description
{
    /// <summary>What stands before the region in a host name.</summary>
    private static readonly string[] Services = ["s3", "s3.dualstack", "s3-fips", "s3-fips.dualstack"];

    public static EndpointNames Endpoints { get; } =
        new(
            region => $"https://s3.{region}.{AwsPartition.OfRegion(region).Domain}",
            [.. AwsPartition.Domains.SelectMany(d => Services.Select(s => $"{s}.{{region}}.{d}"))]
        )
        {
            Superseded = ["s3.amazonaws.com", "s3-{region}.amazonaws.com"],
            Misspelled = ["s3.fips-{region}.amazonaws.com", "s3.{region}-fips.amazonaws.com"],
            Partition = endpoint => AwsPartition.OfHost(endpoint.IdnHost)?.Id,
        };

    public static ShellNames Shell { get; } =
        new(
            "s3",
            "s3",
            RegionUse.InSignature,
            new KeyVariables("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        )
        {
            RegionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"],
        };

    /// <inheritdoc cref="Vendor.Bind"/>
    public static StoreTraits Bind(StoreSettings settings)
    {
        var isAws = AwsPartition.OfHost(settings.Endpoint.IdnHost) is not null;
        return new StoreTraits(
            isAws ? "S3" : "S3 outside AWS",
            isAws ? ["AES256", "KMS", "DSSE", "None"] : ["AES256", "KMS", "None"],
            isAws ? [Addressing.VirtualHost, Addressing.Path] : [Addressing.Path, Addressing.VirtualHost]
        )
        {
            BucketKeys = true,
            BlocksTypes = isAws,
            DottedNames = true,
            AlwaysEncrypted = isAws,
            ProblemOfKey = isAws ? S3Keys.ProblemOnAws : S3Keys.ProblemElsewhere,
            Options = S3Options.Read(settings),
        };
    }
}
