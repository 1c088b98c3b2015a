using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// A vendor behind the breakers of its access keys: a call with a rejected key ends with the vendor's rejection, and is
/// not made.
/// </summary>
/// <param name="realm">From an endpoint to the name of where a key is known: see <c>Vendor.Realm</c>.</param>
/// <param name="endpoints">
/// Asked first: nobody waits for what a key's first call says of it at an endpoint that does not answer.
/// </param>
internal sealed class GuardedApi(
    IBucketEncryptionApi inner,
    AccessKeyCircuitBreakers breakers,
    Func<Uri, string> realm,
    EndpointCircuitBreakers? endpoints = null
) : IBucketEncryptionApi
{
    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        using var pass = await EnterAsync(address, key, cancellationToken);
        return await CallAsync(
            new Caller(this, key, address, pass),
            () => inner.GetAsync(address, key, cancellationToken)
        );
    }

    public async Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        var pass = await EnterAsync(address, key, cancellationToken);
        IBucketWrite? begun = null;
        try
        {
            begun = new GuardedWrite(
                await inner.BeginWriteAsync(address, key, cancellationToken),
                new Caller(this, key, address, pass)
            );
            return begun;
        }
        finally
        {
            if (begun is null)
                pass.Dispose();
        }
    }

    public string Write(BucketEncryption target, Observation basis) => inner.Write(target, basis);

    public string? Repeat(Observation observed) => inner.Repeat(observed);

    private async Task<AccessKeyCircuitBreakers.Pass> EnterAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        endpoints?.Check(address, AnswerContext.Get);
        var (pass, rejection) = await breakers.EnterAsync(
            key,
            realm(address.Endpoint),
            address.Bucket,
            cancellationToken
        );
        if (rejection is not null)
            throw Explained(rejection with { NotSent = true }, key, address);
        return pass ?? throw new InvalidOperationException("neither a pass nor a reason");
    }

    private static async Task<T> CallAsync<T>(Caller caller, Func<Task<T>> call)
    {
        try
        {
            var answer = await call();
            caller.Pass.Answered(failure: null);
            return answer;
        }
        catch (VendorException e)
        {
            caller.Pass.Answered(e.Failure);
            throw caller.Api.Explained(e.Failure, caller.Key, caller.Address);
        }
    }

    private VendorException Explained(Failure failure, AccessKey key, BucketAddress address) =>
        new(KeyHints.Explain(failure, breakers.IsTakenElsewhere(key, realm(address.Endpoint))));

    private sealed record Caller(
        GuardedApi Api,
        AccessKey Key,
        BucketAddress Address,
        AccessKeyCircuitBreakers.Pass Pass
    );

    /// <summary>The read and the write are one pass: nobody asks the breaker between the two.</summary>
    private sealed class GuardedWrite(IBucketWrite inner, Caller caller) : IBucketWrite
    {
        private bool _ended;

        public Task<Observation> GetAsync(CancellationToken cancellationToken) =>
            CallAsync(caller, () => inner.GetAsync(cancellationToken));

        public Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            CallAsync(caller, () => DoneAsync(inner.PutAsync(document, lastCheck, cancellationToken)));

        public Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            CallAsync(caller, () => DoneAsync(inner.DeleteAsync(lastCheck, cancellationToken)));

        public void Dispose()
        {
            inner.Dispose();
            if (!_ended)
                caller.Pass.Dispose();
            _ended = true;
        }

        private static async Task<bool> DoneAsync(Task work)
        {
            await work;
            return true;
        }
    }
}
