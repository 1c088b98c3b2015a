using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Sends the request. The last step: nothing comes after it.</summary>
internal sealed class TransportStep(VendorHttp http) : CallStep("transport")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    ) =>
        new()
        {
            Response = await http.SendAsync(
                request.Message ?? throw new InvalidOperationException("the request is not signed"),
                request.Operation,
                new VendorExchange
                {
                    CaBundle = request.Address.CaBundle,
                    AtMost = request.AtMost,
                    MaxBody = request.Expected?.MaxSize ?? VendorXml.MaxSize,
                },
                cancellationToken
            ),
        };
}
