using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>The error of a row: how a failure becomes one, and what its reason means.</summary>
internal static class BucketErrors
{
    /// <summary>Null where nothing failed.</summary>
    public static BucketError? Of(Failure? failure) =>
        failure is null
            ? null
            : new BucketError
            {
                Operation = failure.Operation,
                Code = failure.Code,
                HttpStatus = failure.HttpStatus,
                Ec = failure.Ec,
                Message = failure.Message,
                Hint = failure.Hint,
                RequestId = failure.RequestId,
            };

    /// <summary>Whether it is the same failure again: texts and request ids do not count.</summary>
    public static bool IsSame(BucketError? a, BucketError? b) =>
        a is not null
        && b is not null
        && a.Operation == b.Operation
        && a.Code == b.Code
        && a.HttpStatus == b.HttpStatus
        && a.Ec == b.Ec
        && a.Hint == b.Hint;

    /// <summary>The event that the error makes when it is new.</summary>
    public static ReasonEvent Event(this BucketError error) =>
        Reasons.Find(error.Code, error.HttpStatus)?.Event ?? ReasonEvent.VendorError;

    /// <summary>Whether its reason is the operator's own and has the trait.</summary>
    public static bool Has(this BucketError error, ReasonTraits trait) =>
        Reasons.Find(error.Code, error.HttpStatus)?.Has(trait) == true;
}
