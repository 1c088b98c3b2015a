using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Refuses a call with a rejected key with the vendor's rejection, and learns from each answer what the vendor thinks
/// of the key. The read and the write of one change are one pass.
/// </summary>
/// <param name="realm">Returns the name of where an endpoint's keys are known.</param>
internal sealed class AccessKeyBreakerStep(AccessKeyCircuitBreakers breakers, Func<Uri, string> realm)
    : CallStep("access key breaker")
{
    public override async ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken)
    {
        var (pass, rejection) = await breakers.EnterAsync(
            call.Key,
            realm(call.Address.Endpoint),
            call.Address.BucketName ?? "",
            cancellationToken
        );
        if (rejection is not null)
            throw new VendorException(Explain(rejection with { NotSent = true }, call));
        call.KeyPass = call.Hold(pass ?? throw new InvalidOperationException("no pass and no reason"));
    }

    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var pass = request.Call.KeyPass ?? throw new InvalidOperationException("the call was not admitted");
        try
        {
            var answer = await next.SendAsync(request, cancellationToken);
            pass.Answered(answer.Error);
            return answer.Error is { } error ? answer with { Error = Explain(error, request.Call) } : answer;
        }
        catch (VendorException e)
        {
            pass.Answered(e.Failure);
            throw new VendorException(Explain(e.Failure, request.Call));
        }
    }

    private Failure Explain(Failure failure, CallContext call) =>
        KeyHints.Explain(failure, breakers.IsTakenElsewhere(call.Key, realm(call.Address.Endpoint)));
}
