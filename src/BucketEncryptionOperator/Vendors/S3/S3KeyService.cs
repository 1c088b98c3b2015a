using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>How the key service of an S3 store is asked.</summary>
internal sealed record S3KeyOptions(IKeyServiceDialect Dialect) : VendorOptions;

/// <summary>
/// The key services of S3 stores: AWS's, or MinIO's at an endpoint that the store names. Which of them, the hosts say.
/// </summary>
internal sealed class S3KeyService : IKeyServiceDialect
{
    private static readonly S3KeyOptions Aws = new(new AwsKeyService());
    private static readonly S3KeyOptions Minio = new(new MinioKeyService());

    /// <summary>What stands before the region in a host name: AWS's page on the endpoints of KMS.</summary>
    private static readonly string[] Services = ["kms", "kms-fips"];

    /// <summary>AWS's endpoints.</summary>
    public static EndpointNames Endpoints { get; } =
        new(
            region => $"https://kms.{region}.{AwsPartition.OfRegion(region).Domain}",
            [.. AwsPartition.Domains.SelectMany(d => Services.Select(s => $"{s}.{{region}}.{d}"))]
        );

    /// <summary>As the catalogue lists it.</summary>
    public static KeyServiceDescription Description { get; } = new(new S3KeyService(), Endpoints) { Find = Find };

    /// <summary>Neither of the two may be asked for what the other may not: a name does not say whose it is.</summary>
    public bool MayAsk(KmsKeyName kmsKey) => Aws.Dialect.MayAsk(kmsKey);

    public KeyHealth? Foresee(KeyQuestion question) => Of(question.Service).Foresee(question);

    public KeyRequest Ask(KeyQuestion question) => Of(question.Service).Ask(question);

    public HttpRequestMessage Sign(UnsignedRequest request) => Of(request.Address).Sign(request);

    public KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context) =>
        Of(question.Service).Read(question, response, context);

    public bool Knows(string code) => Aws.Dialect.Knows(code) || Minio.Dialect.Knows(code);

    private static IKeyServiceDialect Of(VendorAddress service) => service.OptionsOr(Aws).Dialect;

    /// <summary>
    /// A store that is not AWS's has a key service only where its author names one. It is MinIO then, unless the host
    /// is AWS's.
    /// </summary>
    private static KeyServicePlace? Find(StoreSettings settings, Uri? named)
    {
        var isAws = AwsPartition.OfHost(settings.Endpoint.IdnHost) is not null;
        if (named is not null)
            return new KeyServicePlace(named, isAws || IsAwsHost(named) ? Aws : Minio);
        return isAws ? new KeyServicePlace(new Uri(Endpoints.Default(settings.Region)), Aws) : null;
    }

    /// <summary>AWS's own endpoints, and those in a VPC: <c>vpce-….kms.REGION.vpce.DOMAIN</c>.</summary>
    private static bool IsAwsHost(Uri endpoint) =>
        Endpoints.Contain(endpoint)
        || (
            AwsPartition.OfHost(endpoint.IdnHost) is not null
            && endpoint.IdnHost.Split('.') is [_, "kms" or "kms-fips", _, "vpce", ..]
        );
}
