using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Reads what the vendor's answer means.</summary>
internal sealed class AnswerStep(IVendorDialect dialect, ServerClocks clocks) : CallStep("answer")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var context = new AnswerContext(request.Operation)
        {
            SentToken = request.Call.Key.SecurityToken is not null,
            Now = clocks.Now(request.Address.Endpoint),
        };
        var answer = await next.SendAsync(request, cancellationToken);
        var response = answer.Response ?? throw new InvalidOperationException("an answer without a response");
        var (document, problem) = request.Expected is { } expected
            ? Answers.Read(dialect, response, expected, context)
            : new(Value: null, Answers.Problem(dialect, response, context));
        return answer with { Document = document, Problem = problem, IsSkewed = problem?.Code == ErrorTable.Skewed };
    }
}
