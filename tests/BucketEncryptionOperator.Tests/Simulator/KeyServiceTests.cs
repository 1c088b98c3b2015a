using System.Text.Json.Nodes;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using TestKit;
using SimulatedKeys = ObjectStoreSimulator.State.KmsKeys;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>What the simulated key services answer and refuse, each in its vendor's words.</summary>
public sealed class KeyServiceTests
{
    private const string Id = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";
    private const string AtAlibaba = nameof(Vendor.AlibabaOSS);
    private const string AtHuawei = nameof(Vendor.HuaweiOBS);
    private const string AtJDCloud = nameof(Vendor.JDCloudOSS);
    private const string AtAws = nameof(Vendor.S3);
    private const string AtMinio = nameof(Vendor.MinIO);

    public static TheoryData<string> Vendors => [.. Enum.GetNames<Vendor>()];

    [Theory]
    [InlineData(AtAlibaba, "Enabled", "KeyMetadata.KeyState", "Enabled")]
    [InlineData(AtAlibaba, "PendingImport", "KeyMetadata.KeyState", "PendingImport")]
    [InlineData(AtAlibaba, "PendingDeletion", "KeyMetadata.DeleteDate", "2026-12-24T08:30:00Z")]
    [InlineData(AtAws, "Disabled", "KeyMetadata.KeyState", "Disabled")]
    [InlineData(AtAws, "Disabled", "KeyMetadata.Enabled", "false")]
    [InlineData(AtAws, "PendingDeletion", "KeyMetadata.DeletionDate", "1798101000")]
    [InlineData(AtHuawei, "ToBeActivated", "key_info.key_state", "1")]
    [InlineData(AtHuawei, "Enabled", "key_info.key_state", "2")]
    [InlineData(AtHuawei, "Disabled", "key_info.key_state", "3")]
    [InlineData(AtHuawei, "PendingDeletion", "key_info.key_state", "4")]
    [InlineData(AtHuawei, "PendingDeletion", "key_info.scheduled_deletion_date", "1798101000000")]
    [InlineData(AtHuawei, "PendingImport", "key_info.key_state", "5")]
    [InlineData(AtHuawei, "9", "key_info.key_state", "9")]
    [InlineData(AtJDCloud, "Enabled", "result.keyInfo.keyStatus", "0")]
    [InlineData(AtJDCloud, "Disabled", "result.keyInfo.keyStatus", "1")]
    [InlineData(AtJDCloud, "PendingDeletion", "result.keyInfo.keyStatus", "2")]
    [InlineData(AtJDCloud, "7", "result.keyInfo.keyStatus", "7")]
    [InlineData(AtMinio, "Enabled", "encryption-error", "")]
    [InlineData(AtMinio, "Disabled", "encryption-error", "key is not usable: Disabled")]
    public async Task A_state_is_told_in_the_vendors_words(string at, string state, string path, string word)
    {
        await using World world = await World.StartAsync(at);
        await world.Admin.SetKmsKeyAsync(
            Id,
            new SimulatedKmsKey
            {
                State = state,
                DeletionDate =
                    state == "PendingDeletion" ? new DateTimeOffset(2026, 12, 24, 8, 30, 0, TimeSpan.Zero) : null,
            }
        );

        (int status, string body, _) = await world.Client.DescribeAsync(new(Id));

        Assert.True(status == 200, body);
        Assert.Equal(word, Part(body, path));
    }

