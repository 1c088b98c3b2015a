using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>One concern of a vendor call, at its place in a <see cref="VendorPipeline"/>.</summary>
/// <param name="name">As in the documentation of the order.</param>
internal abstract class CallStep(string name)
{
    public string Name => name;

    /// <summary>
    /// Admits a call before its first request; may wait. What the call holds from then on is put into
    /// <paramref name="call"/>, which releases it.
    /// </summary>
    /// <exception cref="VendorException">The call is refused.</exception>
    public virtual ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    /// <summary>
    /// Runs around one request: it sends the request to the next step, once unless its summary says more.
    /// </summary>
    /// <exception cref="VendorException">The request was not sent, or got no answer.</exception>
    public virtual Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    ) => next.SendAsync(request, cancellationToken);
}
