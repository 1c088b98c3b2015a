using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Returns whether this process may change buckets at this moment, since another replica may be about to. It is called
/// when a write is decided, to avoid a useless wait, and as the last check before the request is sent, because the wait
/// for permits may take as long as a lease lasts.
/// </summary>
internal delegate bool WriteGuard();

/// <summary>
/// Returns how long a write that is sent now may take, so that it ends before another process may write; zero when
/// nothing may be sent. It bounds the request's deadline: with a lease of 15 s a vendor timeout of 10 s is not cut in
/// normal renewal (12 to 14 s are left), one of 30 s is cut to what is left of the lease. A request that a vendor has
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
