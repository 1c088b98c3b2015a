using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Turns the vendor's answer into what the operation returns: what a read found, or whether a write is done. A document
/// that repeats the request's secrets is not taken: a later write would send it, and a status may show it. What is
/// searched is the document's text as it is read, without references and comments, which could hide a secret.
/// </summary>
internal sealed class ResultStep(IVendorDialect dialect) : CallStep("result")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var answer = await next.SendAsync(request, cancellationToken);
        if (request.IsWrite)
            return answer with { Error = Answers.IsDone(answer.Problem, request.Operation) ? null : answer.Problem };
        if (request.Expected is not null)
            return answer with { Error = ErrorOf(request, answer) };
        var response = answer.Response ?? throw new InvalidOperationException("an answer without a response");
        var (observed, problem) = Answers.Observe(dialect, response, answer.Problem);
        if (observed is null)
            return answer with { Error = problem ?? throw new InvalidOperationException("no value and no reason") };
        return Repeats(response.Body, request) || Repeats(response.Root?.Value, request)
            ? answer with
            {
                Error = RepeatsSecrets(request, response),
            }
            : answer with
            {
                Observed = observed,
            };
    }

    /// <summary>Why a read of an account has failed. Only texts of its document can become names or tags.</summary>
    private static Failure? ErrorOf(CallRequest request, VendorAnswer answer)
    {
        if (answer.Problem is { } problem)
            return ErrorTable.SaysNoTags(problem) ? null : problem;
        var response = answer.Response ?? throw new InvalidOperationException("an answer without a response");
        return Repeats(answer.Document?.Value, request) ? RepeatsSecrets(request, response) : null;
    }

    private static bool Repeats(string? text, CallRequest request) => KeyRedaction.Repeats(text, request.Call.Key);

    private static Failure RepeatsSecrets(CallRequest request, VendorResponse response) =>
        KeyRedaction.Redact(
            new Failure(Reasons.UnreadableAnswer, request.Operation)
            {
                HttpStatus = (int)response.Status,
                Message = "The answer repeats the request's secrets.",
            },
            request.Call.Key
        );
}
