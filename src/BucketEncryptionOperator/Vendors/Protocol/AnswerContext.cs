namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What was asked, as far as the meaning of the answer depends on it.</summary>
/// <param name="Operation">The vendor's name of the call.</param>
internal sealed record AnswerContext(string Operation)
{
    public const string Get = "GetBucketEncryption";
    public const string Put = "PutBucketEncryption";
    public const string Delete = "DeleteBucketEncryption";

    public bool IsRead => Operation == Get;

    /// <summary>The request was signed with a temporary key.</summary>
    public bool SentToken { get; init; }

    /// <summary>The time that the vendor's clock is taken to show.</summary>
    public DateTimeOffset Now { get; init; }
}
