using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>
/// Whether this process may change buckets at this moment: another one may be about to. Asked twice: when a write is decided, which spares a wait
/// for nothing, and when its turn has come, for the turn may have taken as long as a lease lasts.
/// </summary>
internal delegate bool WriteGuard();

/// <summary>What a write fails with that the guard has stopped.</summary>
internal static class NotLeading
{
    public const string CheckLease = "CheckLease";

    /// <summary>Passes by itself: the process leads again, or ends, in seconds. Until then the row stays as it was.</summary>
    public static Failure Failure { get; } = new(FailureKind.Conflict, CheckLease, "NotLeading") { Message = "This replica does not hold the lease now; nothing was written." };
}
