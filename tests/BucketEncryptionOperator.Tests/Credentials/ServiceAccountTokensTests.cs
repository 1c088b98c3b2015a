using System.Buffers.Text;
using System.Text;
using BucketEncryptionOperator.Credentials;
using k8s.Models;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class ServiceAccountTokensTests
{
    private static readonly ServiceAccountIdentity Identity = new(
        new NamespacedName("team", "buckets"),
        "oss",
        TokenProtocol.Query,
        "role",
        OidcProviderArn: null,
        "oss@team",
        "eu-west-1"
    );

    private readonly List<string> _asked = [];
    private Func<V1ServiceAccount> _account = () =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [ServiceAccountTokens.StoresAnnotation] = "oss",
                },
            },
        };
    private Func<string?> _token = () => Jwt("""{"iss": "https://issuer", "aud": ["sts.amazonaws.com"]}""");
    private string? _ownToken;

    [Fact]
    public async Task A_token_is_for_one_audience_and_one_account()
    {
        await TokenAsync();

        Assert.Equal(["get team/buckets", "token team/buckets for sts.amazonaws.com"], _asked);
    }

    [Theory]
    [InlineData(KubeFailureKind.NotFound, "ServiceAccountNotFound", "Missing", true)]
    [InlineData(KubeFailureKind.Denied, "ServiceAccountForbidden", "Denied", false)]
    [InlineData(KubeFailureKind.Throttled, "ServiceAccountUnreadable", "Throttled", false)]
    [InlineData(KubeFailureKind.Transient, "ServiceAccountUnreadable", "Transient", false)]
    public async Task What_the_API_server_refuses_is_said_by_step(
        KubeFailureKind kind,
        string code,
        string expected,
        bool isTakenBack
    )
    {
        _token = () => throw new KubeApiException(kind, "hush");
        var atToken = await FailAsync();
        _account = () => throw new KubeApiException(kind, "hush");
        var atAccount = await FailAsync();

        Assert.Equal(
            (code, "RequestToken", code, "ReadServiceAccount", expected, isTakenBack),
            (
                atToken.Failure.Code,
                atToken.Failure.Operation,
                atAccount.Failure.Code,
                atAccount.Failure.Operation,
                atAccount.Failure.Kind.ToString(),
                atAccount.IsTakenBack
            )
        );
        Assert.DoesNotContain("hush", $"{atToken} {atToken.Failure}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("two\nlines")]
    public async Task An_answer_without_a_token_is_no_token(string? token)
    {
        _token = () => token;

        Assert.Equal("ServiceAccountUnreadable", (await FailAsync()).Failure.Code);
    }

    [Fact]
    public async Task Nothing_is_requested_for_an_audience_that_the_operators_own_token_has()
    {
        _ownToken = Jwt("""{"iss": "https://issuer", "aud": ["https://api", "sts.amazonaws.com"]}""");

        Assert.Equal("AudienceNotAllowed", (await FailAsync()).Failure.Code);
        Assert.Equal(["get team/buckets"], _asked);
    }

    [Fact]
    public async Task A_token_for_its_own_issuer_goes_nowhere()
    {
        _token = () => Jwt("""{"iss": "sts.amazonaws.com", "aud": ["sts.amazonaws.com"]}""");

        Assert.Equal("AudienceNotAllowed", (await FailAsync()).Failure.Code);
    }

    /// <summary>Whatever changes a request on its way, or an API server that does not know audiences.</summary>
    [Theory]
    [InlineData("for another", """{"iss": "https://issuer", "aud": ["https://issuer"]}""")]
    [InlineData("for another, too", """{"iss": "https://issuer", "aud": ["sts.amazonaws.com", "https://issuer"]}""")]
    [InlineData("in other letters", """{"iss": "https://issuer", "aud": ["STS.amazonaws.com"]}""")]
    [InlineData("for nobody", """{"iss": "https://issuer"}""")]
    [InlineData("that cannot be read", "opaque")]
    public async Task A_token_that_is_not_for_the_one_audience_goes_nowhere(string sentence, string claims)
    {
        _token = () => Jwt(claims);

        var thrown = await FailAsync();

        Assert.True(("AudienceNotAllowed", true) == (thrown.Failure.Code, thrown.IsTakenBack), sentence);
        Assert.DoesNotContain(Jwt(claims), $"{thrown} {thrown.Failure}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a usual name", "https://kubernetes.default.svc", null, true)]
    [InlineData("with a slash", "https://kubernetes.default.svc.cluster.local/", null, true)]
    [InlineData("in capitals", "HTTPS://Kubernetes.default.svc", null, true)]
    [InlineData("one of the own token", "mine", """{"aud": ["theirs", "mine"]}""", true)]
    [InlineData("the only one of the own token", "mine", """{"aud": "mine"}""", true)]
    [InlineData("the issuer of the own token", "https://issuer", """{"aud": "x", "iss": "https://issuer"}""", true)]
    [InlineData("another", "sts.amazonaws.com", """{"aud": "x", "iss": "https://issuer"}""", false)]
    [InlineData("a token with odd claims", "mine", """{"aud": {"mine": 1}, "iss": 7}""", false)]
    [InlineData("a token with a list of claims", "mine", """["mine"]""", false)]
    [InlineData("a token with half of a pair", "mine", """{"aud": "\ud800"}""", false)]
    public void An_audience_of_the_API_server(string sentence, string audience, string? claims, bool expected) =>
        Assert.True(
            expected == TokenAudiences.IsOfApiServer(audience, claims is null ? "opaque" : Jwt(claims)),
            sentence
        );

    private static string Jwt(string claims) => $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";

    private async Task<KeySourceException> FailAsync() => await Assert.ThrowsAsync<KeySourceException>(TokenAsync);

    private Task<string> TokenAsync() =>
        new ServiceAccountTokens(
            new ServiceAccountApi(
                (name, _) =>
                {
                    _asked.Add($"get {name}");
                    return Task.Run(_account);
                },
                (name, audience, _) =>
                {
                    _asked.Add($"token {name} for {audience}");
                    return Task.Run(_token);
                }
            ),
            new TokenAudiences(
                new Dictionary<TokenProtocol, string> { [TokenProtocol.Query] = "sts.amazonaws.com" },
                () => _ownToken
            )
        ).TokenAsync(Identity, CancellationToken.None);
}
