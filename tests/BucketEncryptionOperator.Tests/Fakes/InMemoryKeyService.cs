using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>A key service in memory: keys with a state, and faults. A key that it does not have is not found.</summary>
internal sealed class InMemoryKeyService : IKeyServiceApi
{
    private readonly Lock _gate = new();
    private readonly List<(string Key, string AccessKey)> _calls = [];

    /// <summary>False: no key may be asked for, as where a vendor has no key service.</summary>
    public bool IsThere { get; set; }

    public Dictionary<string, KeyHealth> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>From a question and its access key, why there is no answer; null where there is one.</summary>
    public Func<KmsKeyName, AccessKey, Failure?> Faults { get; set; } = (_, _) => null;

    /// <summary>Answers wait for it.</summary>
    public Task Answers { get; set; } = Task.CompletedTask;

    public IReadOnlyList<(string Key, string AccessKey)> Calls
    {
        get
        {
            lock (_gate)
                return [.. _calls];
        }
    }

    public static KeyHealth.Unusable Unusable(Reason reason, DateTimeOffset? deletion = null) =>
        new(reason, reason.Name["Key".Length..]) { Hint = "Mend the key.", DeletionDate = deletion };

    public bool MayAsk(KmsKeyName kmsKey) => IsThere && !kmsKey.Id.StartsWith("alias/aws/", StringComparison.Ordinal);

    public async Task<KeyHealth> DescribeAsync(
        KeyServiceAddress service,
        KmsKeyName kmsKey,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        lock (_gate)
            _calls.Add((kmsKey.Id, key.Id));
        await Answers.WaitAsync(cancellationToken);
        return Faults(kmsKey, key) is { } failure
            ? throw new VendorException(failure)
            : Keys.GetValueOrDefault(kmsKey.Id) ?? Unusable(Reasons.KeyNotFound);
    }
}
