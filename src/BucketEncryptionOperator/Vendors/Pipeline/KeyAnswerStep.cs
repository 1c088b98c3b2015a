using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Reads what the answer of a key service means. An answer that repeats the request's secrets is not taken: parts of it
/// may be shown.
/// </summary>
internal sealed class KeyAnswerStep(IKeyServiceDialect dialect, ServerClocks clocks) : CallStep("answer")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var question = request.Question ?? throw new InvalidOperationException("a request without a question");
        var context = new AnswerContext(request.Operation)
        {
            SentToken = request.Call.Key.SecurityToken is not null,
            Now = clocks.Now(request.Address.Endpoint),
        };
        var answer = await next.SendAsync(request, cancellationToken);
        var response = answer.Response ?? throw new InvalidOperationException("an answer without a response");
        var read = dialect.Read(question, response, context);
        if (read.Health is not null && Repeats(response.Body, read.Health, request.Call.Key))
            read = KeyFailures.NotUnderstood(response, context, "The answer repeats the request's secrets.");
        return answer with { Health = read.Health, Problem = read.Failure, IsSkewed = read.IsSkewed };
    }

    /// <summary>In the body as it came, or in what was read from it, where no escape hides it.</summary>
    private static bool Repeats(string body, KeyHealth health, AccessKey key) =>
        KeyRedaction.Repeats(body, key)
        || health is KeyHealth.Unusable unusable && KeyRedaction.Repeats(unusable.VendorState, key);
}
