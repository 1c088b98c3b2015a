using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>A vendor behind the breakers of its access keys: a call with a rejected key ends with the vendor's rejection, and is not made.</summary>
/// <param name="realm">From an endpoint to the name of where a key is known: see <see cref="Vendor.Realm"/>.</param>
internal sealed class GuardedApi(IBucketEncryptionApi inner, KeyBreakers breakers, Func<Uri, string> realm) : IBucketEncryptionApi
{
    public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
        CallAsync(address, key, () => inner.GetAsync(address, key, cancellationToken), cancellationToken);

    public Task PutAsync(BucketAddress address, AccessKey key, string document, CancellationToken cancellationToken) =>
        CallAsync(address, key, () => DoneAsync(inner.PutAsync(address, key, document, cancellationToken)), cancellationToken);

    public Task DeleteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
        CallAsync(address, key, () => DoneAsync(inner.DeleteAsync(address, key, cancellationToken)), cancellationToken);

    public string Write(BucketEncryption target, Observation basis) => inner.Write(target, basis);

    public string? Repeat(Observation observed) => inner.Repeat(observed);

    private async Task<T> CallAsync<T>(BucketAddress address, AccessKey key, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        var where = realm(address.Endpoint);
        var (entered, rejection) = await breakers.EnterAsync(key, where, address.Bucket, cancellationToken);
        if (rejection is not null)
            throw Explained(rejection);
        using var pass = entered ?? throw new InvalidOperationException("neither a pass nor a reason");
        try
        {
            var answer = await call();
            pass.Answered(failure: null);
            return answer;
        }
        catch (VendorException e)
        {
            pass.Answered(e.Failure);
            throw Explained(e.Failure);
        }

        VendorException Explained(Failure failure) =>
            new(KeyHints.Explain(failure, breakers.IsTakenElsewhere(key, where)));
    }

    private static async Task<bool> DoneAsync(Task work)
    {
        await work;
        return true;
    }
}
