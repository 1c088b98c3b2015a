using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// A step on the way to a temporary key that did not succeed, already named: <see cref="Failure.Operation"/> is the
/// step.
/// </summary>
internal sealed class KeySourceException(Failure failure)
    : Exception($"{failure.Operation}: {failure.Code} ({failure.Kind})")
{
    public Failure Failure => failure;

    /// <summary>The vendor's own text, for the log; not for a status, for it may be another one each time.</summary>
    public string Said { get; init; } = "";
}
