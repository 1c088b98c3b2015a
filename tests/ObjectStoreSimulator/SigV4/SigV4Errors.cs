namespace ObjectStoreSimulator.SigV4;

/// <summary>
/// What S3 and its kin answer to a signature that they do not like. Source: AWS "Error responses", answers seen in
/// public threads; UNCONFIRMED where it says so.
/// </summary>
internal static class SigV4Errors
{
    public static readonly StoreError Denied = new(403, "AccessDenied", "Access Denied");

    public static readonly StoreError BadDate = new(
        403,
        "AccessDenied",
        "AWS authentication requires a valid Date or x-amz-date header"
    );

    public static readonly StoreError InvalidToken = new(
        400,
        "InvalidToken",
        "The provided token is malformed or otherwise invalid."
    );

    public static readonly StoreError ExpiredToken = new(400, "ExpiredToken", "The provided token has expired.");

    public static readonly StoreError NoPayloadHash = new(
        400,
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256"
    );

    public static readonly StoreError PayloadHashMismatch = new(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed."
    );

    /// <summary>Chunked signatures belong to uploads; the status for ?encryption is UNCONFIRMED.</summary>
    public static readonly StoreError NotImplemented = new(
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented"
    );

    public static StoreError InvalidAccessKeyId(string accessKeyId) =>
        new(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        {
            Extras = [new("AWSAccessKeyId", accessKeyId)],
        };

    public static StoreError MalformedAuthorization(string message, string? region) =>
        new(400, "AuthorizationHeaderMalformed", message) { Extras = region is null ? [] : [new("Region", region)] };

    public static StoreError HeadersNotSigned(IEnumerable<string> names) =>
        new(403, "AccessDenied", "There were headers present in the request which were not signed")
        {
            Extras = [new("HeadersNotSigned", string.Join(", ", names))],
        };

    public static StoreError TimeTooSkewed(DateTimeOffset requestTime, DateTimeOffset serverTime, TimeSpan limit) =>
        new(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        {
            Extras =
            [
                new("RequestTime", $"{requestTime.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}"),
                new("ServerTime", $"{serverTime.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"),
                new("MaxAllowedSkewMilliseconds", $"{limit.TotalMilliseconds:0}"),
            ],
        };

    public static StoreError SignatureDoesNotMatch(SigV4Claim claim, string stringToSign, string canonicalRequest) =>
        new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
                + "signing method."
        )
        {
            Extras =
            [
                new("AWSAccessKeyId", claim.AccessKeyId),
                new("StringToSign", stringToSign),
                new("SignatureProvided", claim.Signature),
                new("StringToSignBytes", Bytes(stringToSign)),
                new("CanonicalRequest", canonicalRequest),
                new("CanonicalRequestBytes", Bytes(canonicalRequest)),
            ],
        };

    private static string Bytes(string text) =>
        string.Join(' ', System.Text.Encoding.UTF8.GetBytes(text).Select(value => $"{value:x2}"));
}
