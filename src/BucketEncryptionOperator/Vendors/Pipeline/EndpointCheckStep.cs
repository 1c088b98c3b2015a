using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Refuses a call to an endpoint that is down, before the call waits for anything.</summary>
internal sealed class EndpointCheckStep(EndpointCircuitBreakers breakers) : CallStep("endpoint check")
{
    public override ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken)
    {
        breakers.Check(call.Address, call.Operation);
        return ValueTask.CompletedTask;
    }
}
