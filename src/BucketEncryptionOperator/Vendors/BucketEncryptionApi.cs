using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>The three operations in a vendor's dialect.</summary>
/// <param name="mayWrite">Asked when a write's turn has come, with nothing between the answer and the request but its signature.</param>
/// <param name="metrics">Null where nobody counts.</param>
internal sealed class BucketEncryptionApi(
    VendorHttp http, IVendorDialect dialect, ServerClocks clocks, VendorLimits limits, WriteGuard mayWrite, VendorMeter? metrics = null) : IBucketEncryptionApi
{
    /// <summary>Vendors' have hundreds of characters; shorter ones would be found in any text.</summary>
    private const int ShortestToken = 8;

    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        var (response, failure) = await SendAsync(HttpMethod.Get, address, key, body: null, AnswerContext.Get, cancellationToken);
        var (observed, problem) = Answers.Observe(dialect, response, failure);
        return observed ?? throw new VendorException(problem ?? throw new InvalidOperationException("neither a value nor a reason"));
    }

    public async Task PutAsync(BucketAddress address, AccessKey key, string document, CancellationToken cancellationToken)
    {
        var (_, failure) = await SendAsync(HttpMethod.Put, address, key, document, AnswerContext.Put, cancellationToken);
        if (failure is not null)
            throw new VendorException(failure);
    }

    public async Task DeleteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        var (_, failure) = await SendAsync(HttpMethod.Delete, address, key, body: null, AnswerContext.Delete, cancellationToken);
        if (failure is not null && !Answers.IsDone(failure, AnswerContext.Delete))
            throw new VendorException(failure);
    }

    public string Write(BucketEncryption target, Observation basis) => dialect.Document.Write(target, basis.Document);

    public string? Repeat(Observation observed) => observed.Document is { } document ? dialect.Document.Repeat(document) : null;

    /// <summary>
    /// One request. A read that was refused for the time in its signature is sent once more, signed for the time that the endpoint
    /// told. A write is not: whoever lets us write was asked for one request, now; and a read with the corrected time comes before the next.
    /// </summary>
    private async Task<(VendorResponse Response, Failure? Failure)> SendAsync(
        HttpMethod method, BucketAddress address, AccessKey key, string? body, string operation, CancellationToken cancellationToken)
    {
        var (response, failure) = await SendOnceAsync(method, address, key, body, operation, cancellationToken);
        return failure is { Code: ErrorTable.Skewed } && clocks.Correct(address.Endpoint, response.Headers.Date) && method == HttpMethod.Get
            ? await SendOnceAsync(method, address, key, body, operation, cancellationToken)
            : (response, failure);
    }

    /// <summary>It was good when the work on the policy began, and the turn was long in coming.</summary>
    private static Failure KeyOver(string operation) => new(FailureKind.Transient, operation, "KeyExpired")
    {
        Message = "The temporary key ended before the request was sent.",
        ConcernsCredentials = true,
    };

    private async Task<(VendorResponse Response, Failure? Failure)> SendOnceAsync(
        HttpMethod method, BucketAddress address, AccessKey key, string? body, string operation, CancellationToken cancellationToken)
    {
        using var turn = await limits.EnterAsync(address, key, operation, cancellationToken);
        if (method != HttpMethod.Get && !mayWrite())
            throw new VendorException(NotLeading.Failure);
        if (key.Lifetime is { IsOver: true })
            throw new VendorException(KeyOver(operation));
        using var request = dialect.Sign(method, address, key, body, clocks.Now(address.Endpoint));
        var context = new AnswerContext(operation) { SentToken = key.SecurityToken is not null, Now = clocks.Now(address.Endpoint) };
        var (response, failure) = await MeasureAsync(request, address, context, cancellationToken);
        // A careless endpoint, or one that is not the vendor's, may say what it was told.
        if (key.SecurityToken is { Length: >= ShortestToken } token && failure?.Message?.Contains(token, StringComparison.Ordinal) == true)
            failure = failure with { Message = null };
        turn.Answered(failure);
        return (response, failure);
    }

    private async Task<(VendorResponse Response, Failure? Failure)> MeasureAsync(
        HttpRequestMessage request, BucketAddress address, AnswerContext context, CancellationToken cancellationToken)
    {
        using var call = metrics?.Begin(context.Operation, address);
        try
        {
            var response = await http.SendAsync(request, context.Operation, address.CaBundle, cancellationToken);
            var failure = Answers.Problem(dialect, response, context);
            call?.Ended(failure);
            return (response, failure);
        }
        catch (VendorException e)
        {
            call?.Ended(e.Failure);
            throw;
        }
    }
}
