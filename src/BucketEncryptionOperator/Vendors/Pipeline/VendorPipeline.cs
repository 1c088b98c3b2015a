using System.Collections.Immutable;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// The steps around every call of a vendor, in one list. A step sees a call twice: it admits the call before its first
/// request (in the order of the list), and it runs around each request (the first step outermost).
/// <list type="number">
/// <item><c>endpoint check</c>: fails at once where the endpoint is down, so that no call waits for step 2 or 9 there.
/// </item>
/// <item><c>access key breaker</c>: admits one call with a new key and lets the others wait for its result; refuses a
/// rejected key. Outside of all that follows, because a call that was not sent says nothing about the key.</item>
/// <item><c>result</c>: turns the final answer into what the operation returns.</item>
/// <item><c>clock correction</c>: sends a read again, signed for the endpoint's time. Everything below is repeated.
/// </item>
/// <item><c>key lifetime</c>: refuses a temporary key that has expired while the call waited.</item>
/// <item><c>signature</c>: makes the request. It takes time, so it comes before the checks of this very moment.</item>
/// <item><c>endpoint breaker</c>: lets the request through or fails it, and learns whether an answer came.</item>
/// <item><c>write guard</c>: the last check of a write. From here to the transport nothing is awaited, so that nothing
/// can happen between the check and the send.</item>
/// <item><c>rate limit</c>: admits the call when it has permits for all its requests; counts a request only when it is
/// sent, and learns from the answer.</item>
/// <item><c>metrics</c>: counts and times what is sent, and nothing of the waits before.</item>
/// <item><c>redaction</c>: removes the key from the vendor's words before anything outside sees them.</item>
/// <item><c>answer</c>: reads what the answer means.</item>
/// <item><c>transport</c>: sends the request.</item>
/// </list>
/// Steps that an installation does not need are absent; the order stays.
/// </summary>
internal sealed class VendorPipeline(params ImmutableArray<CallStep> steps)
{
    /// <summary>Names of the steps, the outermost first.</summary>
    public IEnumerable<string> Steps => steps.Select(s => s.Name);

    /// <summary>Builds the pipeline of one vendor.</summary>
    /// <param name="realm">Returns the name of where an endpoint's keys are known.</param>
    /// <param name="meter">Null: nothing is counted.</param>
    public static VendorPipeline For(
        IVendorDialect dialect,
        Func<Uri, string> realm,
        VendorMeter? meter,
        VendorServices services
    ) =>
        new([
            .. OrNone(services.EndpointBreakers, b => new EndpointCheckStep(b)),
            .. OrNone(services.KeyBreakers, b => new AccessKeyBreakerStep(b, realm)),
            new ResultStep(dialect),
            new ClockCorrectionStep(services.Clocks),
            new KeyLifetimeStep(),
            new SignatureStep(dialect, services.Clocks),
            .. OrNone(services.EndpointBreakers, b => new EndpointBreakerStep(b)),
            new WriteGuardStep(services.WriteTime, services.Http.Limit),
            new RateLimitStep(services.Limits),
            .. OrNone(meter, m => new MetricsStep(m)),
            new RedactionStep(),
            new AnswerStep(dialect, services.Clocks),
            new TransportStep(services.Http),
        ]);

    /// <summary>
    /// Builds the pipeline of a vendor's key service: the same steps, as far as they fit a question about a key. No
    /// breaker watches the access key, because a refusal here says nothing about the key at the object store; nothing
    /// is written; and the step <c>answer</c> says all that there is to return.
    /// </summary>
    /// <inheritdoc cref="For"/>
    public static VendorPipeline ForKeyService(
        IKeyServiceDialect dialect,
        VendorMeter? meter,
        VendorServices services
    ) =>
        new([
            .. OrNone(services.EndpointBreakers, b => new EndpointCheckStep(b)),
            new ClockCorrectionStep(services.Clocks),
            new KeyLifetimeStep(),
            new SignatureStep(dialect, services.Clocks, services.Nonce),
            .. OrNone(services.EndpointBreakers, b => new EndpointBreakerStep(b)),
            new RateLimitStep(services.Limits),
            .. OrNone(meter, m => new MetricsStep(m)),
            new RedactionStep(),
            new KeyAnswerStep(dialect, services.Clocks),
            new TransportStep(services.Http),
        ]);

    /// <summary>Admits a call: every step may wait, or refuse it.</summary>
    /// <returns>The call; whoever admitted it disposes of it.</returns>
    /// <exception cref="VendorException">A step refuses the call; nothing was sent.</exception>
    public async Task<CallContext> AdmitAsync(CallContext call, CancellationToken cancellationToken)
    {
        var isAdmitted = false;
        try
        {
            foreach (var step in steps)
                await step.AdmitAsync(call, cancellationToken);
            isAdmitted = true;
            return call;
        }
        finally
        {
            if (!isAdmitted)
                call.Dispose();
        }
    }

    /// <summary>Sends one request of an admitted call through all steps.</summary>
    /// <exception cref="VendorException">The request was not sent, or got no answer.</exception>
    public Task<VendorAnswer> SendAsync(CallRequest request, CancellationToken cancellationToken) =>
        new NextStep(steps, index: 0).SendAsync(request, cancellationToken);

    private static IEnumerable<CallStep> OrNone<T>(T? service, Func<T, CallStep> step)
        where T : class => service is null ? [] : [step(service)];
}

/// <summary>The rest of a pipeline, from one step on.</summary>
internal readonly struct NextStep(ImmutableArray<CallStep> steps, int index)
{
    public Task<VendorAnswer> SendAsync(CallRequest request, CancellationToken cancellationToken) =>
        steps[index].SendAsync(request, new NextStep(steps, index + 1), cancellationToken);
}
