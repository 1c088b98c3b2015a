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
        var (address, key) = (request.Address, request.Call.Key);
        using var message = dialect.Sign(request.Method, address, key, request.Body, clocks.Now(address.Endpoint));
        return await next.SendAsync(request with { Message = message }, cancellationToken);
    }
}
