using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>A vendor behind the breakers of its access keys: a call with a rejected key ends with the vendor's rejection, and is not made.</summary>
/// <param name="realm">Where the vendor knows a key: from an endpoint to a name that all endpoints with the same keys share.</param>
internal sealed class GuardedApi(IBucketEncryptionApi inner, KeyBreakers breakers, Func<Uri, string> realm) : IBucketEncryptionApi
{
    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        using var pass = await EnterAsync(address, key, cancellationToken);
        return await CallAsync(pass, inner.GetAsync(address, key, cancellationToken));
    }

    public async Task<IBucketWrite> BeginWriteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        var pass = await EnterAsync(address, key, cancellationToken);
        IBucketWrite? begun = null;
        try
        {
            begun = new GuardedWrite(await inner.BeginWriteAsync(address, key, cancellationToken), pass);
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

    private async Task<KeyBreakers.Pass> EnterAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        var (pass, rejection) = await breakers.EnterAsync(key, realm(address.Endpoint), cancellationToken);
        return pass ?? throw new VendorException((rejection ?? throw new InvalidOperationException("neither a pass nor a reason")) with { NotSent = true });
    }

    private static async Task<T> CallAsync<T>(KeyBreakers.Pass pass, Task<T> call)
    {
        try
        {
            var answer = await call;
            pass.Answered(failure: null);
            return answer;
        }
        catch (VendorException e)
        {
            pass.Answered(e.Failure);
            throw;
        }
    }

    /// <summary>The read and the write are one pass: nobody asks the breaker between the two.</summary>
    private sealed class GuardedWrite(IBucketWrite inner, KeyBreakers.Pass pass) : IBucketWrite
    {
        private bool _ended;

        public Task<Observation> GetAsync(CancellationToken cancellationToken) => CallAsync(pass, inner.GetAsync(cancellationToken));

        public Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            CallAsync(pass, DoneAsync(inner.PutAsync(document, lastCheck, cancellationToken)));

        public Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken) => CallAsync(pass, DoneAsync(inner.DeleteAsync(lastCheck, cancellationToken)));

        public void Dispose()
        {
            inner.Dispose();
            if (!_ended)
                pass.Dispose();
            _ended = true;
        }

        private static async Task<bool> DoneAsync(Task work)
        {
            await work;
            return true;
        }
    }
}
