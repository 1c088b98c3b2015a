using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Refuses a temporary key that has expired. It was valid when the work on the policy began, and the call had to wait.
/// </summary>
internal sealed class KeyLifetimeStep() : CallStep("key lifetime")
{
    public override Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    ) =>
        request.Call.Key.Lifetime is { IsOver: true }
            ? Task.FromException<VendorAnswer>(new VendorException(Expired(request.Operation)))
            : next.SendAsync(request, cancellationToken);

    private static Failure Expired(string operation) =>
        new(Reasons.KeyExpired, operation)
        {
            Message = "The temporary key ended before the request was sent.",
            ConcernsCredentials = true,
            NotSent = true,
        };
}
