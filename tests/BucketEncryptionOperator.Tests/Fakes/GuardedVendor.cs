using System.Runtime.CompilerServices;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>
/// A vendor of a test behind the pipeline's circuit breaker for access keys, as in the operator. The other steps need
/// HTTP, which such a vendor has not.
/// </summary>
internal sealed class GuardedVendor(
    IBucketEncryptionApi inner,
    AccessKeyCircuitBreakers breakers,
    Func<Uri, string> realm
) : IBucketEncryptionApi
{
    private readonly BucketEncryptionApi _guarded = new(
        new VendorPipeline(new AccessKeyBreakerStep(breakers, realm), new InnerStep(inner)),
        new EncryptionDocument(new DocumentShape("Unused", HasRule: false, Namespace: "", "KMS"))
    );

    public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
        _guarded.GetAsync(address, key, cancellationToken);

    public Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    ) => _guarded.BeginWriteAsync(address, key, cancellationToken);

    public string Write(BucketEncryption target, Observation basis) => inner.Write(target, basis);

    public string? Repeat(Observation observed) => inner.Repeat(observed);

    /// <summary>Answers with the inner vendor, in place of everything from the signature to the transport.</summary>
    private sealed class InnerStep(IBucketEncryptionApi inner) : CallStep("inner vendor")
    {
        private readonly ConditionalWeakTable<CallContext, IBucketWrite> _writes = [];

        public override async ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken)
        {
            if (call.Requests > 1)
                _writes.Add(
                    call,
                    call.Hold(await inner.BeginWriteAsync((BucketAddress)call.Address, call.Key, cancellationToken))
                );
        }

        public override async Task<VendorAnswer> SendAsync(
            CallRequest request,
            NextStep next,
            CancellationToken cancellationToken
        )
        {
            if (!_writes.TryGetValue(request.Call, out var write))
                return Found(await inner.GetAsync((BucketAddress)request.Address, request.Call.Key, cancellationToken));
            if (request.LastCheck is not { } lastCheck)
                return Found(await write.GetAsync(cancellationToken));
            if (request.Body is { } document)
                await write.PutAsync(document, lastCheck, cancellationToken);
            else
                await write.DeleteAsync(lastCheck, cancellationToken);
            return new VendorAnswer();
        }

        private static VendorAnswer Found(Observation observed) => new() { Observed = observed };
    }
}
