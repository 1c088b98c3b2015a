using System.Net;
using ObjectStoreSimulator;
using ObjectStoreSimulator.Identity;
using ObjectStoreSimulator.State;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// The rooms where temporary keys are given, by requests written out by hand as the vendors document them.
/// </summary>
public sealed class IdentityRoomTests : IAsyncLifetime
{
    private const string Query =
        "/?Action=AssumeRoleWithOIDC&Format=JSON&Timestamp=2026-01-01T00%3A00%3A00Z&Version=2015-04-01";

    private static readonly IdentityValues Known = new()
    {
        RoleArn = "acs:ram::1:role/r",
        OidcProviderArn = "acs:ram::1:oidc-provider/p",
        OidcToken = "good",
        EcsRole = "instance-role",
        KeySeconds = 900,
    };

    private static readonly Dictionary<string, string> Oidc = new(StringComparer.Ordinal)
    {
        ["RoleArn"] = "acs:ram::1:role/r",
        ["OIDCProviderArn"] = "acs:ram::1:oidc-provider/p",
        ["OIDCToken"] = "good",
        ["RoleSessionName"] = "s",
        ["DurationSeconds"] = "900",
    };

    private static readonly Dictionary<string, string> Web = new(StringComparer.Ordinal)
    {
        ["Action"] = "AssumeRoleWithWebIdentity",
        ["Version"] = "2011-06-15",
        ["RoleArn"] = "acs:ram::1:role/r",
        ["RoleSessionName"] = "s",
        ["WebIdentityToken"] = "good",
    };

    private readonly ManualTimeProvider _time = new();
    private SimulatorServer? _server;
    private HttpClient? _http;

    public async Task InitializeAsync()
    {
        _server = await SimulatorServer.StartAsync(new SimulatorOptions { Time = _time });
        _server.World.Identities.Set(Known);
        _http = new HttpClient { BaseAddress = _server.Url };
    }

    public async Task DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_token_is_exchanged_for_a_key_that_the_store_takes_until_it_ends()
    {
        var (status, body) = await PostAsync(Query, Oidc);

        var key = Assert.Single(_server!.World.Identities.Issued);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.All(
            [key.AccessKeyId, key.Secret, key.SecurityToken, "2026-01-01T00:15:00Z"],
            text => Assert.Contains($"\"{text}\"", body, StringComparison.Ordinal)
        );
        var account = _server.World.Accounts.Find(key.AccessKeyId);
        Assert.Equal(
            (key.Secret, key.SecurityToken, key.ExpiresAt),
            (account?.Secret, account?.SecurityToken, account?.TokenExpiresAt)
        );
    }

