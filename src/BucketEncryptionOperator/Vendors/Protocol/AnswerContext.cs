using System.Collections.Frozen;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What was asked, as far as the meaning of the answer depends on it.</summary>
/// <param name="Operation">The vendor's name of the call.</param>
internal sealed record AnswerContext(string Operation)
{
    public const string Get = "GetBucketEncryption";
    public const string Put = "PutBucketEncryption";
    public const string Delete = "DeleteBucketEncryption";
    public const string List = "ListBuckets";
    public const string Locate = "GetBucketLocation";
    public const string GetTags = "GetBucketTagging";

    private static readonly FrozenSet<string> OfAccount = FrozenSet.Create(
        StringComparer.Ordinal,
        List,
        Locate,
        GetTags
    );

    public bool IsRead => Operation == Get || IsOfAccount;

    /// <summary>The request was about the account or a bucket of it, and not about an encryption.</summary>
    public bool IsOfAccount => OfAccount.Contains(Operation);

    /// <summary>The request was signed with a temporary key.</summary>
    public bool SentToken { get; init; }

    /// <summary>The time that the vendor's clock is taken to show.</summary>
    public DateTimeOffset Now { get; init; }
}
