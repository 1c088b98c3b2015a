using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// OSS's errors, as far as this simulator finds them out itself. A number (EC) is given only where one of OSS's pages,
/// SDK tests or a real answer shows it; each has a help page "oss/user-guide/{EC}". UNCONFIRMED = what real OSS answers
/// here has not been seen.
/// </summary>
internal static class OssErrors
{
    public static readonly StoreError NoSuchBucket = new(
        404,
        "NoSuchBucket",
        "The specified bucket does not exist.",
        "0015-00000101"
    );

    public static readonly StoreError InvalidBucketName = new(
        400,
        "InvalidBucketName",
        "The specified bucket is not valid."
    );

    public static readonly StoreError SecondLevelDomainForbidden = new(
        403,
        "SecondLevelDomainForbidden",
        "The bucket you are attempting to access must be addressed using OSS third level domain."
    );

    public static readonly StoreError NotImplemented = new(
        501,
        "NotImplemented",
        "A header or query you provided implies functionality that is not implemented."
    );

    public static readonly StoreError MethodNotAllowed = new(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource."
    );

    /// <summary>The texts of the list's own are not published.</summary>
    public static readonly StoreError InvalidListArgument = new(
        400,
        "InvalidArgument",
        "max-keys is a number from 1 to 1000, and tag-value comes with tag-key only."
    );

    /// <summary>No Authorization header at all.</summary>
    public static readonly StoreError Anonymous = new(
        403,
        "AccessDenied",
        "You have no right to access this object because of bucket acl.",
        "0003-00000001"
    );

    public static readonly StoreError Denied = new(
        403,
        "AccessDenied",
        "You have no right to access this bucket.",
        "0003-00000001"
    );

    /// <summary>
    /// A <c>kms:*</c> right is missing. Source: OSS help page "Server-side encryption", troubleshooting.
    /// </summary>
    public static readonly StoreError DeniedByKms = new(403, "AccessDenied", "This request is forbidden by kms.");

    /// <summary>Source: EC page 0002-00000505 (bad time format); code and status UNCONFIRMED.</summary>
    public static readonly StoreError BadDate = new(
        403,
        "AccessDenied",
        "OSS authentication requires a valid Date.",
        "0002-00000505"
    );

    /// <summary>Source: EC page 0002-00000202.</summary>
    public static readonly StoreError MalformedAuthorizationV4 = new(
        400,
        "InvalidArgument",
        "The format of the Authorization header is invalid.",
        "0002-00000202"
    );

    /// <summary>Source: EC page 0002-00000062.</summary>
    public static readonly StoreError MalformedAuthorizationV1 = new(
        400,
        "InvalidArgument",
        "The format of the Authorization header is invalid.",
        "0002-00000062"
    );

    /// <summary>Source: EC page 0002-00000213.</summary>
    public static readonly StoreError InvalidCredential = new(
        400,
        "InvalidArgument",
        "The Credential in the Authorization header is invalid.",
        "0002-00000213"
    );

    /// <summary>Source: the Python SDK's own test of a wrong signing region (code, text and EC).</summary>
    public static readonly StoreError InvalidSigningRegion = new(
        400,
        "InvalidArgument",
        "Invalid signing region in Authorization header.",
        "0002-00000226"
    );

    /// <summary>UNCONFIRMED: the SDKs send nothing but UNSIGNED-PAYLOAD.</summary>
    public static readonly StoreError InvalidPayloadHash = new(
        400,
        "InvalidArgument",
        "The x-oss-content-sha256 header must be UNSIGNED-PAYLOAD."
    );

    /// <summary>Source: EC page 0002-00000006; code and status UNCONFIRMED.</summary>
    public static readonly StoreError InvalidSecurityToken = new(
        403,
        "InvalidSecurityToken",
        "The security token you provided is invalid.",
        "0002-00000006"
    );

    /// <summary>Source: EC page 0002-00000007 and a real answer seen in a public question.</summary>
    public static readonly StoreError SecurityTokenExpired = new(
        403,
        "SecurityTokenExpired",
        "The security token you provided has expired.",
        "0002-00000007"
    );

    public static readonly StoreError InvalidDigest = new(
        400,
        "InvalidDigest",
        "The Content-MD5 you specified is invalid."
    );

