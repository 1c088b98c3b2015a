using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>A better hint for a rejected key, where more is known than the vendor's answer says.</summary>
internal static class KeyHints
{
    private const string UnknownHere =
        "The region does not know this key, which is accepted elsewhere: it may be an "
        + "opt-in region that is not enabled for the account, belong to another partition (China, GovCloud), or not "
        + "take this kind of session token.";

    /// <summary>Codes for a key or token that is not known, as opposed to expired or wrongly used.</summary>
    private static readonly string[] Unknown =
    [
        "InvalidAccessKeyId",
        "InvalidToken",
        "InvalidTokenId",
        "InvalidSecurityToken",
    ];

    /// <param name="isTakenElsewhere">The vendor takes the same key in another region.</param>
    public static Failure Explain(Failure rejection, bool isTakenElsewhere) =>
        isTakenElsewhere && rejection.ConcernsCredentials && Unknown.Contains(rejection.Code, StringComparer.Ordinal)
            ? rejection with
            {
                Hint = UnknownHere,
            }
            : rejection;
}
