using System.Diagnostics.Metrics;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed class VendorPipelineTests
{
    private static readonly BucketAddress Address = new(
        "finance-archive",
        new Uri("https://store.example"),
        "region-1",
        Addressing.Path,
        VendorOptions.None
    );

    private readonly ManualTimeProvider _time = new();

    /// <summary>Why the order is so: the summary of <see cref="VendorPipeline"/>.</summary>
    [Fact]
    public void The_steps_have_the_documented_order()
    {
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), _time);
        using var limits = new VendorLimits(_time);
        using var endpoints = new EndpointCircuitBreakers(_time);
        using var metrics = new Meter("pipeline");
        var services = new VendorServices(http, new ServerClocks(_time), limits)
        {
            KeyBreakers = new AccessKeyCircuitBreakers(_time),
            EndpointBreakers = endpoints,
        };
        var vendor = VendorCatalog.All[0];

        var pipeline = VendorPipeline.For(
            vendor.Dialect,
            vendor.Realm,
            new VendorMetrics(metrics, _time).Of(vendor),
            services
        );

        Assert.Equal(
            [
                "endpoint check",
                "access key breaker",
                "result",
                "clock correction",
                "key lifetime",
                "signature",
                "endpoint breaker",
                "write guard",
                "rate limit",
                "metrics",
                "redaction",
                "answer",
                "transport",
            ],
            pipeline.Steps
        );
    }

    [Fact]
    public async Task Steps_admit_a_call_in_order_and_surround_its_requests_the_first_one_outermost()
    {
        var log = new List<string>();
        var pipeline = new VendorPipeline(
            new Recording("first", log),
            new Recording("second", log),
            new Recording("last", log) { Answers = true }
        );

        using (
            var call = await pipeline.AdmitAsync(
                new CallContext(Address, Dialects.Key, requests: 1),
                CancellationToken.None
            )
        )
            await pipeline.SendAsync(new CallRequest(call, HttpMethod.Get, AnswerContext.Get), CancellationToken.None);

        Assert.Equal(
            [
                "first admits",
                "second admits",
                "last admits",
                "first sends",
                "second sends",
                "last sends",
                "last answered",
                "second answered",
                "first answered",
                "last released",
                "second released",
                "first released",
            ],
            log
        );
    }

    [Fact]
    public async Task A_step_that_refuses_a_call_releases_what_the_steps_before_it_hold()
    {
        var log = new List<string>();
        var pipeline = new VendorPipeline(
            new Recording("first", log),
            new Recording("second", log) { Refuses = true },
            new Recording("last", log) { Answers = true }
        );

        await Assert.ThrowsAsync<VendorException>(() =>
            pipeline.AdmitAsync(new CallContext(Address, Dialects.Key, requests: 1), CancellationToken.None)
        );

        Assert.Equal(["first admits", "second admits", "first released"], log);
    }

    /// <summary>A read that confirms a write needs the slot, where a store allows only one request at a time.</summary>
    [Fact]
    public async Task A_write_ends_its_call_before_the_caller_disposes_of_it()
    {
        var log = new List<string>();
        var api = new BucketEncryptionApi(
            new VendorPipeline(new Recording("only", log) { Answers = true }),
            Dialects.All["s3"].Document
        );

        using (var write = await api.BeginWriteAsync(Address, Dialects.Key, CancellationToken.None))
        {
            await write.DeleteAsync(() => null, CancellationToken.None);
            log.Add("written");
        }

        Assert.Equal(["only admits", "only sends", "only answered", "only released", "written"], log);
    }

    private sealed class Recording(string name, List<string> log) : CallStep(name)
    {
        public bool Refuses { get; init; }

        public bool Answers { get; init; }

        public override ValueTask AdmitAsync(CallContext call, CancellationToken cancellationToken)
        {
            log.Add($"{Name} admits");
            if (Refuses)
                throw new VendorException(new Failure(FailureKind.Throttled, AnswerContext.Get, "Refused"));
            call.Hold(new Held(Name, log));
            return ValueTask.CompletedTask;
        }

        public override async Task<VendorAnswer> SendAsync(
            CallRequest request,
            NextStep next,
            CancellationToken cancellationToken
        )
        {
            log.Add($"{Name} sends");
            var answer = Answers ? new VendorAnswer() : await next.SendAsync(request, cancellationToken);
            log.Add($"{Name} answered");
            return answer;
        }
    }

    private sealed class Held(string name, List<string> log) : IDisposable
    {
        public void Dispose() => log.Add($"{name} released");
    }
}
