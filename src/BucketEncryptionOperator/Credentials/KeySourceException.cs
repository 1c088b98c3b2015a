using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>A step towards a temporary key failed. <see cref="Failure.Operation"/> is the step.</summary>
internal sealed class KeySourceException(Failure failure)
    : Exception($"{failure.Operation}: {failure.Code} ({failure.Kind})")
{
    public Failure Failure => failure;

    /// <summary>The vendor's own text, for the log. It is not for a status, because it may change each time.</summary>
    public string Said { get; init; } = "";

    /// <summary>
    /// The owner has taken the source back: a key that it gave before is not used any more, valid or not.
    /// </summary>
    public bool IsTakenBack { get; init; }
}
