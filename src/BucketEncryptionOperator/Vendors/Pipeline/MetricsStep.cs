using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Counts, times and traces a request.</summary>
internal sealed class MetricsStep(VendorMeter meter) : CallStep("metrics")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        using var call = meter.Begin(request.Operation, request.Address);
        try
        {
            var answer = await next.SendAsync(request, cancellationToken);
            call.Ended(answer.Problem);
            return answer;
        }
        catch (VendorException e)
        {
            call.Ended(e.Failure);
            throw;
        }
    }
}
