using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Gives a write no more time than this process may write for, and asks for the last time whether it may be sent. The
/// steps after it await nothing before the send.
/// </summary>
/// <param name="writeTime">Null: a write may take as long as any request.</param>
/// <param name="requestTimeout">Maximum time of any request.</param>
internal sealed class WriteGuardStep(WriteTime? writeTime, TimeSpan requestTimeout) : CallStep("write guard")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        if (request.LastCheck is not { } lastCheck)
            return await next.SendAsync(request, cancellationToken);
        var atMost = writeTime?.Invoke() ?? TimeSpan.MaxValue;
        if (atMost <= TimeSpan.Zero)
            throw new VendorException(NotLeading.Failure) { IsOfWriteGuard = true };
        if (lastCheck() is { } stop)
            throw new VendorException(stop with { NotSent = true }) { IsOfWriteGuard = true };
        try
        {
            return await next.SendAsync(request with { AtMost = atMost }, cancellationToken);
        }
        catch (VendorException e) when (Reasons.Timeout.Is(e.Failure.Code) && atMost < requestTimeout)
        {
            throw new VendorException(e.Failure) { IsOfWriteGuard = true };
        }
    }
}
