using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.S3;

/// <summary>S3's errors on ?encryption. Source: AWS "Error responses"; MinIO's error table where it says so.</summary>
internal static class S3Errors
{
    public static readonly StoreError NoSuchBucket = new(404, "NoSuchBucket", "The specified bucket does not exist");

    public static readonly StoreError InvalidBucketName = new(
        400,
        "InvalidBucketName",
        "The specified bucket is not valid."
    );

    public static readonly StoreError NotImplemented = new(
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented"
    );

    public static readonly StoreError MethodNotAllowed = new(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource."
    );

    public static readonly StoreError EntityTooLarge = new(
        400,
        "MaxMessageLengthExceeded",
        "Your request was too big."
    );

    public static readonly StoreError NoChecksum = new(
        400,
        "InvalidRequest",
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
    );

    public static readonly StoreError InvalidDigest = new(
        400,
        "InvalidDigest",
        "The Content-MD5 or checksum value that you specified is not valid."
    );

    public static readonly StoreError BadDigest = new(
        400,
        "BadDigest",
        "The Content-MD5 or checksum value that you specified did not match what the server received."
    );

    public static readonly StoreError MalformedXml = new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema"
    );

    /// <summary>What AWS says where KMS refuses the caller: UNCONFIRMED for this call.</summary>
    public static readonly StoreError DeniedByKms = new(
        403,
        "AccessDenied",
        "User is not authorized to perform: kms:GenerateDataKey on the resource"
    );

    /// <summary>Source: MinIO's error table.</summary>
    public static readonly StoreError KmsNotConfigured = new(
        501,
        "NotImplemented",
        "Server side encryption specified but KMS is not configured"
    );

    /// <summary>Source: MinIO's error table.</summary>
    public static readonly StoreError KmsKeyNotFound = new(400, "KMS.NotFoundException", "Invalid keyId");

    public static readonly StoreError KmsFailed = new(
        500,
        "InternalError",
        "We encountered an internal error, please try again."
    );

    public static StoreError NotConfigured(SettingValues settings) =>
        new(
            settings.NotConfiguredStatus,
            settings.NotConfiguredCode ?? "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found"
        );

    public static StoreError InvalidArgument(string message, string name) =>
        new(400, "InvalidArgument", message) { Extras = [new("ArgumentName", name)] };

    /// <summary>The bucket lives elsewhere; <c>Endpoint</c> says where.</summary>
    public static StoreError PermanentRedirect(string bucket, string region) =>
        new(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
                + "future requests to this endpoint."
        )
        {
            Extras = [new("Endpoint", $"{bucket}.s3.{region}.amazonaws.com"), new("Bucket", bucket)],
        };
}
