using System.Globalization;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>The steps of the pipeline, as far as a question has them.</summary>
public sealed partial class KeyServiceApiTests
{
    [Fact]
    public void The_steps_are_those_of_every_call_without_what_is_for_buckets()
    {
        using var breakers = new EndpointCircuitBreakers(_time);
        var services = new VendorServices(_http, new ServerClocks(_time), _limits)
        {
            EndpointBreakers = breakers,
            KeyBreakers = new AccessKeyCircuitBreakers(_time),
        };

        Assert.Equal(
            [
                "endpoint check",
                "clock correction",
                "key lifetime",
                "signature",
                "endpoint breaker",
                "rate limit",
                "redaction",
                "answer",
                "transport",
            ],
            VendorPipeline.ForKeyService(KeyServices.All["aws"].Vendor.KeyService.Dialect, meter: null, services).Steps
        );
    }

    /// <summary>The object store may take the key all the same.</summary>
    [Theory]
    [MemberData(nameof(Services))]
    public async Task A_denial_does_not_reject_the_access_key(string service)
    {
        var sample = KeyServices.All[service];
        var breakers = new AccessKeyCircuitBreakers(_time);
        var services = new VendorServices(_http, new ServerClocks(_time), _limits) { KeyBreakers = breakers };
        var api = services.ConnectKeyServices([sample.Vendor])[sample.Vendor.Name];

        for (var i = 0; i < 3; i++)
        {
            Replies(403, sample, sample.Error(sample.Denied.Code));
            await Assert.ThrowsAsync<VendorException>(() =>
                api.DescribeAsync(Plain(sample.Question.Service), sample.KmsKey, Dialects.Key, CancellationToken.None)
            );
        }

        Assert.Equal(3, _server.Requests.Count);
    }

    [Theory]
    [InlineData("alibaba", 400, "InvalidTimeStamp.Expired")]
    [InlineData("alibaba", 400, "IllegalTimestamp")]
    [InlineData("aws", 400, "InvalidSignatureException")]
    [InlineData("huawei", 401, "APIGW.0301")]
    [InlineData("jdcloud", 401, "UNAUTHENTICATED")]
    [InlineData("minio", 403, "RequestTimeTooSkewed")]
    public async Task A_wrong_clock_is_corrected_by_the_answer(string service, int status, string code)
    {
        var sample = KeyServices.All[service];
        string[] headers =
        [
            .. sample.Headers,
            string.Create(CultureInfo.InvariantCulture, $"Date: {Dialects.Now.AddHours(2):R}"),
        ];
        _replies.Enqueue(ScriptedServer.Answer(status, sample.Error(code), headers));
        Replies(200, sample, sample.Answer(sample.Enabled));

        Assert.Equal(new KeyHealth.Usable(), await AskAsync(sample));
        Assert.Equal(2, _server.Requests.Count);
        Assert.DoesNotContain(
            _server.Requests.Last().Split("\r\n"),
            line =>
                line.Contains("T014757Z", StringComparison.Ordinal)
                || line.Contains("T01%3A47", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_signature_that_is_refused_at_the_right_time_is_sent_once()
    {
        var sample = KeyServices.All["aws"];
        string[] headers =
        [
            .. sample.Headers,
            string.Create(CultureInfo.InvariantCulture, $"Date: {Dialects.Now.AddMinutes(1):R}"),
        ];
        _replies.Enqueue(ScriptedServer.Answer(400, sample.Error("InvalidSignatureException"), headers));

        Assert.Equal("InvalidSignatureException", (await FailureOfAsync(sample)).Code);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_temporary_key_that_is_over_is_not_sent()
    {
        var key = Dialects.Temporary with
        {
            Lifetime = new KeyLifetime(TimeSpan.FromHours(1), _time.GetTimestamp(), _time),
        };
        _time.Advance(TimeSpan.FromHours(1));

        var thrown = await Assert.ThrowsAsync<VendorException>(() => AskAsync(KeyServices.All["aws"], key: key));

        Assert.Equal(("KeyExpired", true), (thrown.Failure.Code, thrown.Failure.NotSent));
        Assert.Empty(_server.Requests);
    }

    /// <summary>Eleven at once: ten go, and the eleventh waits for the average rate.</summary>
    [Fact]
    public async Task A_key_service_has_a_low_rate_of_its_own()
    {
        var sample = KeyServices.All["minio"];
        var api = Api(sample, _limits);
        for (var i = 0; i < KeyServiceAddress.DefaultLimit.Burst + 1; i++)
            Replies(200, sample, sample.Answer(sample.Enabled));

        for (var i = 0; i < KeyServiceAddress.DefaultLimit.Burst; i++)
            await DescribeAsync();
        var next = DescribeAsync();
        // The object store at the same endpoint is not slowed down.
        var store = new StoreAddress(
            sample.Question.Service.Endpoint,
            sample.Question.Service.Region,
            Addressing.Path,
            VendorOptions.None
        );
        using (await _limits.EnterAsync(store, Dialects.Key, "o", requests: 1, CancellationToken.None).Within())
            Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(new KeyHealth.Usable(), await next.Within());

        Task<KeyHealth> DescribeAsync() =>
            api.DescribeAsync(Plain(sample.Question.Service), sample.KmsKey, Dialects.Key, CancellationToken.None);
    }

    /// <summary>Its breaker is its own, and nobody is told: no bucket waits for it.</summary>
    [Fact]
    public async Task A_key_service_that_is_down_does_not_take_the_object_store_with_it()
    {
        using var breakers = new EndpointCircuitBreakers(_time);
        var told = new List<EndpointChange>();
        breakers.Listen((_, change) => told.Add(change));
        var sample = KeyServices.All["minio"];
        var service = sample.Question.Service with { Endpoint = new Uri("http://127.0.0.1:1") };
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), _time);
        var services = new VendorServices(http, new ServerClocks(_time), _limits) { EndpointBreakers = breakers };
        var api = services.ConnectKeyServices([sample.Vendor])[sample.Vendor.Name];

        Failure? last = null;
        for (var i = 0; i < 4; i++)
        {
            last = (
                await Assert.ThrowsAsync<VendorException>(() =>
                    api.DescribeAsync(service, sample.KmsKey, Dialects.Key, CancellationToken.None)
                )
            ).Failure;
        }
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(("EndpointDown", true), (last?.Code, last?.NotSent));
        Assert.Null(
            Record.Exception(() =>
                breakers.Check(
                    new StoreAddress(service.Endpoint, service.Region, Addressing.Path, VendorOptions.None),
                    "o"
                )
            )
        );
        Assert.Empty(told);
    }
}
