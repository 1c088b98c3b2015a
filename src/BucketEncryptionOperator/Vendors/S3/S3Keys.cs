using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>What a KMS key may be called in a policy for S3.</summary>
internal static class S3Keys
{
    private const string AliasPrefix = "alias/";
    private const string ManagedPrefix = "aws/";

    /// <summary>AWS stores any text as a key's id, and refuses each upload afterwards.</summary>
    /// <returns>What is wrong, and the right value, without a full stop; or null.</returns>
    public static string? ProblemOnAws(string id)
    {
        var isQualified =
            id.Contains(':', StringComparison.Ordinal) || id.StartsWith(AliasPrefix, StringComparison.Ordinal);
        if (isQualified || !id.Contains('/', StringComparison.Ordinal))
            return null;
        return id.StartsWith(ManagedPrefix, StringComparison.Ordinal)
            ? $"\"{id}\" is not a key id: use \"{AliasPrefix}{id}\", or vendorDefault: true for the key that AWS "
                + "manages for S3"
            : $"\"{id}\" is not a key id: use the id alone, an ARN, or \"{AliasPrefix}NAME\"";
    }

    /// <summary>AWS's own key exists on AWS only.</summary>
    /// <inheritdoc cref="ProblemOnAws"/>
    public static string? ProblemElsewhere(string id) =>
        KmsKeyId.IsVendors(id)
            ? $"\"{id}\" is AWS's own key, and this endpoint is not AWS: name a key of the store's, or use "
                + "vendorDefault: true"
            : null;
}
