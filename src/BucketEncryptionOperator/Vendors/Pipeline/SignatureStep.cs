using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Makes the signed request, for the time that the endpoint's clock is taken to show.</summary>
internal sealed class SignatureStep(IVendorDialect dialect, ServerClocks clocks) : CallStep("signature")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var now = clocks.Now(request.Address.Endpoint);
        using var message = dialect.Sign(
            new UnsignedRequest(request.Method, request.Address, request.Resource, request.Call.Key, request.Body, now)
        );
        return await next.SendAsync(request with { Message = message }, cancellationToken);
    }
}
