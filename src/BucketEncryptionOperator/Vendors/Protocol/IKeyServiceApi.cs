using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Asks a vendor's key service about KMS keys. Nothing is changed, and every call may be repeated.</summary>
internal interface IKeyServiceApi
{
    /// <summary>
    /// Returns whether a key may be asked for. False for keys that the vendor manages itself, whatever names them: the
    /// question for a predefined alias such as <c>alias/aws/s3</c> can create that key. False also for a name that
    /// cannot be put into a question.
    /// </summary>
    bool MayAsk(KmsKeyName kmsKey);

    /// <summary>Asks for the state of one key.</summary>
    /// <returns>What the key service says. Never <see cref="KeyHealth.Unknown"/>.</returns>
    /// <exception cref="ArgumentException"><see cref="MayAsk"/> says no: a bug of the caller's.</exception>
    /// <exception cref="VendorException">
    /// It may not be asked (<see cref="FailureKind.Denied"/>), the key's project is not known
    /// (<see cref="Reasons.KeyProjectUnknown"/>), or there was no answer of the key service's own.
    /// </exception>
    Task<KeyHealth> DescribeAsync(
        KeyServiceAddress service,
        KmsKeyName kmsKey,
        AccessKey key,
        CancellationToken cancellationToken
    );
}
