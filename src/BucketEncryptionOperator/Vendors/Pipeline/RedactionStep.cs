using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>Removes the access key from what the vendor said was wrong.</summary>
internal sealed class RedactionStep() : CallStep("redaction")
{
    public override async Task<VendorAnswer> SendAsync(
        CallRequest request,
        NextStep next,
        CancellationToken cancellationToken
    )
    {
        var answer = await next.SendAsync(request, cancellationToken);
        return answer.Problem is { } problem
            ? answer with
            {
                Problem = KeyRedaction.Redact(problem, request.Call.Key),
            }
            : answer;
    }
}
