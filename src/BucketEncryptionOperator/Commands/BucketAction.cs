using System.Net;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Commands;

/// <summary>Sends what the command was asked for to the vendor.</summary>
/// <param name="warn">Shows a warning on stderr.</param>
internal sealed class BucketAction(TimeProvider time, Func<string, Task> warn)
{
    /// <summary>The operator refuses such a write. A person may want it: an upload can name a key itself.</summary>
    private const string NeedsNamedKey =
        "this store has no KMS key of its own: it will refuse every upload that names no key; give --kms-masterkey-id";

    /// <exception cref="VendorException">The request failed.</exception>
    public async Task<CommandResult> RunAsync(
        BucketRequest request,
        IWebProxy proxy,
        CancellationToken cancellationToken
    )
    {
        using var http = new VendorHttp(Services.Product, request.Timeout, time, new VendorRoute { Proxy = proxy });
        using var limits = new VendorLimits(time);
        var services = new VendorServices(http, new ServerClocks(time), limits)
        {
            KeyBreakers = new AccessKeyCircuitBreakers(time),
        };
        var vendor = request.Target.Vendor;
        var api = services.Connect([vendor])[vendor.Name];
        var (address, key) = (request.Address, request.Key);
        if (request.Desired is { } desired)
        {
            using var put = await api.BeginWriteAsync(address, key, cancellationToken);
            var basis = await ReadBasisAsync(put, cancellationToken);
            var target = basis.WithoutHarm(desired.TargetFrom(basis.Encryption));
            if (basis.NeedsNamedKey && target is { UsesKms: true, KmsKey: null })
                await warn(NeedsNamedKey);
            await put.PutAsync(api.Write(target, basis), NothingToCheck, cancellationToken);
            return new CommandResult.Written(target);
        }
        if (request.Target.Method == BucketMethod.Delete)
        {
            using var delete = await api.BeginWriteAsync(address, key, cancellationToken);
            await DeleteAsync(delete, cancellationToken);
            return new CommandResult.Written(new BucketEncryption.None());
        }
        var observed = await api.GetAsync(address, key, cancellationToken);
        return new CommandResult.Read(observed.Encryption, observed.NotConfigured);
    }

    /// <summary>A person asked for the write, and there is no lease to check.</summary>
    private static Failure? NothingToCheck() => null;

    /// <summary>
    /// Reads first. A store that ignores <c>?encryption</c> takes the DELETE for one of the bucket, and deletes the
    /// bucket (Ceph 16). So the request goes only to a store that has just answered with an encryption document. Where
    /// nothing is configured, there is nothing to remove. After any other answer, a denied read included, nothing is
    /// sent.
    /// </summary>
    private static async Task DeleteAsync(IBucketWrite write, CancellationToken cancellationToken)
    {
        var observed = await write.GetAsync(cancellationToken);
        if (observed.Document is not null)
            await write.DeleteAsync(NothingToCheck, cancellationToken);
    }

    /// <summary>
    /// Returns what the bucket has, so that a put keeps what no option declares, as the operator's does. With the right
    /// to write and not to read, the put sends a plain document, as ossutil does.
    /// </summary>
    private static async Task<Observation> ReadBasisAsync(IBucketWrite write, CancellationToken cancellationToken)
    {
        try
        {
            return await write.GetAsync(cancellationToken);
        }
        catch (VendorException e) when (e.Failure is { Kind: FailureKind.Denied, ConcernsCredentials: false })
        {
            return new Observation(new BucketEncryption.None(), Document: null);
        }
    }
}
