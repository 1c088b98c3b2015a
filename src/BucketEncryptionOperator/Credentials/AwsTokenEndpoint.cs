using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The token service of an AWS region, for the identities that are not the operator's own. The region is the
/// operator's (<c>AWS_REGION</c>), which its network reaches, where it is in the partition of the store's; another
/// partition has other accounts.
/// </summary>
/// <param name="Region">As it is signed.</param>
internal sealed record AwsTokenEndpoint(Uri Address, string Region)
{
    private const string RegionVariable = "AWS_REGION";

    /// <exception cref="KeySourceException">The variable is no name of a region.</exception>
    public static AwsTokenEndpoint Of(IdentityOptions options, string storeRegion)
    {
        var partition = AwsPartition.OfRegion(storeRegion);
        var region =
            options.Variable(RegionVariable) is { } own && AwsPartition.OfRegion(own) == partition ? own : storeRegion;
        var host = $"sts.{region}.{partition.Domain}";
        return Uri.CheckHostName(host) == UriHostNameType.Dns
            ? new(options.TokenService ?? new Uri("https://" + host), region)
            : throw IdentityErrors.NotSetUp(
                "AssumeRole",
                Reasons.TokenServiceInvalid,
                $"{RegionVariable} must be the name of a region.",
                "Correct the operator's environment."
            );
    }
}
