using System.Buffers.Text;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.TokenServices;
using k8s.Models;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

/// <summary>
/// Each source against a server that answers what the script says: what is sent, what is read, and which step a failure
/// names.
/// </summary>
public sealed partial class AmbientIdentitiesTests : IAsyncDisposable
{
    private const string Token = "hush-token";

    /// <summary>Times are told in whole seconds, rounded down: one of them may be missing.</summary>
    private static readonly TimeSpan AlmostAnHour = TimeSpan.FromSeconds(3599);
    private const string RamRole = "acs:ram::123:role/r";
    private const string IamRole = "arn:aws:iam::123456789012:role/r";
    private const string OssKeys = """
        {"RequestId": "r-1", "Credentials": {"AccessKeyId": "STS.id", "AccessKeySecret": "hush-secret",
        "SecurityToken": "hush-sts", "Expiration": "2026-01-01T01:00:00Z"}}
        """;
    private const string MetadataKeys = """
        {"Code": "Success", "AccessKeyId": "STS.id", "AccessKeySecret": "hush-secret", "SecurityToken": "hush-sts",
        "Expiration": "2026-01-01T01:00:00Z", "LastUpdated": "2026-01-01T00:00:00Z"}
        """;
    private const string IamKeys = """
        <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Audience>sts.amazonaws.com</Audience><Credentials>
        <AccessKeyId>ASIAid</AccessKeyId><SecretAccessKey>hush-secret</SecretAccessKey>
        <SessionToken>hush-sts</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult>
        <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>
        """;

    private static AmbientIdentity.Rrsa Rrsa => new(RamRole, "acs:ram::123:oidc-provider/p", "session", "cn-hangzhou");
    private static AmbientIdentity.WebIdentity Web => new(IamRole, "eu-west-1");
    private static AmbientIdentity.EcsRamRole Ecs => new(Name: null);
    private static AmbientIdentity.PodIdentity Pod => new();

    private static ServiceAccountIdentity Account =>
        new(new NamespacedName("team", "buckets"), "oss", TokenProtocol.Query, IamRole, null, "oss@team", "eu-west-1");

    private static ServiceAccountIdentity RamAccount =>
        Account with
        {
            Protocol = TokenProtocol.Rpc,
            RoleArn = RamRole,
            OidcProviderArn = "acs:ram::123:oidc-provider/p",
        };

    private static AssumedRole Assumed =>
        new(
            new KeySource.FromSecret(new SecretSource(new NamespacedName("team", "keys"))),
            TokenProtocol.Query,
            IamRole,
            "oss@team",
            "eu-west-1"
        );

    private static AssumedRole RamAssumed => Assumed with { Protocol = TokenProtocol.Rpc, RoleArn = RamRole };

    private static AccessKey Basis => new("basis-id", "hush-basis-secret", "hush-basis-token");

    private readonly ManualTimeProvider _time = new();
    private readonly Dictionary<string, string?> _environment = new(StringComparer.Ordinal);
    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly ScriptedServer _server;
    private readonly AmbientIdentities _identities;
    private readonly AccessKeyCircuitBreakers _breakers;
    private readonly RoleAssumer _roles;
    private readonly TokenServiceClient _client;
    private V1ServiceAccount _account = Offering("archive, oss");
    private Func<string, Reply> _script = _ => ScriptedServer.Answer(500);

