using System.Collections.Immutable;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator;

/// <summary>
/// A request as it came, before any dialect has read it. Header names are lower case; repeated headers are joined by a
/// comma.
/// </summary>
internal sealed record StoreRequest(
    string Method,
    string Host,
    string RawTarget,
    ImmutableSortedDictionary<string, string> Headers,
    ReadOnlyMemory<byte> Body,
    bool BodyTooLarge
)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>
/// A request as a dialect reads it. <see cref="AccessKeyId"/> is what the request claims; nothing is verified yet.
/// Operations are named as in the vendor-neutral <see cref="Operations"/>.
/// </summary>
internal sealed record StoreCall(StoreRequest Request, StoreAddress Address, string Operation, string? AccessKeyId)
{
    public string? Bucket => Address.Bucket;

    /// <summary>The id or alias of the key that a key service is asked for.</summary>
    public string? KmsKey { get; init; }

    public bool IsForKeyService => Operation is Operations.DescribeKey or Operations.UnknownOfKeyService;

    public bool IsWrite => Operation is Operations.Put or Operations.Delete;
}

internal static class Operations
{
    public const string Get = "GetBucketEncryption";
    public const string Put = "PutBucketEncryption";
    public const string Delete = "DeleteBucketEncryption";
    public const string List = "ListBuckets";
    public const string Location = "GetBucketLocation";
    public const string Tags = "GetBucketTagging";
    public const string Info = "GetBucketInfo";
    public const string ApiVersion = "HeadApiVersion";
    public const string Unknown = "Unknown";

    /// <summary>The question for the state of a KMS key, whatever the vendor's own name for it.</summary>
    public const string DescribeKey = "DescribeKey";

    public const string UnknownOfKeyService = "UnknownOfKeyService";

    /// <summary>
    /// What all vendors spell alike: the method, on <c>?encryption</c>; GET of the other settings; and GET of the root.
    /// </summary>
    public static string Of(StoreRequest request, StoreAddress address) =>
        (request.Method, address.Asks("encryption")) switch
        {
            ("GET", true) => Get,
            ("PUT", true) => Put,
            ("DELETE", true) => Delete,
            ("GET", false) when address.Bucket is null && address.Key.Length == 0 => List,
            ("GET", false) when address.Bucket is not null && address.Asks("location") => Location,
            ("GET", false) when address.Bucket is not null && address.Asks("tagging") => Tags,
            _ => Unknown,
        };
}

/// <summary>
/// An error in vendor terms; the dialect gives it the vendor's shape. <see cref="Extras"/> become further elements of
/// the body.
/// </summary>
internal sealed record StoreError(int Status, string Code, string Message, string? Ec = null)
{
    public ImmutableArray<KeyValuePair<string, string>> Extras { get; init; } = [];
}

/// <summary>A whole answer. <see cref="ErrorCode"/> is null when the vendor did what was asked.</summary>
internal sealed record StoreAnswer(
    int Status,
    string? ErrorCode,
    ImmutableArray<KeyValuePair<string, string>> Headers,
    ReadOnlyMemory<byte> Body
)
{
    public StoreAnswer With(string header, string value) => this with { Headers = Headers.Add(new(header, value)) };
}

/// <summary>
/// One vendor's wire dialect: addresses, signatures, rules, error shapes. One folder each; what two of them need is in
/// Wire or SigV4, and none uses another. A dialect does no input or output and never waits: the pipeline does.
/// </summary>
internal interface IDialect
{
    /// <summary>Takes every request: what it cannot make sense of is <see cref="Operations.Unknown"/>.</summary>
    StoreCall Read(StoreRequest request);

    /// <summary>Checks the signature, applies the vendor's rules and does the operation.</summary>
    StoreAnswer Answer(StoreCall call);

    /// <summary>An error that is injected, not found out, in the vendor's shape.</summary>
    StoreAnswer Refuse(StoreCall call, StoreError error);

    /// <summary>
    /// The same error with an empty body, told in headers where the vendor does so. An answer that is no error stays as
    /// it is.
    /// </summary>
    StoreAnswer WithoutBody(StoreAnswer answer);
}
