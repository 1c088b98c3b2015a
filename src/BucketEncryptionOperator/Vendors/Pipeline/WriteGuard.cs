using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Whether this process may change buckets at this moment: another one may be about to. Asked when a write is decided,
/// which spares a wait for nothing, and again by the last check of the request (<see cref="CallRequest.LastCheck"/>),
/// because the wait for its permits may take as long as a lease lasts. <see cref="WriteGuardStep"/> calls that check.
/// </summary>
internal delegate bool WriteGuard();

/// <summary>
/// Returns how long a write that is sent now may take, so that it ends before another process may write. Zero when
/// nothing may be sent.
/// It bounds the request's own deadline: a lease of 15 s and a vendor timeout of 10 s leave the timeout whole in normal
/// renewal (12 to 14 s), a vendor timeout of 30 s is cut to what is left of the lease. A request that a vendor has
/// received and not carried out yet cannot be recalled.
/// </summary>
internal delegate TimeSpan WriteTime();

/// <summary>The failure of a write that the guard has stopped.</summary>
internal static class NotLeading
{
    public const string CheckLease = "CheckLease";

    /// <summary>
    /// Passes by itself: the process leads again, or ends, within seconds. Until then the bucket's status stays.
    /// </summary>
    public static Failure Failure { get; } =
        new(Reasons.NotLeading, CheckLease)
        {
            Message = "This replica does not hold the lease now; nothing was written.",
            NotSent = true,
        };
}
