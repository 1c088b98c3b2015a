using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.KmsKeys;

/// <summary>
/// Asks key services. It has workers and a queue of its own, so that a key service which is slow or down keeps no
/// policy waiting.
/// </summary>
/// <param name="services">One per vendor, by the vendor's name.</param>
/// <param name="random">Spreads the questions.</param>
internal sealed class KeyHealthReconciler(
    KeyHealths healths,
    StoreKeys keys,
    IReadOnlyDictionary<string, IKeyServiceApi> services,
    Random random,
    ILogger<KeyHealthReconciler> logger
) : IReconciler
{
    /// <summary>Time between two questions about one key; up to a tenth more, so that questions spread.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private const double Spread = 0.1;

    /// <summary>Least time until the next attempt after a failure that may pass by itself.</summary>
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    public async Task<ReconcileResult> ReconcileAsync(
        NamespacedName key,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (healths.Find(key) is not { } question)
            return ReconcileResult.OnChange; // no policy follows it any more
        // Without an access key the store says why, and nothing is known about its KMS keys
        if ((await keys.GetAsync(question.Credentials, cancellationToken)).Value is not { } accessKey)
            return new ReconcileResult.Retry(RetryAfter);
        var health = await AskAsync(question, accessKey, cancellationToken);
        healths.Record(key, health);
        if (health is KeyHealth.Unknown { Failure: { PassesByItself: true } failure })
        {
            Log.KeyNotRead(logger, question.Key.Id, failure.Operation, failure.Code);
            var wait = failure.RetryAfter ?? RetryAfter;
            return new ReconcileResult.Retry(Durations.Max(RetryAfter, Durations.Min(wait, Interval)));
        }
        return new ReconcileResult.After(Interval * (1 + (Spread * random.NextDouble())));
    }

    private async Task<KeyHealth> AskAsync(FollowedKey question, AccessKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await services[question.Vendor]
                .DescribeAsync(question.Service, question.Key, key, cancellationToken);
        }
        catch (VendorException e)
        {
            return new KeyHealth.Unknown(e.Failure);
        }
    }
}
