using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Huawei;

/// <summary>
/// OBS's errors, as far as this simulator finds them out itself. Source: OBS API reference "Error codes"; UNCONFIRMED
/// where real OBS's answer here has not been seen.
/// </summary>
internal static class ObsErrors
{
    public static readonly StoreError Denied = new(403, "AccessDenied", "Access Denied");

    /// <summary>A KMS right is missing: code and text UNCONFIRMED.</summary>
    public static readonly StoreError DeniedByKms = new(403, "AccessDenied", "Access Denied by kms");

    /// <summary>Source: the SDKs look for this text when they negotiate.</summary>
    public static readonly StoreError UnsupportedAuthorization = new(
        400,
        "InvalidArgument",
        "Unsupported Authorization Type"
    );

    /// <summary>Code and text UNCONFIRMED.</summary>
    public static readonly StoreError BadDate = new(
        403,
        "AccessDenied",
        "OBS authentication requires a valid Date or x-obs-date header"
    );

    public static readonly StoreError TimeTooSkewed = new(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large."
    );

    /// <summary>Status UNCONFIRMED.</summary>
    public static readonly StoreError InvalidSecurityToken = new(
        403,
        "InvalidSecurityToken",
        "The provided security token is invalid."
    );

    public static readonly StoreError ExpiredToken = new(400, "ExpiredToken", "The provided token has expired.");

    public static readonly StoreError NoSuchBucket = new(404, "NoSuchBucket", "The specified bucket does not exist.");

    public static readonly StoreError InvalidBucketName = new(
        400,
        "InvalidBucketName",
        "The specified bucket is not valid."
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
        "max-keys is a number from 1 to 1000, and x-obs-bucket-type is OBJECT or POSIX."
    );

    /// <summary>Path style on a public name. Status UNCONFIRMED.</summary>
    public static readonly StoreError VirtualHostDomainRequired = new(
        403,
        "VirtualHostDomainRequired",
        "Virtual host domain is required."
    );

    /// <summary>A parallel file system, where encryption is not offered for such.</summary>
    public static readonly StoreError FsNotSupport = new(
        405,
        "FsNotSupport",
        "The posix bucket does not support this operation."
    );

    public static readonly StoreError EntityTooLarge = new(
        400,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed object size."
    );

    public static readonly StoreError InvalidDigest = new(
        400,
        "InvalidDigest",
        "The Content-MD5 you specified was invalid."
    );

    public static readonly StoreError BadDigest = new(
        400,
        "BadDigest",
        "The Content-MD5 you specified did not match what we received."
    );

    public static readonly StoreError MissingBody = new(400, "MissingRequestBodyError", "Request body is empty.");

    public static readonly StoreError MalformedXml = new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema."
    );

    public static readonly StoreError InvalidAlgorithm = new(
        400,
        "InvalidEncryptionAlgorithmError",
        "The encryption algorithm you specified is not valid."
    );

    /// <summary>The text is that of the Java SDK's live test; the code is UNCONFIRMED.</summary>
    public static readonly StoreError IllegalKey = InvalidArgument("The request contains illegal KMSMasterKeyID");

    public static StoreError InvalidArgument(string message) => new(400, "InvalidArgument", message);

    public static StoreError InvalidAccessKeyId(string accessKeyId) =>
        new(403, "InvalidAccessKeyId", "The OBS Access Key Id you provided does not exist in our records.")
        {
            Extras = [new("OBSAccessKeyId", accessKeyId)],
        };

    public static StoreError NotConfigured(SettingValues settings) =>
        new(
            settings.NotConfiguredStatus,
            settings.NotConfiguredCode ?? "NoSuchEncryptionConfiguration",
            "The bucket encryption configuration does not exist."
        );

    /// <summary>The bucket lives elsewhere; that OBS answers 301 here is UNCONFIRMED.</summary>
    public static StoreError WrongEndpoint(string region) =>
        new(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint."
        )
        {
            Extras = [new("Endpoint", $"obs.{region}.myhuaweicloud.com")],
        };

    public static StoreError SignatureDoesNotMatch(string accessKeyId, string signature, string stringToSign) =>
        new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
                + "signing method."
        )
        {
            Extras =
            [
                new("OBSAccessKeyId", accessKeyId),
                new("SignatureProvided", signature),
                new("StringToSign", stringToSign),
                new(
                    "StringToSignBytes",
                    string.Join(' ', System.Text.Encoding.UTF8.GetBytes(stringToSign).Select(value => $"{value:x2}"))
                ),
            ],
        };
}
