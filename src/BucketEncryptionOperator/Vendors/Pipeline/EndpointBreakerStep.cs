using System.Net;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Fails a request to an endpoint that is down, and learns from each request whether an answer came, and
/// whether it told of a fault of the vendor's. It checks once
/// more while the call is admitted, because the wait for the access key may have been long.
/// </summary>
internal sealed class EndpointBreakerStep(EndpointCircuitBreakers breakers) : CallStep("endpoint breaker")
{
    public override ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken)
    {
        breakers.Check(call.Address, call.Operation);
        return ValueTask.CompletedTask;
    }

    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        using var pass = breakers.Enter(request.Address, request.Operation);
        try
        {
            var answer = await next.SendAsync(request, cancellationToken);
            pass.Answered(IsFault(answer));
            return answer;
        }
        catch (VendorException e) when (!e.IsOfWriteGuard)
        {
            throw new VendorException(pass.Failed(e.Failure));
        }
    }

    /// <summary>A vendor in trouble answers 500, or 503 as if it were asked too often.</summary>
    private static bool IsFault(VendorAnswer answer) =>
        answer
            is {
                Response.Status: >= HttpStatusCode.InternalServerError,
                Problem.Kind: FailureKind.Transient or FailureKind.Throttled
            };
}
