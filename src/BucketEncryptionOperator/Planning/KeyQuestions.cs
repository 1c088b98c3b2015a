using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Planning;

/// <summary>Asks key services about KMS keys, once each.</summary>
/// <param name="services">One per vendor, by the vendor's name.</param>
internal sealed class KeyQuestions(IReadOnlyDictionary<string, IKeyServiceApi> services)
{
    private readonly ConcurrentDictionary<
        (KeyServiceAddress Service, AccessKey Key, KmsKeyName Name),
        Lazy<Task<KeyHealth>>
    > _answers = [];

    /// <summary>Returns whether the store's key service is asked about a key.</summary>
    public bool MayAsk(Store store, KmsKeyName name) =>
        store.KeyService is not null && services[store.Vendor].MayAsk(name);

    /// <param name="name">One that may be asked for.</param>
    public Task<KeyHealth> AskAsync(Store store, AccessKey key, KmsKeyName name, CancellationToken cancellationToken)
    {
        var service = store.KeyService ?? throw new ArgumentException("no key service", nameof(store));
        return _answers
            .GetOrAdd(
                (service, key, name),
                _ => new Lazy<Task<KeyHealth>>(() =>
                    DescribeAsync(services[store.Vendor], service, name, key, cancellationToken)
                )
            )
            .Value;
    }

    /// <summary>Returns why the operator would not send a write: it moves the bucket to a key that is dead.</summary>
    public async Task<Failure?> ProblemOfAsync(
        BucketObservation observation,
        Store store,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        if (
            observation is not BucketObservation.Seen { Plan: Plan.Write write, Observed.Encryption: var observed }
            || DeadKeys.NewKeyOf(write, observed) is not { } name
            || !MayAsk(store, name)
        )
            return null;
        return await AskAsync(store, key, name, cancellationToken) is KeyHealth.Unusable { IsDead: true } dead
            ? new DeadKeys(ImmutableDictionary<KmsKeyName, KeyHealth.Unusable>.Empty.Add(name, dead)).ProblemOf(
                write,
                observed
            )
            : null;
    }

    private static async Task<KeyHealth> DescribeAsync(
        IKeyServiceApi api,
        KeyServiceAddress service,
        KmsKeyName name,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await api.DescribeAsync(service, name, key, cancellationToken);
        }
        catch (VendorException e)
        {
            return new KeyHealth.Unknown(e.Failure);
        }
    }
}