    public AmbientIdentitiesTests()
    {
        File.WriteAllText(_tokenFile, Token + "\n");
        _environment["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = _environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = _tokenFile;
        _server = new ScriptedServer(r => _script(r));
        var options = new IdentityOptions("test/1.0", _environment.GetValueOrDefault, _server.Address, _server.Address);
        _environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = new Uri(_server.Address, "/v1/credentials").ToString();
        _environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = _tokenFile;
        _identities = new AmbientIdentities(options, _time);
        _breakers = new AccessKeyCircuitBreakers(_time);
        _roles = new RoleAssumer(options, _breakers, _time, () => "nonce-1");
        _client = new TokenServiceClient(
            _identities,
            new ServiceAccountTokens(
                new ServiceAccountApi(
                    (_, _) => Task.FromResult(_account),
                    (_, audience, _) => Task.FromResult<string?>(TokenFor(audience))
                ),
                new TokenAudiences(
                    new Dictionary<TokenProtocol, string>
                    {
                        [TokenProtocol.Query] = "sts.amazonaws.com",
                        [TokenProtocol.Rpc] = "sts.aliyuncs.com",
                    },
                    () => null
                )
            ),
            _roles
        );
    }

    public async ValueTask DisposeAsync()
    {
        _identities.Dispose();
        _roles.Dispose();
        await _server.DisposeAsync();
        File.Delete(_tokenFile);
    }

    [Fact]
    public async Task Rrsa_sends_the_token_in_the_body_and_reads_the_key()
    {
        _script = _ => ScriptedServer.Answer(200, OssKeys);

        var (key, lasts) = await FetchAsync(Rrsa);

        var request = Assert.Single(_server.Requests);
        Assert.StartsWith(
            "POST /?Action=AssumeRoleWithOIDC&Format=JSON&Timestamp=2026-01-01T00%3A00%3A00Z&Version=2015-04-01 "
                + "HTTP/1.1",
            request,
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "\r\n\r\nRoleArn=acs%3Aram%3A%3A123%3Arole%2Fr"
                + "&OIDCProviderArn=acs%3Aram%3A%3A123%3Aoidc-provider%2Fp&OIDCToken=hush-token"
                + "&RoleSessionName=session&DurationSeconds=3600",
            request,
            StringComparison.Ordinal
        );
        Assert.Equal(
            ("STS.id", "hush-secret", "hush-sts", RamRole, AlmostAnHour),
            (key.Id, key.Secret, key.SecurityToken, key.Principal, lasts)
        );
    }

    [Fact]
    public async Task Web_identity_sends_a_form_and_reads_the_key()
    {
        _script = _ => ScriptedServer.Answer(200, IamKeys);

        var (key, lasts) = await FetchAsync(Web);

        var request = Assert.Single(_server.Requests);
        Assert.StartsWith("POST / HTTP/1.1", request, StringComparison.Ordinal);
        Assert.EndsWith(
            "\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15"
                + "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName=bucket-encryption-operator"
                + "&WebIdentityToken=hush-token",
            request,
            StringComparison.Ordinal
        );
        Assert.Equal(
            ("ASIAid", "hush-secret", "hush-sts", IamRole, AlmostAnHour),
            (key.Id, key.Secret, key.SecurityToken, key.Principal, lasts)
        );
    }

    [Fact]
    public async Task The_role_of_an_instance_is_asked_for_with_a_sessions_token()
    {
        _script = Metadata();

        var (key, lasts) = await FetchAsync(Ecs);

        Assert.Equal(
            [
                "PUT /latest/api/token",
                "GET /latest/meta-data/ram/security-credentials/",
                "GET /latest/meta-data/ram/security-credentials/the-role",
            ],
            _server.Requests.Select(r => r[..r.IndexOf(" HTTP", StringComparison.Ordinal)])
        );
        Assert.Contains(
            "X-aliyun-ecs-metadata-token-ttl-seconds: 60\r\n",
            _server.Requests.First(),
            StringComparison.Ordinal
        );
        Assert.All(
            _server.Requests.Skip(1),
            r => Assert.Contains("X-aliyun-ecs-metadata-token: hush-session\r\n", r, StringComparison.Ordinal)
        );
        Assert.Equal(
            ("STS.id", "hush-secret", "hush-sts", "ecs-ram-role/the-role", AlmostAnHour),
            (key.Id, key.Secret, key.SecurityToken, key.Principal, lasts)
        );
    }

    [Theory]
    [InlineData("it is not known there")]
    [InlineData("it is refused")]
    [InlineData("the connection breaks")]
    public async Task Without_a_sessions_token_version_1_must_do(string sentence)
    {
        var metadata = Metadata();
        _script = r =>
            !r.StartsWith("PUT", StringComparison.Ordinal)
                ? metadata(r)
                : sentence[^1] switch
                {
                    'e' => ScriptedServer.Answer(404),
                    'd' => ScriptedServer.Answer(403),
                    _ => new Reply.Reset(),
                };

        await FetchAsync(Ecs);

        Assert.All(
            _server.Requests,
            r => Assert.DoesNotContain("X-aliyun-ecs-metadata-token:", r, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Where_version_1_is_forbidden_a_missing_sessions_token_is_the_end()
    {
        _environment["ALIBABA_CLOUD_IMDSV1_DISABLED"] = "true";
        _script = r =>
            r.StartsWith("PUT", StringComparison.Ordinal)
                ? ScriptedServer.Answer(403)
                : ScriptedServer.Answer(200, MetadataKeys);

        var failure = await FailAsync(Ecs);

        Assert.Equal(("GetMetadataToken", "HTTP_403", 1), (failure.Operation, failure.Code, _server.Requests.Count));
    }

    [Theory]
    [InlineData("the store's", "mine", "theirs", "mine")]
    [InlineData("else the environment's", null, "theirs", "theirs")]
    public async Task A_role_that_is_named_is_not_asked_for(
        string sentence,
        string? name,
        string environment,
        string asked
    )
    {
        _environment["ALIBABA_CLOUD_ECS_METADATA"] = environment;
        _script = Metadata();

        await FetchAsync(new AmbientIdentity.EcsRamRole(name));

        Assert.True(
            _server.Requests.Count == 2
                && _server.Requests.Last().Contains($"/security-credentials/{asked} ", StringComparison.Ordinal),
            sentence
        );
    }

    [Fact]
    public async Task What_the_store_does_not_say_the_webhooks_variables_do()
    {
        (
            _environment["ALIBABA_CLOUD_ROLE_ARN"],
            _environment["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"],
            _environment["AWS_ROLE_ARN"]
        ) = ("acs:ram::9:role/env", "acs:ram::9:oidc-provider/env", "arn:aws:iam::9:role/env");
        _script = r => ScriptedServer.Answer(200, r.Contains("OIDC", StringComparison.Ordinal) ? OssKeys : IamKeys);

        var ram = await FetchAsync(Rrsa with { RoleArn = null, OidcProviderArn = null });
        var iam = await FetchAsync(Web with { RoleArn = null });

        Assert.Equal(("acs:ram::9:role/env", "arn:aws:iam::9:role/env"), (ram.Key.Principal, iam.Key.Principal));
        Assert.Contains("oidc-provider%2Fenv", _server.Requests.First(), StringComparison.Ordinal);
    }

    /// <summary>An hour is an hour, though our clock is three ahead of the giver's.</summary>
    [Fact]
    public async Task How_long_a_key_lasts_is_by_the_givers_clock()
    {
        _time.ShiftWallClock(TimeSpan.FromHours(3));
        _script = _ => ScriptedServer.Answer(200, OssKeys, "Date: Thu, 01 Jan 2026 00:00:00 GMT");

        Assert.Equal(AlmostAnHour, (await FetchAsync(Rrsa)).Lasts);
    }

    [Fact]
    public async Task Metadata_that_are_turned_off_are_not_asked()
    {
        _environment["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true";

        Assert.Equal("MetadataDisabled", (await FailAsync(Ecs)).Code);
        Assert.Empty(_server.Requests);
    }

    /// <summary>The proxy of the environment would get the keys of whoever runs here.</summary>
    [Fact]
    public async Task Metadata_are_asked_past_every_proxy()
    {
        using var direct = new IdentityHttp("test/1.0", TimeSpan.FromSeconds(5), TimeProvider.System, isDirect: true);
        _script = Metadata();
        var before = HttpClient.DefaultProxy;
        try
        {
            HttpClient.DefaultProxy = new System.Net.WebProxy("http://127.0.0.1:1");
            using var request = new HttpRequestMessage(
                HttpMethod.Get,
                new Uri(_server.Address, "/latest/meta-data/ram/security-credentials/")
            );

            Assert.Equal("the-role", (await direct.SendAsync(request, "GetRamRoleName", CancellationToken.None)).Body);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    private IdentityOptions Options =>
        new("test/1.0", _environment.GetValueOrDefault, TokenService: null, Metadata: null);

    private static Func<string, Reply> Json(int status, string body) => _ => ScriptedServer.Answer(status, body);

    /// <param name="repeated">What the service repeats in its message.</param>
    private static string Refusal(string code, string repeated = Token) =>
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
        + $"<Code>{code}</Code><Message>{repeated} is refused</Message></Error>"
        + "<RequestId>r-1</RequestId></ErrorResponse>";

    private static Func<string, Reply> Metadata() =>
        r =>
            ScriptedServer.Answer(
                200,
                r.StartsWith("PUT", StringComparison.Ordinal) ? "hush-session\n"
                    : r.Contains("/security-credentials/ ", StringComparison.Ordinal) ? "the-role"
                    : MetadataKeys
            );

    /// <summary>As the API server issues one; its claims are the part that a service could repeat.</summary>
    private static string TokenFor(string audience) =>
        $"hush.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"aud": ["{{audience}}"]}"""))}.hush-token";

    private static V1ServiceAccount Offering(string stores) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = "buckets",
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [ServiceAccountTokens.StoresAnnotation] = stores,
                },
            },
        };

    private Task<TemporaryKey> FetchAsync(TemporaryIdentity identity) =>
        _client.FetchAsync(identity, identity is AssumedRole ? Basis : null, CancellationToken.None);

    private async Task<Failure> FailAsync(TemporaryIdentity identity) =>
        (await Assert.ThrowsAsync<KeySourceException>(() => FetchAsync(identity).Within())).Failure;
}
