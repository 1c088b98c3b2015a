using System.Xml.Linq;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Turns the vendor's answer into what the operation returns: what a read found, or whether a write is done. A document
/// that repeats the request's secrets is not taken: a later write would send it, and a status may show it. What is
/// searched is the document as it is read: character references and comments hide nothing.
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
        return TextsOf(response).Any(t => KeyRedaction.Repeats(t, request.Call.Key))
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
        return KeyRedaction.Repeats(answer.Document?.Value, request.Call.Key)
            ? RepeatsSecrets(request, response)
            : null;
    }

    /// <summary>
    /// Every text that the document, or one that is made from it, can show: a write keeps attributes, and removes
    /// elements, so that the texts on both sides of one become neighbours.
    /// </summary>
    private static IEnumerable<string> TextsOf(VendorResponse response)
    {
        yield return response.Body;
        if (response.Root is not { } root)
            yield break;
        yield return root.Value;
        foreach (var element in root.DescendantsAndSelf())
        {
            foreach (var attribute in element.Attributes())
                yield return attribute.Value;
            if (element.HasElements)
                yield return string.Concat(element.Nodes().OfType<XText>().Select(t => t.Value));
        }
    }

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
