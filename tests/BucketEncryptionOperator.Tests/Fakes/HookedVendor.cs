using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>A vendor in memory with a hook before each call, and one that may send a call to another vendor.</summary>
internal sealed class HookedVendor(Func<BucketAddress, AccessKey, InMemoryVendor> vendorOf) : IBucketEncryptionApi
{
    /// <summary>All of them write documents alike.</summary>
    private static readonly InMemoryVendor Format = new();

    /// <summary>
    /// Called before each call with its operation (Get, Put, Delete), bucket and key; may wait, or throw what the
    /// caller shall be told.
    /// </summary>
    public Func<string, BucketAddress, AccessKey, Task> Before { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>
    /// Called when the vendor has answered a read that belongs to no write, and before the caller has the answer.
    /// </summary>
    public Func<BucketAddress, AccessKey, Task> AfterLook { get; set; } = (_, _) => Task.CompletedTask;

    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        await Before("Get", address, key);
        var observed = await vendorOf(address, key).GetAsync(address, key, cancellationToken);
        await AfterLook(address, key);
        return observed;
    }

    public async Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        await Before("Begin", address, key);
        return new Writing(
            this,
            address,
            key,
            await vendorOf(address, key).BeginWriteAsync(address, key, cancellationToken)
        );
    }

    public string Write(BucketEncryption target, Observation basis) => Format.Write(target, basis);

    public string? Repeat(Observation observed) => Format.Repeat(observed);

    private sealed class Writing(HookedVendor vendor, BucketAddress address, AccessKey key, IBucketWrite inner)
        : IBucketWrite
    {
        public async Task<Observation> GetAsync(CancellationToken cancellationToken)
        {
            await vendor.Before("Get", address, key);
            return await inner.GetAsync(cancellationToken);
        }

        public async Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken)
        {
            await vendor.Before("Put", address, key);
            await inner.PutAsync(document, lastCheck, cancellationToken);
        }

        public async Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken)
        {
            await vendor.Before("Delete", address, key);
            await inner.DeleteAsync(lastCheck, cancellationToken);
        }

        public void Dispose() => inner.Dispose();
    }
}
