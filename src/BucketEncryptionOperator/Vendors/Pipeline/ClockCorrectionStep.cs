namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Sends a read once more where the endpoint refused the time in its signature and gave its own. A write is not sent
/// twice: whoever allowed it was asked for one request, now. A read with the corrected time comes before the next.
/// </summary>
internal sealed class ClockCorrectionStep(ServerClocks clocks) : CallStep("clock correction")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var answer = await next.SendAsync(request, cancellationToken);
        var isCorrected =
            answer is { IsSkewed: true, Response: { } response }
            && clocks.Correct(request.Address.Endpoint, response.Headers.Date);
        return isCorrected && !request.IsWrite ? await next.SendAsync(request, cancellationToken) : answer;
    }
}
