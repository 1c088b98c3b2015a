using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>What a store sets for S3 alone.</summary>
/// <param name="ExpectedBucketOwner">Account id that the bucket must belong to; null: any.</param>
internal sealed record S3Options(string? ExpectedBucketOwner) : VendorOptions
{
    private const string BucketOwner = "expectedBucketOwner";
    private const int AccountDigits = 12;

    /// <summary>A store that sets nothing.</summary>
    public static S3Options Default { get; } = new(ExpectedBucketOwner: null);

    /// <exception cref="SettingException">A setting is invalid.</exception>
    public static S3Options Read(StoreSettings settings)
    {
        var owner = settings.Find(BucketOwner);
        return owner is null || (owner.Value.Length == AccountDigits && owner.Value.All(char.IsAsciiDigit))
            ? new S3Options(owner?.Value)
            : throw new SettingException(owner, $"an account id has {AccountDigits} digits");
    }
}
