using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Makes the signed request, for the time that the endpoint's clock is taken to show.</summary>
/// <param name="nonce">Returns a text that no other request has; null where signatures need none.</param>
internal sealed class SignatureStep(IRequestSigner signer, ServerClocks clocks, Func<string>? nonce = null)
    : CallStep("signature")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var now = clocks.Now(request.Address.Endpoint);
        using var message = signer.Sign(
            new UnsignedRequest(request.Method, request.Address, request.Resource, request.Call.Key, request.Body, now)
            {
                Nonce = nonce?.Invoke() ?? "",
            }
        );
        return await next.SendAsync(request with { Message = message }, cancellationToken);
    }
}