    [Theory]
    [InlineData(AtAlibaba, 404, "Forbidden.KeyNotFound")]
    [InlineData(AtHuawei, 404, "KMS.0207")]
    [InlineData(AtJDCloud, 404, "NOT_FOUND")]
    [InlineData(AtAws, 400, "NotFoundException")]
    [InlineData(AtMinio, 200, "key with given key ID does not exist")]
    public async Task A_key_that_was_removed_is_not_there(string at, int status, string word)
    {
        await using World world = await World.StartAsync(at);
        await world.Admin.RemoveKmsKeyAsync(Id);

        (int got, string body, _) = await world.Client.DescribeAsync(new(Id));

        Assert.Equal(status, got);
        Assert.Contains($"\"{word}\"", body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_key_that_nobody_has_set_is_enabled(string at)
    {
        await using World world = await World.StartAsync(at);

        (int status, string body, _) = await world.Client.DescribeAsync(new(Id));

        Assert.Equal(200, status);
        Assert.DoesNotContain("error", body, StringComparison.Ordinal);
        Assert.Contains(Id, body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AtAlibaba, 403, "Forbidden.NoPermission")]
    [InlineData(AtHuawei, 403, "KMS.0306")]
    [InlineData(AtJDCloud, 403, "PERMISSION_DENIED")]
    [InlineData(AtAws, 400, "AccessDeniedException")]
    [InlineData(AtMinio, 403, "AccessDenied")]
    public async Task A_right_is_missing_by_key_and_by_rule(string at, int status, string code)
    {
        await using World world = await World.StartAsync(at);
        await world.Admin.SetKmsKeyAsync(Id, new SimulatedKmsKey { MayDescribe = ["other"] });
        (int byKey, string bodyByKey, _) = await world.Client.DescribeAsync(new(Id));
        await world.Admin.SetKmsKeyAsync(Id, new SimulatedKmsKey { MayDescribe = ["ak"] });
        (int allowed, _, _) = await world.Client.DescribeAsync(new(Id));
        await world.Admin.DenyAsync(new TestKit.DenyRule { Operations = [StoreOperations.DescribeKey], KmsKey = Id });

        (int byRule, string bodyByRule, _) = await world.Client.DescribeAsync(new(Id));

        Assert.Equal((status, 200, status), (byKey, allowed, byRule));
        Assert.All([bodyByKey, bodyByRule], body => Assert.Contains($"\"{code}\"", body, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(AtAlibaba, 400, "SignatureDoesNotMatch", 400, "IllegalTimestamp", 404, "InvalidAccessKeyId.NotFound")]
    [InlineData(AtHuawei, 401, "APIGW.0301", 401, "APIGW.0301", 401, "APIGW.0301")]
    [InlineData(AtJDCloud, 401, "UNAUTHENTICATED", 401, "UNAUTHENTICATED", 401, "UNAUTHENTICATED")]
    [InlineData(
        AtAws,
        400,
        "InvalidSignatureException",
        400,
        "InvalidSignatureException",
        400,
        "UnrecognizedClientException"
    )]
    [InlineData(AtMinio, 403, "SignatureDoesNotMatch", 403, "RequestTimeTooSkewed", 403, "InvalidAccessKeyId")]
    public async Task Signatures_and_clocks_are_checked(
        string at,
        int wrongStatus,
        string wrong,
        int lateStatus,
        string late,
        int unknownStatus,
        string unknown
    )
    {
        await using World world = await World.StartAsync(at);

        (int, string, HttpResponseMessage)[] answers =
        [
            await world.Client.DescribeAsync(new(Id) { Secret = "wrong" }),
            await world.Client.DescribeAsync(new(Id) { ClockOff = TimeSpan.FromMinutes(-16) }),
            await world.Client.DescribeAsync(new(Id) { ClockOff = TimeSpan.FromMinutes(16) }),
            await world.Client.DescribeAsync(new(Id) { Id = "nobody" }),
        ];

        Assert.Equal([wrongStatus, lateStatus, lateStatus, unknownStatus], answers.Select(a => a.Item1));
        Assert.All(
            answers.Zip([wrong, late, late, unknown]),
            pair => Assert.Contains($"\"{pair.Second}\"", pair.First.Item2, StringComparison.Ordinal)
        );
        Assert.Equal(4, (await world.Admin.GetCountersAsync()).Descriptions(Id));
    }

    [Theory]
    [InlineData(AtAlibaba, false, "SignatureNonceUsed")]
    [InlineData(AtAlibaba, true, "SignatureNonceUsed")]
    [InlineData(AtJDCloud, false, "UNAUTHENTICATED")]
    public async Task A_nonce_is_good_once(string at, bool acs3, string code)
    {
        await using World world = await World.StartAsync(at);
        KeyQuestionOf question = new(Id) { Nonce = "the-same", Acs3 = acs3 };

        (int first, string firstBody, _) = await world.Client.DescribeAsync(question);
        (_, string second, _) = await world.Client.DescribeAsync(question);

        Assert.True(first == 200, firstBody);
        Assert.Contains($"\"{code}\"", second, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "x-acs-")]
    public async Task Alibabas_service_takes_both_signatures(bool acs3, string headers)
    {
        await using World world = await World.StartAsync(AtAlibaba);

        (int status, string body, _) = await world.Client.DescribeAsync(new("alias/finance") { Acs3 = acs3 });

        Assert.True(status == 200, body);
        TestKit.RecordedRequest request = Assert.Single(await world.Admin.GetRequestsAsync());
        Assert.Equal(
            (StoreOperations.DescribeKey, "alias/finance", "ak"),
            (request.Operation, request.KmsKey, request.AccessKeyId)
        );
        Assert.Equal(
            acs3,
            request.Headers.Any(h => headers.Length > 0 && h.Key.StartsWith(headers, StringComparison.Ordinal))
        );
        Assert.True(acs3 || request.Target.EndsWith("&Signature=***", StringComparison.Ordinal), request.Target);
    }

    [Theory]
    [InlineData(AtAlibaba, "kms.cn-shanghai.aliyuncs.com", null, "Forbidden.KeyNotFound")]
    [InlineData(AtAws, "kms.us-east-1.amazonaws.com", "us-east-1", "NotFoundException")]
    [InlineData(AtHuawei, "kms.cn-south-1.myhuaweicloud.com", null, "KMS.0207")]
    public async Task A_key_of_another_region_is_not_there(string at, string host, string? region, string code)
    {
        await using World world = await World.StartAsync(at);
        await world.Admin.SetKmsKeyAsync(Id, new SimulatedKmsKey { Region = "eu-west-1" });

        (_, string body, _) = await world.Client.DescribeAsync(new(Id) { Host = host, Region = region });

        Assert.Contains($"\"{code}\"", body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task Another_accounts_key_is_not_shown(string at)
    {
        await using World world = await World.StartAsync(at);
        await world.Admin.SetKmsKeyAsync(Id, new SimulatedKmsKey { Owner = "210987654321" });

        (int status, string body, _) = await world.Client.DescribeAsync(new(Id));

        Assert.True(status >= 400, body);
    }

    [Fact]
    public async Task Another_project_has_other_keys()
    {
        await using World world = await World.StartAsync(AtHuawei);
        await world.Admin.SetKmsKeyAsync(Id, new SimulatedKmsKey { ProjectId = "p-1" });

        (int here, _, _) = await world.Client.DescribeAsync(new(Id));
        (int there, _, _) = await world.Client.DescribeAsync(new(Id) { Project = "p-2" });
        (int bad, string body, _) = await world.Client.DescribeAsync(new("short"));

        Assert.Equal((200, 404, 400), (here, there, bad));
        Assert.Contains("\"KMS.0205\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MinIO_without_a_KMS_has_no_key_status()
    {
        await using World world = await World.StartAsync(AtMinio);
        await world.Admin.SetAccountAsync("ak", new SimulatedAccount("sk") { KmsEnabled = false });

        (int status, string body, _) = await world.Client.DescribeAsync(new(Id));

        Assert.Equal(501, status);
        Assert.Contains("\"NotImplemented\"", body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task It_breaks_like_the_store_and_is_counted_apart(string at)
    {
        await using World world = await World.StartAsync(at);
        TestKit.FaultRule rule = new(FaultActions.Error) { Operations = [StoreOperations.DescribeKey], Times = 1 };
        await world.Admin.InjectAsync(rule with { Status = 503, Code = "Busy" });
        await world.Admin.InjectAsync(rule with { Action = FaultActions.Page });
        await world.Admin.InjectAsync(rule with { Action = FaultActions.Redirect, Location = "http://127.0.0.1:1/" });
        await world.Admin.InjectAsync(
            rule with
            {
                Action = FaultActions.Page,
                Status = 201,
                ContentType = "application/json",
                Body = "[1]",
            }
        );

        List<(int Status, string Body, HttpResponseMessage Answer)> answers = [];
        for (int i = 0; i < 5; i++)
        {
            answers.Add(await world.Client.DescribeAsync(new(Id)));
        }

        Assert.Equal([503, 200, 302, 201, 200], answers.Select(a => a.Status));
        Assert.Contains("\"Busy\"", answers[0].Body, StringComparison.Ordinal);
        Assert.Equal("text/html", answers[1].Answer.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("<!DOCTYPE html>", answers[1].Body, StringComparison.Ordinal);
        Assert.Equal(new Uri("http://127.0.0.1:1/"), answers[2].Answer.Headers.Location);
        Assert.Equal("[1]", answers[3].Body);
        SimulatorCounters counters = await world.Admin.GetCountersAsync();
        Assert.Equal((0, 0, 5), (counters.Total.Received, counters.InFlight, counters.Descriptions()));
        Assert.Equal(3, counters.KmsKeys[Id][StoreOperations.DescribeKey].Spoiled);
        Assert.Empty(counters.Buckets);
    }

    [Theory]
    [InlineData("the key that is asked for", Id, true)]
    [InlineData("another key", "other", false)]
    [InlineData("any key", null, true)]
    public async Task A_rule_can_be_about_one_key(string sentence, string? key, bool strikes)
    {
        await using World world = await World.StartAsync(AtAws);
        await world.Admin.InjectAsync(new TestKit.FaultRule(FaultActions.Error) { KmsKey = key, Status = 500 });

        (int status, _, _) = await world.Client.DescribeAsync(new($"arn:aws:kms:cn-north-1:123456789012:key/{Id}"));

        Assert.True(status == (strikes ? 500 : 200), sentence);
    }

    [Fact]
    public void An_alias_leads_to_its_key_and_one_that_nobody_has_set_to_the_same_id_always()
    {
        SimulatedKeys keys = new(new Settings());
        keys.Set(Id, new KmsKey { Aliases = ["alias/finance"], State = "Disabled" });

        Assert.Equal((Id, "Disabled"), (keys.Find("alias/finance")?.Id, keys.Find("alias/finance")?.Key.State));
        Assert.Equal(keys.Find("alias/other")?.Id, keys.Find("alias/other")?.Id);
        Assert.NotEqual(keys.Find("alias/other")?.Id, keys.Find("alias/another")?.Id);
        keys.Remove(Id);
        keys.Remove("alias/other");
        Assert.Null(keys.Find(Id));
        Assert.Null(keys.Find("alias/other"));
    }

    [Theory]
    [InlineData("key-1", "key-1")]
    [InlineData("alias/finance", "alias/finance")]
    [InlineData("arn:aws:kms:eu-west-1:1:key/key-1", "key-1")]
    [InlineData("arn:aws:kms:eu-west-1:1:alias/finance", "alias/finance")]
    [InlineData("acs:kms:cn-hangzhou:1:key/key-1", "key-1")]
    [InlineData("cn-north-4:domain:key/key-1", "key-1")]
    public void A_long_name_has_the_id_or_the_alias_at_its_end(string named, string name) =>
        Assert.Equal(name, SimulatedKeys.NameOf(named));

    private static string Part(string body, string path)
    {
        JsonNode? node = JsonNode.Parse(body);
        foreach (string name in path.Split('.'))
        {
            node = node?[name];
        }

        return node?.ToString() ?? "";
    }

    /// <summary>One vendor's simulator, its account (<c>ak</c>, <c>sk</c>) and a client of its key service.</summary>
    private sealed class World(SimulatorServer server, SimulatorAdmin admin, KeyServiceClient client) : IAsyncDisposable
    {
        public SimulatorAdmin Admin => admin;

        public KeyServiceClient Client => client;

        public static async Task<World> StartAsync(string vendor)
        {
            ManualTimeProvider clock = new(new DateTimeOffset(2026, 11, 21, 1, 47, 57, TimeSpan.Zero));
            Vendor its = Enum.Parse<Vendor>(vendor);
            SimulatorServer server = await SimulatorServer.StartAsync(
                new SimulatorOptions
                {
                    Vendor = its,
                    Time = clock,
                    Seed = new Seed([new SeedAccount { AccessKeyId = "ak", Secret = "sk" }], []),
                }
            );
            return new World(server, new SimulatorAdmin(server.Url), new KeyServiceClient(server, its, clock));
        }

        public async ValueTask DisposeAsync()
        {
            admin.Dispose();
            client.Dispose();
            await server.DisposeAsync();
        }
    }
}
