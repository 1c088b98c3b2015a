using System.Collections.Frozen;
using System.Text;
using System.Xml.Linq;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>
/// OSS's error answers (help page "Error responses" and the EC pages): an XML <c>Error</c> with Code, Message, RequestId, EC,
/// in the body, or base64 in the header <c>x-oss-err</c> when there is no body. What it means is decided by the code.
/// </summary>
internal static class OssErrors
{
    private const int MaxCode = 128;
    private const int MaxMessage = 256;

    private static readonly FrozenDictionary<string, Meaning> Table = new Dictionary<string, Meaning>(StringComparer.Ordinal)
    {
        ["NoSuchBucket"] = new(FailureKind.Missing, "Create the bucket, or correct its name and the store's region."),
        ["InvalidBucketName"] = new(FailureKind.Refused, "Correct the bucket's name."),
        ["AccessDenied"] = new(FailureKind.Denied, "Grant the key's owner oss:GetBucketEncryption, oss:PutBucketEncryption and oss:DeleteBucketEncryption on this bucket."),
        ["InvalidAccessKeyId"] = new(FailureKind.Denied, "The access key does not exist or is disabled: correct accessKeyId in the store's Secret.", ConcernsCredentials: true),
        ["SignatureDoesNotMatch"] = new(FailureKind.Denied, "The secret does not belong to the access key: correct accessKeySecret in the store's Secret.", ConcernsCredentials: true),
        ["InvalidSecurityToken"] = new(FailureKind.Denied, "Renew securityToken, and the two keys with it, in the store's Secret.", ConcernsCredentials: true),
        ["SecurityTokenExpired"] = new(FailureKind.Denied, "Renew securityToken, and the two keys with it, in the store's Secret.", ConcernsCredentials: true),
        ["ExpiredToken"] = new(FailureKind.Denied, "Renew securityToken, and the two keys with it, in the store's Secret.", ConcernsCredentials: true),
        ["UserDisable"] = new(FailureKind.Denied, "The account is disabled, ask its owner."),
        ["InDebt"] = new(FailureKind.Denied, "The account is in debt, ask its owner."),
        ["RequestTimeTooSkewed"] = new(FailureKind.Transient, "The operator's clock and the vendor's differ by more than 15 minutes: set the node's clock."),
        ["InvalidEncryptionAlgorithmError"] = new(FailureKind.Refused, "The region does not offer this algorithm."),
        ["InvalidEncryptionRequest"] = new(FailureKind.Refused, "The region does not offer this combination of algorithm, key and cipher."),
        ["InvalidArgument"] = new(FailureKind.Refused, "The vendor refuses a value: SM4 and own keys may need to be enabled for the account, and the store's region must be the bucket's."),
        ["MalformedXML"] = new(FailureKind.Refused, "The vendor cannot read the request; report this as a bug."),
        ["NotImplemented"] = new(FailureKind.Refused, "The vendor does not offer this here."),
        ["KmsServiceNotEnabled"] = new(FailureKind.Refused, "Activate Key Management Service for the account."),
        ["KmsUbsmsInvalidBid"] = new(FailureKind.Refused, "The account's Key Management Service is not in order, ask its owner."),
        ["KmsInDebt"] = new(FailureKind.Refused, "The account's Key Management Service is in debt, ask its owner."),
        ["KmsInDebtOverdue"] = new(FailureKind.Refused, "The account's Key Management Service is in debt, ask its owner."),
        ["KeyNotFound"] = new(FailureKind.Refused, "There is no such KMS key in the bucket's region: correct spec.encryption.kmsKey.id."),
        ["AliasNotFound"] = new(FailureKind.Refused, "There is no such KMS key alias in the bucket's region: correct spec.encryption.kmsKey.id."),
        ["KeyDisabled"] = new(FailureKind.Refused, "Enable the KMS key, or name another in spec.encryption.kmsKey.id."),
        ["SecondLevelDomainForbidden"] = new(FailureKind.Refused, "This endpoint wants the bucket in the host: set the store's addressing to VirtualHost."),
        ["NonStandardHostForbidden"] = new(FailureKind.Refused, "The endpoint does not take this host: correct the store's endpoint."),
        ["PermanentRedirect"] = new(FailureKind.Refused, "The bucket is behind another endpoint: correct the store's endpoint and region."),
        ["TemporaryRedirect"] = new(FailureKind.Transient, "The bucket is being moved to another endpoint."),
        ["OperationAborted"] = new(FailureKind.Conflict, "Another change of the bucket is under way."),
        ["MetaOperationQpsLimitExceeded"] = new(FailureKind.Throttled, "The account's limit for bucket settings is reached."),
        ["TotalQpsLimitExceeded"] = new(FailureKind.Throttled, "The account's request limit is reached."),
        ["QpsLimitExceeded"] = new(FailureKind.Throttled, "A request limit is reached."),
        ["ActiveRequestLimitExceeded"] = new(FailureKind.Throttled, "The account's limit of requests at a time is reached."),
        ["UploadTrafficRateLimitExceeded"] = new(FailureKind.Throttled, "The account's traffic limit is reached."),
        ["DownloadTrafficRateLimitExceeded"] = new(FailureKind.Throttled, "The account's traffic limit is reached."),
        ["CpuLimitExceeded"] = new(FailureKind.Throttled, "The account's limit is reached."),
        ["SlowDown"] = new(FailureKind.Throttled, "The vendor asks to go slower."),
        ["ServiceUnavailable"] = new(FailureKind.Throttled, "The vendor is not available now."),
        ["InternalError"] = new(FailureKind.Transient, "The vendor failed."),
        ["RequestTimeout"] = new(FailureKind.Transient, "The vendor did not get the request in time."),
        ["BadRequest"] = new(FailureKind.Transient, "The vendor did not understand the request, which happens in transit."),
        ["IncompleteBody"] = new(FailureKind.Transient, "The request was cut off on its way."),
        ["BadDigest"] = new(FailureKind.Transient, "The request was changed on its way."),
        ["InvalidDigest"] = new(FailureKind.Transient, "The request was changed on its way."),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether the answer says that nothing is configured. By code: the same status also means that the bucket is missing.</summary>
    public static bool SaysNotConfigured(Failure failure) => failure.Code == "NoSuchServerSideEncryptionRule";

    public static Failure Read(VendorResponse response, string operation)
    {
        var error = ErrorElement(response);
        var status = (int)response.Status;
        var code = Bounded(OssDocument.Text(error, "Code"), MaxCode) ?? $"HTTP_{status}";
        var message = Bounded(OssDocument.Text(error, "Message"), MaxMessage);
        var meaning = Table.GetValueOrDefault(code) ?? ByStatus(status);
        return new Failure(meaning.Kind, operation, code)
        {
            HttpStatus = status,
            Ec = Bounded(OssDocument.Text(error, "EC") ?? response.Header("x-oss-ec"), MaxCode),
            Message = message,
            Hint = Hint(code, message, OssDocument.Text(error, "Endpoint"), meaning),
            RequestId = Bounded(OssDocument.Text(error, "RequestId") ?? response.Header("x-oss-request-id"), MaxCode),
            RetryAfter = response.Headers.RetryAfter?.Delta,
            ConcernsCredentials = meaning.ConcernsCredentials,
        };
    }

    private static XElement? ErrorElement(VendorResponse response)
    {
        var text = response.Body;
        if (string.IsNullOrWhiteSpace(text) && response.Header("x-oss-err") is { } encoded)
        {
            Span<byte> bytes = new byte[encoded.Length];
            text = Convert.TryFromBase64String(encoded, bytes, out var length) ? Encoding.UTF8.GetString(bytes[..length]) : "";
        }
        return OssDocument.Parse(text)?.Root is { Name.LocalName: "Error" } root ? root : null;
    }

    /// <summary>AccessDenied has three owners: the bucket's policy, the key service, and the wrong endpoint. Only the text tells.</summary>
    private static string? Hint(string code, string? message, string? endpoint, Meaning meaning)
    {
        if (code != "AccessDenied" || message is null)
            return meaning.Hint;
        if (message.Contains("forbidden by kms", StringComparison.OrdinalIgnoreCase))
            return "Grant the key's owner kms:DescribeKey and kms:List* on the KMS key.";
        if (message.Contains("specified endpoint", StringComparison.OrdinalIgnoreCase))
        {
            var host = endpoint is not null && Uri.CheckHostName(endpoint) == UriHostNameType.Dns ? $" The vendor names {endpoint}." : "";
            return "The bucket is in another region: correct the store's region and endpoint." + host;
        }
        return meaning.Hint;
    }

    /// <summary>For codes that are not in the table: what is safe to assume. None of it is ever "not configured".</summary>
    private static Meaning ByStatus(int status) => status switch
    {
        429 => new(FailureKind.Throttled, Hint: null),
        >= 500 => new(FailureKind.Transient, Hint: null),
        401 or 403 => new(FailureKind.Denied, "The vendor's error page for this code tells what is missing."),
        >= 300 and < 400 => new(FailureKind.Refused, "The bucket is behind another endpoint: correct the store's endpoint and region."),
        _ => new(FailureKind.Refused, "The vendor's error page for this code tells what is wrong."),
    };

    private static string? Bounded(string? text, int max)
    {
        if (text is null)
            return null;
        var clean = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return clean.Length == 0 ? null : Failure.Cut(clean, max);
    }

    private sealed record Meaning(FailureKind Kind, string? Hint, bool ConcernsCredentials = false);
}
