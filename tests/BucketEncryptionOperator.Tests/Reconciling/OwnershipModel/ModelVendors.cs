using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>
/// The vendors of a schedule: from an endpoint to the installation behind it, with a gate before each call and one
/// before its answer.
/// </summary>
internal sealed class ModelVendors(
    Func<Uri, InMemoryVendor> installationOf,
    Func<ModelRun, string, Task> gate,
    OwnershipOracle oracle
) : IBucketEncryptionApi
{
    private static readonly InMemoryVendor Format = new();

    private readonly OwnershipOracle _oracle = oracle;

    public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        var inner = installationOf(address.Endpoint);
        return CallAsync("Get", address.Bucket, turn: null, () => inner.GetAsync(address, key, cancellationToken));
    }

    public async Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        var run = RunNow();
        _oracle.Settled(run);
        await gate(run, $"begin {address.Bucket}");
        return new Writing(
            this,
            installationOf(address.Endpoint),
            address,
            await installationOf(address.Endpoint).BeginWriteAsync(address, key, cancellationToken)
        );
    }

    public string Write(BucketEncryption target, Observation basis) => Format.Write(target, basis);

    public string? Repeat(Observation observed) => Format.Repeat(observed);

    private static ModelRun RunNow() =>
        ModelRun.Current ?? throw new InvalidOperationException("a call outside of any reconcile");

    private async Task<T> CallAsync<T>(string operation, string bucket, object? turn, Func<Task<T>> call)
    {
        var run = RunNow();
        if (operation == "Get") // a write has its permit, and goes out at once
            await gate(run, $"{operation} {bucket}");
        OwnershipOracle.Turn = turn;
        try
        {
            return await call();
        }
        finally
        {
            await gate(run, $"{operation} {bucket} answered");
        }
    }

    private sealed class Writing(
        ModelVendors vendors,
        InMemoryVendor installation,
        BucketAddress address,
        IBucketWrite inner
    ) : IBucketWrite
    {
        public Task<Observation> GetAsync(CancellationToken cancellationToken) =>
            vendors.CallAsync("Get", address.Bucket, this, () => inner.GetAsync(cancellationToken));

        public Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync("Put", () => inner.PutAsync(document, lastCheck, cancellationToken));

        public Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync("Delete", () => inner.DeleteAsync(lastCheck, cancellationToken));

        public void Dispose() => inner.Dispose();

        private async Task WriteAsync(string operation, Func<Task> write)
        {
            using var writing = vendors._oracle.Writing(installation, address.Bucket);
            await vendors.CallAsync(
                operation,
                address.Bucket,
                this,
                async () =>
                {
                    await write();
                    return true;
                }
            );
        }
    }
}
