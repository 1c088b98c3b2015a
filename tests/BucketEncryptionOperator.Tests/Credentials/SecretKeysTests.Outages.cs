using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class SecretKeysTests
{
    [Theory]
    [InlineData(KubeFailureKind.Transient)]
    [InlineData(KubeFailureKind.Throttled)]
    public async Task A_key_stays_good_while_Kubernetes_cannot_be_asked(KubeFailureKind failure)
    {
        var key = (await GetAsync()).Value;
        _answer = () => throw new KubeApiException(failure, "no");
        _time.Advance(TimeSpan.FromMinutes(5));

        var kept = await GetAsync();

        Assert.Equal(2, _gets);
        Assert.Same(key, kept.Value);
    }

    [Theory]
    [InlineData(KubeFailureKind.NotFound, "Missing", "SecretNotFound")]
    [InlineData(KubeFailureKind.Denied, "Denied", "SecretForbidden")]
    [InlineData(KubeFailureKind.Transient, "Transient", "SecretUnreadable")]
    [InlineData(KubeFailureKind.Throttled, "Throttled", "SecretUnreadable")]
    public async Task A_Secret_that_is_not_given_says_why(KubeFailureKind kubeFailure, string kind, string code)
    {
        _answer = () => throw new KubeApiException(kubeFailure, "no");

        var (key, failure) = await GetAsync();

        Assert.Null(key);
        Assert.Equal((kind, code, SecretKeys.ReadSecret), (failure!.Kind.ToString(), failure.Code, failure.Operation));
    }

    [Fact]
    public async Task A_key_whose_Secret_is_gone_is_not_used_any_more()
    {
        await GetAsync();
        _answer = () => throw new KubeApiException(KubeFailureKind.NotFound, "no");
        _time.Advance(TimeSpan.FromMinutes(5));

        Assert.Null((await GetAsync()).Value);
    }

    [Fact]
    public async Task A_key_whose_Secret_is_forbidden_stays_in_use_for_five_minutes_of_denials()
    {
        var key = (await GetAsync()).Value;
        _answer = () => throw new KubeApiException(KubeFailureKind.Denied, "no");
        _time.Advance(TimeSpan.FromMinutes(5));
        var first = (await GetAsync()).Value;
        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        var last = (await GetAsync()).Value;
        _time.Advance(TimeSpan.FromSeconds(5));
        var (gone, failure) = await GetAsync();

        Assert.Same(key, first);
        Assert.Same(key, last);
        Assert.Equal((null, "SecretForbidden"), (gone, failure?.Code));
    }

    [Fact]
    public async Task A_Secret_given_again_ends_the_count_of_denials_and_is_asked_for_every_five_seconds_until_then()
    {
        var key = (await GetAsync()).Value;
        for (var i = 0; i < 10; i++)
        {
            _answer = () => throw new KubeApiException(KubeFailureKind.Denied, "no");
            _time.Advance(TimeSpan.FromMinutes(5));
            Assert.Same(key, (await GetAsync()).Value);
            _answer = () => Task.FromResult(Make());
            _time.Advance(TimeSpan.FromSeconds(5));
            Assert.Same(key, (await GetAsync()).Value);
        }

        Assert.Equal(21, _gets);
    }

    /// <summary>An API server that starts, or a gateway before it, has such answers now and then.</summary>
    [Theory]
    [InlineData("a token that is not known", 401, true)]
    [InlineData("a page that is not Kubernetes'", 401, false)]
    [InlineData("a page that is not Kubernetes'", 403, false)]
    [InlineData("a page that is not Kubernetes'", 404, false)]
    public async Task An_answer_that_does_not_concern_the_Secret_changes_nothing(
        string sentence,
        int status,
        bool isStatus
    )
    {
        await using var kubernetes = new KubernetesFake(_time);
        kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "id"), ("accessKeySecret", "secret"));
        using var keys = new SecretKeys(
            (name, token) => SecretKeys.FetchAsync(kubernetes.Client, name, token),
            _breakers,
            _time
        );
        var key = (await keys.GetAsync(Source, CancellationToken.None)).Value;
        var page = ScriptedServer.Answer(status, "404 page not found", "Content-Type: text/plain");
        kubernetes.Faults = (_, _) => isStatus ? KubernetesFake.Status(status, "Reason") : page;
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            var (kept, failure) = await keys.GetAsync(Source, CancellationToken.None);
            Assert.True(ReferenceEquals(key, kept), $"{sentence}: {status} after {i + 1} minutes: {failure?.Code}");
        }
    }
}
