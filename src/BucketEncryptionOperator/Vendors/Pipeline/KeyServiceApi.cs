using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>What one vendor's key service says, each request through the pipeline of that service.</summary>
internal sealed class KeyServiceApi(VendorPipeline pipeline, IKeyServiceDialect dialect) : IKeyServiceApi
{
    /// <summary>Maximum time for one request: nobody waits for its answer, and the next one comes in an hour.</summary>
    internal static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(5);

    public bool MayAsk(KmsKeyName kmsKey) => dialect.MayAsk(kmsKey);

    public async Task<KeyHealth> DescribeAsync(
        KeyServiceAddress service,
        KmsKeyName kmsKey,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        if (!dialect.MayAsk(kmsKey))
            throw new ArgumentException("this key may not be asked for", nameof(kmsKey));
        var question = new KeyQuestion(service, kmsKey);
        if (dialect.Foresee(question) is { } health)
            return health;
        var asked = dialect.Ask(question);
        using var call = await pipeline.AdmitAsync(
            new CallContext(service, key, requests: 1) { Operation = asked.Operation },
            cancellationToken
        );
        var answer = await pipeline.SendAsync(
            new CallRequest(call, asked.Method, asked.Operation)
            {
                Resource = asked.Resource,
                Body = asked.Body,
                Question = question,
                AtMost = MaxTime,
            },
            cancellationToken
        );
        return answer.Health
            ?? throw new VendorException(answer.Problem ?? throw new InvalidOperationException("no answer, no reason"));
    }
}