    [Fact]
    public async Task A_web_identity_gets_its_key_in_XML()
    {
        var (status, body) = await PostAsync("/", Web);

        var key = Assert.Single(_server!.World.Identities.Issued);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.All(
            [
                $"<AccessKeyId>{key.AccessKeyId}</AccessKeyId>",
                $"<SecretAccessKey>{key.Secret}</SecretAccessKey>",
                $"<SessionToken>{key.SecurityToken}</SessionToken>",
                "<Expiration>2026-01-01T00:15:00Z</Expiration>",
            ],
            text => Assert.Contains(text, body, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("RoleArn", "acs:ram::1:role/other", "EntityNotExist.Role")]
    [InlineData("OIDCProviderArn", "acs:ram::1:oidc-provider/other", "EntityNotExist.OIDCProvider")]
    [InlineData("OIDCToken", "bad", "AuthenticationFail.OIDCToken.Invalid")]
    [InlineData("RoleSessionName", "", "MissingParameter.RoleSessionName")]
    [InlineData("DurationSeconds", "60", "InvalidParameter.DurationSeconds")]
    public async Task What_Alibabas_service_refuses(string field, string value, string code)
    {
        var (status, body) = await PostAsync(
            Query,
            new Dictionary<string, string>(Oidc, StringComparer.Ordinal) { [field] = value }
        );

        Assert.InRange((int)status, 400, 404);
        Assert.Contains($"\"Code\":\"{code}\"", body, StringComparison.Ordinal);
        Assert.Empty(_server!.World.Identities.Issued);
    }

    [Theory]
    [InlineData("another time", "2026-01-01T00%3A00%3A00Z", "2025-12-31T23%3A00%3A00Z", "InvalidTimeStamp.Expired")]
    [InlineData("another version", "2015-04-01", "2014-01-01", "InvalidAction.NotFound")]
    [InlineData("another form", "JSON", "XML", "InvalidParameter.Format")]
    public async Task What_its_query_must_say(string sentence, string right, string wrong, string code)
    {
        var (_, body) = await PostAsync(Query.Replace(right, wrong, StringComparison.Ordinal), Oidc);

        Assert.True(body.Contains(code, StringComparison.Ordinal), $"{sentence}: {body}");
    }

    [Theory]
    [InlineData("WebIdentityToken", "bad", 400, "InvalidIdentityToken")]
    [InlineData("RoleArn", "other", 403, "AccessDenied")]
    [InlineData("RoleArn", "", 400, "ValidationError")]
    [InlineData("Version", "1", 400, "InvalidAction")]
    public async Task What_Amazons_service_refuses(string field, string value, int status, string code)
    {
        var (got, body) = await PostAsync(
            "/",
            new Dictionary<string, string>(Web, StringComparer.Ordinal) { [field] = value }
        );

        Assert.Equal(status, (int)got);
        Assert.Contains($"<Code>{code}</Code>", body, StringComparison.Ordinal);
    }

    /// <summary>The agent wants the token as it is, and gives the keys of the associated role.</summary>
    [Fact]
    public async Task The_agent_of_a_node_gives_the_keys_of_the_associated_role()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/credentials");
        request.Headers.TryAddWithoutValidation("Authorization", "good");
        using HttpResponseMessage answer = await _http!.SendAsync(request);
        using HttpResponseMessage refused = await _http!.GetAsync(new Uri("/v1/credentials", UriKind.Relative));

        var key = Assert.Single(_server!.World.Identities.Issued);
        Assert.Contains(
            $"\"Token\":\"{key.SecurityToken}\"",
            await answer.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    /// <summary>What real clients send is in tests/interop; here is what nobody gets.</summary>
    [Theory]
    [InlineData("nobody", "InvalidAccessKeyId.NotFound")]
    [InlineData("caller", "SignatureDoesNotMatch")]
    public async Task No_role_is_given_without_a_signature(string id, string code)
    {
        _server!.World.Accounts.Set("caller", new Account { Secret = "secret" });

        var (_, rpc) = await PostAsync(
            Query.Replace("WithOIDC", "", StringComparison.Ordinal)
                + $"&AccessKeyId={id}&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n&Signature=x",
            Oidc
        );
        var (status, query) = await PostAsync(
            "/",
            new Dictionary<string, string>(Web, StringComparer.Ordinal) { ["Action"] = "AssumeRole" }
        );

        Assert.Contains($"\"{code}\"", rpc, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("MissingAuthenticationToken", query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_instance_gives_its_role_and_the_same_key_until_half_of_its_life_is_over()
    {
        var session = await SessionAsync();

        Assert.Equal((HttpStatusCode.OK, "instance-role"), await GetAsync("", session));
        var first = (await GetAsync("instance-role", session)).Body;
        Assert.Equal(first, (await GetAsync("instance-role", session)).Body);
        _time.Advance(TimeSpan.FromSeconds(450));
        Assert.NotEqual(first, (await GetAsync("instance-role", await SessionAsync())).Body);
        Assert.Contains("\"Code\":\"Success\"", first, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("other", session: null)).Status);
    }

    [Fact]
    public async Task A_session_ends_and_version_1_can_be_turned_off()
    {
        _server!.World.Identities.Set(Known with { MetadataVersion1 = false });
        var session = await SessionAsync();
        var good = await GetAsync("", session);
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
            (
                good.Status,
                (await GetAsync("", session)).Status,
                (await GetAsync("", session: null)).Status,
                (await GetAsync("", "invented")).Status
            )
        );
    }

    [Fact]
    public async Task Faults_strike_here_as_at_the_store_and_no_token_is_recorded()
    {
        using SimulatorAdmin admin = new(_server!.Url);
        await admin.InjectAsync(
            new TestKit.FaultRule(FaultActions.Error)
            {
                Operations = [IdentityOperations.Oidc],
                Times = 1,
                Status = 503,
                Code = "ServiceUnavailable",
            }
        );

        var (failed, body) = await PostAsync(Query, Oidc);
        var (passed, _) = await PostAsync(Query, Oidc);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (failed, passed));
        Assert.Contains("\"Code\":\"ServiceUnavailable\"", body, StringComparison.Ordinal);
        Assert.All(
            await admin.GetRequestsAsync(),
            r => Assert.Contains("&OIDCToken=***&", r.Body, StringComparison.Ordinal)
        );
        Assert.Equal([503, 200], (await admin.GetRequestsAsync()).Select(r => r.Status ?? 0));
    }

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(string target, Dictionary<string, string> form)
    {
        using FormUrlEncodedContent content = new(form);
        using HttpResponseMessage answer = await _http!.PostAsync(new Uri(target, UriKind.Relative), content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<string> SessionAsync()
    {
        using HttpRequestMessage request = new(HttpMethod.Put, "/latest/api/token")
        {
            Headers = { { "X-aliyun-ecs-metadata-token-ttl-seconds", "60" } },
        };
        using HttpResponseMessage answer = await _http!.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string role, string? session)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/latest/meta-data/ram/security-credentials/" + role);
        if (session is not null)
            request.Headers.Add("X-aliyun-ecs-metadata-token", session);
        using HttpResponseMessage answer = await _http!.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
