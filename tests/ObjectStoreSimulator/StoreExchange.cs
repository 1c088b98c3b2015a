using System.Collections.Immutable;

namespace ObjectStoreSimulator;

/// <summary>A request as it came, before any dialect has read it. Header names are lower case; repeated headers are joined by a comma.</summary>
internal sealed record StoreRequest(
    string Method,
    string Host,
    string RawTarget,
    ImmutableSortedDictionary<string, string> Headers,
    ReadOnlyMemory<byte> Body,
    bool BodyTooLarge)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>
/// A request as a dialect reads it. <see cref="AccessKeyId"/> is what the request claims; nothing is verified yet.
/// Operations are named as in the vendor-neutral <see cref="Operations"/>.
/// </summary>
internal record StoreCall(StoreRequest Request, string Dialect, string? Bucket, string Operation, string? AccessKeyId)
{
    public bool IsWrite => Operation is Operations.Put or Operations.Delete;
}

internal static class Operations
{
    public const string Get = "GetBucketEncryption";
    public const string Put = "PutBucketEncryption";
    public const string Delete = "DeleteBucketEncryption";
    public const string Info = "GetBucketInfo";
    public const string Unknown = "Unknown";
}

/// <summary>An error in vendor terms; the dialect gives it the vendor's shape. <see cref="Extras"/> become further elements of the body.</summary>
internal sealed record StoreError(int Status, string Code, string Message, string? Ec = null)
{
    public ImmutableArray<KeyValuePair<string, string>> Extras { get; init; } = [];
}

/// <summary>A whole answer. <see cref="ErrorCode"/> is null when the vendor did what was asked.</summary>
internal sealed record StoreAnswer(int Status, string? ErrorCode, ImmutableArray<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    public StoreAnswer With(string header, string value) => this with { Headers = Headers.Add(new(header, value)) };
}

/// <summary>
/// One vendor's wire dialect: addresses, signatures, rules, error shapes. One folder each; all share <see cref="State.World"/>, and none uses another.
/// A dialect does no input or output and never waits: the pipeline does.
/// </summary>
internal interface IDialect
{
    /// <summary>Null when the request is not in this dialect.</summary>
    StoreCall? Recognise(StoreRequest request);

    /// <summary>Checks the signature, applies the vendor's rules and does the operation.</summary>
    StoreAnswer Answer(StoreCall call);

    /// <summary>An error that is injected, not found out, in the vendor's shape.</summary>
    StoreAnswer Refuse(StoreCall call, StoreError error);

    /// <summary>The same error with an empty body, told in the vendor's other way.</summary>
    StoreAnswer WithoutBody(StoreAnswer answer);
}
