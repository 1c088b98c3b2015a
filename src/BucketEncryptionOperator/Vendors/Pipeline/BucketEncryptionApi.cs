using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>The three operations in a vendor's dialect.</summary>
/// <param name="writeTime">How long a write may take; null for as long as any request.</param>
/// <param name="metrics">Null where nobody counts.</param>
/// <param name="endpoints">Null where each request is sent, whatever became of those before it.</param>
internal sealed class BucketEncryptionApi(
    VendorHttp http,
    IVendorDialect dialect,
    ServerClocks clocks,
    VendorLimits limits,
    WriteTime? writeTime = null,
    VendorMeter? metrics = null,
    EndpointCircuitBreakers? endpoints = null
) : IBucketEncryptionApi
{
    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        endpoints?.Check(address, AnswerContext.Get); // before a wait for nothing
        using var turn = await limits.EnterAsync(address, key, AnswerContext.Get, requests: 1, cancellationToken);
        return await ReadAsync(new Call(address, key, turn), cancellationToken);
    }

    public async Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        endpoints?.Check(address, AnswerContext.Get);
        var turn = await limits.EnterAsync(address, key, AnswerContext.Get, requests: 2, cancellationToken);
        return new BucketWrite(this, new Call(address, key, turn));
    }

    public string Write(BucketEncryption target, Observation basis) => dialect.Document.Write(target, basis.Document);

    public string? Repeat(Observation observed) =>
        observed.Document is { } document ? dialect.Document.Repeat(document) : null;

    private async Task<Observation> ReadAsync(Call call, CancellationToken cancellationToken)
    {
        var (response, failure) = await SendAsync(
            call,
            HttpMethod.Get,
            body: null,
            AnswerContext.Get,
            lastCheck: null,
            cancellationToken
        );
        // Refused for the time in its signature: once more, signed for the time that the endpoint told. A write is not
        // sent twice: whoever lets us write was asked for one request, now; and a read with the corrected time comes
        // before the next.
        if (CorrectsClock(call, response, failure))
        {
            (response, failure) = await SendAsync(
                call,
                HttpMethod.Get,
                body: null,
                AnswerContext.Get,
                lastCheck: null,
                cancellationToken
            );
        }
        var (observed, problem) = Answers.Observe(dialect, response, failure);
        if (observed is null)
            throw new VendorException(problem ?? throw new InvalidOperationException("neither a value nor a reason"));
        if (!KeyRedaction.Repeats(response.Body, call.Key))
            return observed;
        var repeats = new Failure(Reasons.UnreadableAnswer, AnswerContext.Get)
        {
            HttpStatus = (int)response.Status,
            Message = "The answer repeats the request's secrets.",
        };
        throw new VendorException(KeyRedaction.Redact(repeats, call.Key));
    }

    private bool CorrectsClock(Call call, VendorResponse response, Failure? failure) =>
        failure is { Code: ErrorTable.Skewed } && clocks.Correct(call.Address.Endpoint, response.Headers.Date);

    /// <summary>It was good when the work on the policy began, and the turn was long in coming.</summary>
    private static Failure KeyOver(string operation) =>
        new(Reasons.KeyExpired, operation)
        {
            Message = "The temporary key ended before the request was sent.",
            ConcernsCredentials = true,
            NotSent = true,
        };

    /// <summary>One request. All that takes time to prepare comes before the last check.</summary>
    /// <param name="lastCheck">Of a write; null for a read.</param>
    private async Task<(VendorResponse Response, Failure? Failure)> SendAsync(
        Call call,
        HttpMethod method,
        string? body,
        string operation,
        Func<Failure?>? lastCheck,
        CancellationToken cancellationToken
    )
    {
        var (address, key, turn) = call;
        if (key.Lifetime is { IsOver: true })
            throw new VendorException(KeyOver(operation));
        using var request = dialect.Sign(method, address, key, body, clocks.Now(address.Endpoint));
        using var pass = endpoints?.Enter(address, operation);
        var atMost = lastCheck is null ? TimeSpan.MaxValue : writeTime?.Invoke() ?? TimeSpan.MaxValue;
        if (atMost <= TimeSpan.Zero)
            throw new VendorException(NotLeading.Failure);
        if (lastCheck?.Invoke() is { } stop)
            throw new VendorException(stop with { NotSent = true });
        var sent = turn.Send();
        var context = new AnswerContext(operation)
        {
            SentToken = key.SecurityToken is not null,
            Now = clocks.Now(address.Endpoint),
        };
        var (response, failure) = await MeasureAsync(request, call, context, pass, atMost, cancellationToken);
        sent.Answered(failure);
        return (response, failure);
    }

    private async Task<(VendorResponse Response, Failure? Failure)> MeasureAsync(
        HttpRequestMessage request,
        Call of,
        AnswerContext context,
        EndpointCircuitBreakers.Pass? pass,
        TimeSpan atMost,
        CancellationToken cancellationToken
    )
    {
        using var call = metrics?.Begin(context.Operation, of.Address);
        try
        {
            var response = await http.SendAsync(
                request,
                context.Operation,
                of.Address.CaBundle,
                atMost,
                cancellationToken
            );
            pass?.Answered();
            var failure = Answers.Problem(dialect, response, context) is { } problem
                ? KeyRedaction.Redact(problem, of.Key)
                : null;
            call?.Ended(failure);
            return (response, failure);
        }
        catch (VendorException e)
        {
            call?.Ended(e.Failure);
            // the end of the lease is not the endpoint's fault
            if (pass is null || (Reasons.Timeout.Is(e.Failure.Code) && atMost < http.Limit))
                throw;
            throw new VendorException(pass.Failed(e.Failure));
        }
    }

    /// <param name="Turn">The permits of the requests.</param>
    private readonly record struct Call(BucketAddress Address, AccessKey Key, AdaptiveRateLimiter.Permit Turn);

    private sealed class BucketWrite(BucketEncryptionApi api, Call call) : IBucketWrite
    {
        private bool _written;

        public Task<Observation> GetAsync(CancellationToken cancellationToken) =>
            _written
                ? throw new InvalidOperationException("the read comes before the write")
                : api.ReadAsync(call, cancellationToken);

        public Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync(HttpMethod.Put, document, AnswerContext.Put, lastCheck, cancellationToken);

        public Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync(HttpMethod.Delete, document: null, AnswerContext.Delete, lastCheck, cancellationToken);

        public void Dispose() => call.Turn.Dispose();

        private async Task WriteAsync(
            HttpMethod method,
            string? document,
            string operation,
            Func<Failure?> lastCheck,
            CancellationToken cancellationToken
        )
        {
            if (_written)
                throw new InvalidOperationException("one write at most");
            _written = true;
            // nothing can follow: a read that confirms the write needs the slot, where a store has but one
            using var turn = call.Turn;
            var (response, failure) = await api.SendAsync(
                call,
                method,
                document,
                operation,
                lastCheck,
                cancellationToken
            );
            _ = api.CorrectsClock(call, response, failure); // for the next read
            if (failure is not null && !Answers.IsDone(failure, operation))
                throw new VendorException(failure);
        }
    }
}
