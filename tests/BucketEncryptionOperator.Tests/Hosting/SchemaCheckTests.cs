using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Tests.Specs;
using KubeRuntime.Client;
using Microsoft.Extensions.Logging;
using TestKit;

namespace BucketEncryptionOperator.Tests.Hosting;

public sealed class SchemaCheckTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private Func<byte[]> _answer = () => Encoding.UTF8.GetBytes(ServedSchemaTests.Document().ToJsonString());

    [Fact]
    public async Task Passes_at_once_where_the_crds_are_those_of_this_version()
    {
        var check = Check();

        var before = check.Problem;
        await check.RunAsync(CancellationToken.None);

        Assert.NotNull(before);
        Assert.Null(check.Problem);
        Assert.Empty(_log.Entries);
    }

    [Fact]
    public async Task Waits_for_crds_that_are_too_old_says_so_once_and_goes_on_when_they_are_upgraded()
    {
        var current = _answer;
        _answer = () => "{}"u8.ToArray();
        var check = Check();

        var passing = check.RunAsync(CancellationToken.None);
        await _time.TimersScheduledAsync(1).Within();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _time.TimersScheduledAsync(1).Within();

        Assert.Equal(
            "CRDOutdated: the API server does not know BucketEncryptionPolicy, BucketStore; apply the CRDs of this "
                + "version of the operator",
            check.Problem
        );
        Assert.Equal(
            (LogLevel.Warning, $"Not started: {check.Problem}"),
            (Assert.Single(_log.Entries).Level, _log.Entries[0].Text)
        );
        Assert.True(check.IsOutdated);
        Assert.False(passing.IsCompleted);

        _answer = current;
        _time.Advance(TimeSpan.FromSeconds(1));
        await passing.Within();

        Assert.Null(check.Problem);
        Assert.False(check.IsOutdated);
    }

    [Theory]
    [InlineData(
        "not served at all",
        KubeFailureKind.NotFound,
        "CRDOutdated: the API server does not serve bucketencryption.io/v1alpha1",
        true
    )]
    [InlineData(
        "no answer",
        KubeFailureKind.Transient,
        "the CRDs of the cluster could not be looked at: the server's words",
        false
    )]
    public async Task Waits_where_it_cannot_know(
        string sentence,
        KubeFailureKind failure,
        string expected,
        bool isOutdated
    )
    {
        _answer = () => throw new KubeApiException(failure, "the server's words");
        using var stop = new CancellationTokenSource();
        var check = Check();

        var passing = check.RunAsync(stop.Token);
        await _time.TimersScheduledAsync(1).Within();
        await stop.CancelAsync();
        await passing.Within();

        Assert.True(check.Problem?.StartsWith(expected, StringComparison.Ordinal), $"{sentence}: {check.Problem}");
        Assert.Equal(isOutdated, check.IsOutdated);
    }

    [Fact]
    public async Task Nonsense_is_waited_out_like_no_answer()
    {
        _answer = () => "<html>"u8.ToArray();
        using var stop = new CancellationTokenSource();
        var check = Check();

        var passing = check.RunAsync(stop.Token);
        await _time.TimersScheduledAsync(1).Within();
        await stop.CancelAsync();
        await passing.Within();

        Assert.StartsWith("the CRDs of the cluster could not be looked at", check.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Goes_on_unchecked_where_the_account_may_not_look()
    {
        _answer = () => throw new KubeApiException(KubeFailureKind.Denied, "forbidden");
        var check = Check();

        await check.RunAsync(CancellationToken.None);

        Assert.Null(check.Problem);
        Assert.Contains("forbidden", Assert.Single(_log.Entries).Text, StringComparison.Ordinal);
    }

    private SchemaCheck Check() =>
        new(_ => Task.FromResult(_answer()), [ApiResources.Policy, ApiResources.BucketStore], _time, _log);
}
