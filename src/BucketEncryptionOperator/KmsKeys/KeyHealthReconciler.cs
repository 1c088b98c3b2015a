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

    /// <summary>Least time until the next attempt after a failure that passes by itself.</summary>
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>The vendor's own operation, in failures.</summary>
    private const string Step = "DescribeKey";

    public async Task<ReconcileResult> ReconcileAsync(
        NamespacedName key,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (healths.Find(key) is not { } question)
            return ReconcileResult.OnChange; // no policy follows it any more
        var health = await AskAsync(question, cancellationToken);
        healths.Record(key, health);
        if (health is KeyHealth.Unknown { Failure: { PassesByItself: true } failure })
        {
            Log.KeyNotRead(logger, question.Key.Id, failure.Operation, failure.Code);
            var wait = failure.RetryAfter ?? RetryAfter;
            return new ReconcileResult.Retry(Durations.Max(RetryAfter, Durations.Min(wait, Interval)));
        }
        return new ReconcileResult.After(Interval * (1 + (Spread * random.NextDouble())));
    }

    private async Task<KeyHealth> AskAsync(FollowedKey question, CancellationToken cancellationToken)
    {
        var (key, problem) = await keys.GetAsync(question.Credentials, cancellationToken);
        if (key is null)
            return new KeyHealth.Unknown(problem ?? new Failure(Reasons.KeyServiceFailed, Step));
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