    public static readonly StoreError BadDigest = new(
        400,
        "BadDigest",
        "The Content-MD5 you specified did not match what we received."
    );

    /// <summary>Which code OSS gives to a body over its limit, and the limit itself: UNCONFIRMED.</summary>
    public static readonly StoreError EntityTooLarge = new(
        400,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size."
    );

    public static readonly StoreError MalformedXml = new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema."
    );

    /// <summary>Source: EC page 0005-00000003, which also lists the three algorithms.</summary>
    public static readonly StoreError InvalidEncryptionAlgorithm = new(
        400,
        "InvalidEncryptionAlgorithmError",
        "The Encryption Algorithm you specified is not supported.",
        "0005-00000003"
    );

    /// <summary>Source: OSS help page "Server-side encryption", troubleshooting.</summary>
    public static readonly StoreError KmsServiceNotEnabled = new(
        400,
        "KmsServiceNotEnabled",
        "This user does not turn on KMS service."
    );

    public static readonly StoreError Sm4NotOpen = InvalidArgument(
        "SM4 is not applicable if user is not in white list"
    );

    public static StoreError InvalidArgument(string message) => new(400, "InvalidArgument", message);

    /// <summary>
    /// 404 on the troubleshooting page and the older API page, 400 on today's GetBucketEncryption page.
    /// </summary>
    public static StoreError NoSuchRule(SettingValues settings) =>
        new(
            settings.NotConfiguredStatus,
            settings.NotConfiguredCode ?? "NoSuchServerSideEncryptionRule",
            "The server side encryption configuration was not found."
        );

    /// <summary>
    /// Unknown key (EC seen in the SDKs' own tests); also a temporary key without its token (OSS help page on this very
    /// message), a permanent key with a token (EC page 0002-00000002), and a disabled key, whose answer is UNCONFIRMED.
    /// </summary>
    public static StoreError InvalidAccessKeyId(
        string accessKeyId,
        string message = "The OSS Access Key Id you provided does not exist in our records.",
        string ec = "0002-00000902"
    ) => new(403, "InvalidAccessKeyId", message, ec) { Extras = [new("OSSAccessKeyId", accessKeyId)] };

    /// <summary>Source: EC page 0002-00000504. The extra elements are UNCONFIRMED.</summary>
    public static StoreError TimeTooSkewed(DateTimeOffset requestTime, DateTimeOffset serverTime, TimeSpan limit) =>
        new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "0002-00000504"
        )
        {
            Extras =
            [
                new("MaxAllowedSkewMilliseconds", $"{limit.TotalMilliseconds:0}"),
                new("RequestTime", $"{requestTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}"),
                new("ServerTime", $"{serverTime.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}"),
            ],
        };

    /// <summary>The bucket lives elsewhere; <c>Endpoint</c> says where.</summary>
    public static StoreError WrongEndpoint(string region) =>
        new(
            403,
            "AccessDenied",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
                + "future requests to this endpoint."
        )
        {
            Extras = [new("Endpoint", $"oss-{region}.aliyuncs.com")],
        };

    /// <summary>
    /// EC page 0002-00000201 for V4; V1's number is UNCONFIRMED and left out. <c>CanonicalRequest</c> is sent for V4
    /// (UNCONFIRMED; OSS's S3 dialect does).
    /// </summary>
    public static StoreError SignatureDoesNotMatch(
        string accessKeyId,
        string signature,
        string stringToSign,
        string? canonicalRequest
    )
    {
        StoreError error = new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
                + "signing method."
        )
        {
            Ec = canonicalRequest is null ? null : "0002-00000201",
            Extras =
            [
                new("OSSAccessKeyId", accessKeyId),
                new("SignatureProvided", signature),
                new("StringToSign", stringToSign),
                new(
                    "StringToSignBytes",
                    Convert
                        .ToHexString(System.Text.Encoding.UTF8.GetBytes(stringToSign))
                        .Chunk(2)
                        .Aggregate("", (text, pair) => $"{text}{new string(pair)} ")
                ),
            ],
        };
        return canonicalRequest is null
            ? error
            : error with
            {
                Extras = error.Extras.Add(new("CanonicalRequest", canonicalRequest)),
            };
    }
}
