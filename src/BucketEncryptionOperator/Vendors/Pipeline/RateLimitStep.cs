using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Admits a call when it has permits for all its requests. Counts a request when it is sent, and reports to the limiter
/// how the vendor took it.
/// </summary>
internal sealed class RateLimitStep(VendorLimits limits) : CallStep("rate limit")
{
    public override async ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken) =>
        call.Permit = call.Hold(
            await limits.EnterAsync(call.Address, call.Key, call.Operation, call.Requests, cancellationToken)
        );

    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var permit = request.Call.Permit ?? throw new InvalidOperationException("the call was not admitted");
        var sent = permit.Send();
        var answer = await next.SendAsync(request, cancellationToken);
        sent.Answered(answer.Problem);
        return answer;
    }
}
