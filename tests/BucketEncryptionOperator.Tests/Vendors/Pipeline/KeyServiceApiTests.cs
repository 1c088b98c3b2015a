using System.Net;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>
/// Questions about keys over the wire, for each key service. The server stands behind the vendors' own host names as
/// the proxy.
/// </summary>
public sealed partial class KeyServiceApiTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new(Dialects.Now);
    private readonly Queue<Reply> _replies = new();
    private readonly ScriptedServer _server;
    private readonly VendorHttp _http;
    private readonly VendorLimits _limits;
    private readonly ITestOutputHelper _output;

    public KeyServiceApiTests(ITestOutputHelper output)
    {
        _output = output;
        _server = new ScriptedServer(_ => _replies.TryDequeue(out var reply) ? reply : ScriptedServer.Answer(599));
        _http = Through(_server);
        _limits = new VendorLimits(_time);
    }

    public static TheoryData<string> Services => KeyServices.Names;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _http.Dispose();
        _limits.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task A_key_that_is_enabled_is_usable(string service)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(sample.Enabled));

        Assert.Equal(new KeyHealth.Usable(), await AskAsync(sample));
    }

    [Theory]
    [InlineData("alibaba", "Disabled", "KeyDisabled")]
    [InlineData("alibaba", "PendingDeletion", "KeyPendingDeletion")]
    [InlineData("alibaba", "PendingImport", "KeyPendingImport")]
    [InlineData("aws", "Disabled", "KeyDisabled")]
    [InlineData("aws", "PendingDeletion", "KeyPendingDeletion")]
    [InlineData("aws", "PendingReplicaDeletion", "KeyPendingDeletion")]
    [InlineData("aws", "PendingImport", "KeyPendingImport")]
    [InlineData("aws", "Creating", "KeyUnavailable")]
    [InlineData("aws", "Unavailable", "KeyUnavailable")]
    [InlineData("huawei", "1", "KeyUnavailable", "to be activated")]
    [InlineData("huawei", "3", "KeyDisabled", "disabled")]
    [InlineData("huawei", "4", "KeyPendingDeletion", "scheduled for deletion")]
    [InlineData("huawei", "5", "KeyPendingImport", "waiting for import")]
    [InlineData("jdcloud", "1", "KeyDisabled", "disabled")]
    [InlineData("jdcloud", "2", "KeyPendingDeletion", "scheduled for deletion")]
    [InlineData("minio", "key with given key ID does not exist", "KeyNotFound")]
    [InlineData("minio", "key does not exist", "KeyNotFound")]
    [InlineData("minio", "not authorized: insufficient permissions", "KeyUnavailable")]
    public async Task A_state_in_which_a_key_cannot_be_used_has_a_reason(
        string service,
        string state,
        string reason,
        string? word = null
    )
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(state));

        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample));

        Assert.Equal((reason, word ?? state), (health.Reason.Name, health.VendorState));
        Assert.EndsWith(".", health.Hint, StringComparison.Ordinal);
        Assert.Null(health.DeletionDate);
        Assert.Equal(reason is "KeyDisabled" or "KeyPendingDeletion" or "KeyPendingImport", health.IsDead);
    }

    [Theory]
    [InlineData("alibaba", "Updating")] // AWS's
    [InlineData("alibaba", "enabled")]
    [InlineData("aws", "PendingSomething")]
    [InlineData("huawei", "0")]
    [InlineData("huawei", "6")]
    [InlineData("jdcloud", "3")]
    [InlineData("jdcloud", "-1")]
    [InlineData("minio", "dial tcp 10.0.0.1:7373: connect: connection refused")]
    public async Task A_state_that_is_not_known_is_not_guessed_at(string service, string state)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(state));

        var failure = await FailureOfAsync(sample);

        Assert.Equal(
            (FailureKind.Transient, "KeyServiceFailed", false, false),
            (failure.Kind, failure.Code, failure.IsForeign, failure.IsVendorAnswer)
        );
        Assert.Contains(state, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alibaba", "PendingDeletion", "\"DeleteDate\": \"2026-12-24T05:27:00Z\"", "2026-12-24T05:27:00Z")]
    [InlineData("alibaba", "PendingDeletion", "\"DeleteDate\": \"soon\"", null)]
    [InlineData("alibaba", "PendingDeletion", "\"DeleteDate\": 1798089600", null)]
    [InlineData("aws", "PendingDeletion", "\"DeletionDate\": 1798089600.5", "2026-12-24T05:20:00.5Z")]
    [InlineData("aws", "PendingDeletion", "\"DeletionDate\": \"1798089600\"", null)]
    [InlineData("aws", "PendingDeletion", "\"DeletionDate\": 1e300", null)]
    [InlineData("aws", "PendingDeletion", "\"DeletionDate\": -5", null)]
    [InlineData("huawei", "4", "\"scheduled_deletion_date\": \"1798089600\"", "2026-12-24T05:20:00Z")]
    [InlineData("huawei", "4", "\"scheduled_deletion_date\": \"1798089600000\"", "2026-12-24T05:20:00Z")]
    [InlineData("huawei", "4", "\"scheduled_deletion_date\": \"99999999999999999999\"", null)]
    [InlineData("huawei", "4", "\"scheduled_deletion_date\": \"9223372036854775807\"", null)]
    [InlineData("jdcloud", "2", "\"deleteTime\": \"2026-12-24T05:27:00Z\"", "2026-12-24T05:27:00Z")]
    [InlineData("jdcloud", "2", "\"deleteTime\": null", null)]
    public async Task A_key_that_will_be_deleted_says_when(string service, string state, string field, string? date)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, With(sample.Answer(state), field));

        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample));

        Assert.Equal("KeyPendingDeletion", health.Reason.Name);
        Assert.Equal(date is null ? null : DateTimeOffset.Parse(date, null), health.DeletionDate);
    }

    [Theory]
    [InlineData("alibaba", "PendingImport", "\"MaterialExpireTime\": \"2026-11-20T00:00:00Z\"", true)]
    [InlineData("alibaba", "PendingImport", "\"MaterialExpireTime\": \"2026-11-22T00:00:00Z\"", false)]
    [InlineData("aws", "PendingImport", "\"ValidTo\": 1763000000", true)]
    [InlineData("huawei", "5", "\"expiration_time\": \"1763000000\"", true)]
    public async Task Material_that_has_expired_is_imported_again(
        string service,
        string state,
        string field,
        bool again
    )
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, With(sample.Answer(state), field));

        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample));

        Assert.Equal("KeyPendingImport", health.Reason.Name);
        Assert.Equal(again, health.Hint.Contains("again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("alibaba", "\"KeyUsage\": \"SIGN/VERIFY\"", "SIGN/VERIFY")]
    [InlineData("alibaba", "\"KeySpec\": \"RSA_2048\"", "RSA_2048")]
    [InlineData("aws", "\"KeyUsage\": \"GENERATE_VERIFY_MAC\"", "GENERATE_VERIFY_MAC")]
    [InlineData("aws", "\"KeySpec\": \"RSA_4096\"", "RSA_4096")]
    [InlineData("huawei", "\"key_usage\": \"SIGN_VERIFY\"", "SIGN_VERIFY")]
    [InlineData("huawei", "\"key_spec\": \"EC_P256\"", "EC_P256")]
    public async Task A_key_that_is_not_for_encryption_is_not_usable(string service, string field, string word)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, With(sample.Answer(sample.Enabled), field));

        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample));

        Assert.Equal(("KeyNotForEncryption", word), (health.Reason.Name, health.VendorState));
    }

    [Fact]
    public async Task A_primary_key_that_moves_between_regions_still_works()
    {
        var sample = KeyServices.All["aws"];
        Replies(200, sample, sample.Answer("Updating"));

        Assert.Equal(new KeyHealth.Usable(), await AskAsync(sample));
    }

    [Theory]
    [InlineData("alibaba", "Forbidden.KeyNotFound", "KeyNotFound")]
    [InlineData("alibaba", "Forbidden.AliasNotFound", "KeyNotFound")]
    [InlineData("aws", "NotFoundException", "KeyNotFound")]
    [InlineData("aws", "com.amazonaws.kms#NotFoundException", "KeyNotFound", "NotFoundException")]
    [InlineData("aws", "InvalidArnException", "KeyNotFound")]
    [InlineData("huawei", "KMS.0207", "KeyNotFound")]
    [InlineData("huawei", "KMS.0328", "KeyUnavailable")]
    [InlineData("jdcloud", "NOT_FOUND", "KeyNotFound")]
    [InlineData("minio", "kms:KeyNotFound", "KeyNotFound")]
    public async Task A_code_that_is_about_the_key_has_a_reason(
        string service,
        string code,
        string reason,
        string? word = null
    )
    {
        var sample = KeyServices.All[service];
        Replies(404, sample, sample.Error(code));

        // A colon is not in a code that counts as the store's
        if (service == "minio")
        {
            Assert.True((await FailureOfAsync(sample)).IsForeign);
            return;
        }
        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample));

        Assert.Equal((reason, word ?? code), (health.Reason.Name, health.VendorState));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task A_denial_names_the_right_and_the_key(string service)
    {
        var sample = KeyServices.All[service];
        Replies(service == "aws" ? 400 : 403, sample, sample.Error(sample.Denied.Code));

        var failure = await FailureOfAsync(sample);

        Assert.Equal(
            (FailureKind.Denied, sample.Denied.Code, true, false, "m"),
            (failure.Kind, failure.Code, failure.IsVendorAnswer, failure.ConcernsCredentials, failure.Message)
        );
        Assert.Contains(sample.Denied.Right, failure.Hint, StringComparison.Ordinal);
        Assert.Contains(sample.KmsKey.Id, failure.Hint, StringComparison.Ordinal);
        Assert.Equal(sample.Operation, failure.Operation);
    }

    [Theory]
    [InlineData("alibaba", 404, "InvalidAccessKeyId.NotFound", FailureKind.Denied)]
    [InlineData("alibaba", 400, "Throttling", FailureKind.Throttled)]
    [InlineData("alibaba", 503, "ServiceUnavailableTemporary", FailureKind.Transient)]
    [InlineData("aws", 400, "UnrecognizedClientException", FailureKind.Denied)]
    [InlineData("aws", 400, "ThrottlingException", FailureKind.Throttled)]
    [InlineData("aws", 400, "ValidationException", FailureKind.Refused)]
    [InlineData("aws", 500, "KMSInternalException", FailureKind.Transient)]
    [InlineData("huawei", 401, "APIGW.0301", FailureKind.Denied)]
    [InlineData("huawei", 400, "KMS.0205", FailureKind.Refused)]
    [InlineData("huawei", 503, "KMS.0104", FailureKind.Transient)]
    [InlineData("jdcloud", 401, "UNAUTHENTICATED", FailureKind.Denied)]
    [InlineData("jdcloud", 429, "QUOTA_EXCEEDED", FailureKind.Throttled)]
    [InlineData("minio", 501, "NotImplemented", FailureKind.Refused)]
    [InlineData("minio", 403, "InvalidAccessKeyId", FailureKind.Denied)]
    internal async Task A_code_that_is_not_about_the_key_is_a_failure(
        string service,
        int status,
        string code,
        FailureKind kind
    )
    {
        var sample = KeyServices.All[service];
        Replies(status, sample, sample.Error(code));

        var failure = await FailureOfAsync(sample);

        Assert.Equal((kind, code, true), (failure.Kind, failure.Code, failure.IsVendorAnswer));
        Assert.EndsWith(".", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Huaweis_description_may_be_a_list_of_one()
    {
        var sample = KeyServices.All["huawei"];
        var answer = sample.Answer("3");
        Replies(
            200,
            sample,
            answer
                .Replace("{\"key_id\"", "[{\"key_id\"", StringComparison.Ordinal)
                .Replace("}}", "}]}", StringComparison.Ordinal)
        );

        Assert.Equal("KeyDisabled", Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample)).Reason.Name);
    }

    private IKeyServiceApi Api(KeyServiceSample sample, VendorLimits limits) =>
        new VendorServices(_http, new ServerClocks(_time), limits).ConnectKeyServices([sample.Vendor])[
            sample.Vendor.Name
        ];

    private async Task<KeyHealth> AskAsync(KeyServiceSample sample, KmsKeyName? kmsKey = null, AccessKey? key = null)
    {
        // The clock stands still: a limit that is reached once would last forever
        using var limits = new VendorLimits(_time);
        return await Api(sample, limits)
            .DescribeAsync(
                Plain(sample.Question.Service),
                kmsKey ?? sample.KmsKey,
                key ?? Dialects.Key,
                CancellationToken.None
            );
    }

    private async Task<Failure> FailureOfAsync(KeyServiceSample sample, KmsKeyName? kmsKey = null) =>
        (await Assert.ThrowsAsync<VendorException>(() => AskAsync(sample, kmsKey))).Failure;

    private void Replies(int status, KeyServiceSample sample, string body) =>
        _replies.Enqueue(ScriptedServer.Answer(status, body, sample.Headers));

    private VendorHttp Through(ScriptedServer server) =>
        new("test/1.0", TimeSpan.FromSeconds(10), _time, new VendorRoute { Proxy = new WebProxy(server.Address) });

    /// <summary>The proxy answers plain http only.</summary>
    private static KeyServiceAddress Plain(KeyServiceAddress service) =>
        service with
        {
            Endpoint = new Uri(
                $"http://{service.Endpoint.Host}:{(service.Endpoint.Port == 443 ? 80 : service.Endpoint.Port)}"
            ),
        };

    /// <summary>Returns the description with one field of the key replaced or added.</summary>
    private static string With(string answer, string field)
    {
        var name = field[..(field.IndexOf(':', StringComparison.Ordinal) + 1)];
        var at = answer.IndexOf(name, StringComparison.Ordinal);
        if (at < 0)
            return answer.Insert(answer.IndexOf('}', StringComparison.Ordinal), ", " + field);
        return answer[..at] + field + answer[answer.IndexOfAny([',', '}'], at)..];
    }
}
