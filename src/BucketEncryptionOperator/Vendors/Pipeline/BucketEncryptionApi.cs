using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>The three operations of one vendor, each request through the vendor's pipeline.</summary>
internal sealed class BucketEncryptionApi(VendorPipeline pipeline, EncryptionDocument document) : IBucketEncryptionApi
{
    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        using var call = await pipeline.AdmitAsync(new CallContext(address, key, requests: 1), cancellationToken);
        return await ReadAsync(call, cancellationToken);
    }

    public async Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    ) =>
        new BucketWrite(this, await pipeline.AdmitAsync(new CallContext(address, key, requests: 2), cancellationToken));

    public string Write(BucketEncryption target, Observation basis) => document.Write(target, basis.Document);

    public string? Repeat(Observation observed) => observed.Document is { } read ? document.Repeat(read) : null;

    private async Task<Observation> ReadAsync(CallContext call, CancellationToken cancellationToken)
    {
        var request = new CallRequest(call, HttpMethod.Get, AnswerContext.Get);
        var answer = await pipeline.SendAsync(request, cancellationToken);
        return answer.Observed
            ?? throw new VendorException(answer.Error ?? throw new InvalidOperationException("no value and no reason"));
    }

    private sealed class BucketWrite(BucketEncryptionApi api, CallContext call) : IBucketWrite
    {
        private bool _written;

        public Task<Observation> GetAsync(CancellationToken cancellationToken) =>
            _written
                ? throw new InvalidOperationException("the read comes before the write")
                : api.ReadAsync(call, cancellationToken);

        public Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync(
                new CallRequest(call, HttpMethod.Put, AnswerContext.Put) { Body = document, LastCheck = lastCheck },
                cancellationToken
            );

        public Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync(
                new CallRequest(call, HttpMethod.Delete, AnswerContext.Delete) { LastCheck = lastCheck },
                cancellationToken
            );

        public void Dispose() => call.Dispose();

        private async Task WriteAsync(CallRequest request, CancellationToken cancellationToken)
        {
            if (_written)
                throw new InvalidOperationException("one write at most");
            _written = true;
            // The write ends the call: a read that confirms it needs the slot, where a store allows only one.
            using var ended = call;
            var answer = await api.SendAsync(request, cancellationToken);
            if (answer.Error is { } error)
                throw new VendorException(error);
        }
    }

    private Task<VendorAnswer> SendAsync(CallRequest request, CancellationToken cancellationToken) =>
        pipeline.SendAsync(request, cancellationToken);
}
