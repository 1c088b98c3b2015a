using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Reconciling;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>What the API server refuses of one policy. What it takes, ClusterCommandsTests shows.</summary>
public sealed class PolicyChangeCommandsTests : IAsyncLifetime
{
    private static readonly string[] All = ["a", "b", "c"];

    private readonly string _folder = Directory.CreateTempSubdirectory("beo-change-").FullName;
    private readonly ScriptedApiServer _server = ScriptedApiServer.Start();
    private string _gone = "";
    private string _refused = "";

    public async Task InitializeAsync()
    {
        _server.Otherwise = Answered;
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "config"),
            $$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u, namespace: ns}}]
            clusters: [{name: k, cluster: {server: "{{{_server.Address}}}"}}]
            users: [{name: u, user: {} }]
            """
        );
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("suspend", "suspended")]
    [InlineData("reconcile", "requested")]
    public async Task A_policy_that_may_not_be_changed_keeps_the_others_from_nothing(string command, string done)
    {
        _refused = "b";

        var ran = await RunAsync(command, "--all");

        Assert.Equal((1, $"ns/a {done}\nns/c {done}\n"), (ran.ExitCode, ran.Output));
        Assert.StartsWith($"{command}: ns/b: PATCH ", ran.Errors, StringComparison.Ordinal);
        Assert.EndsWith(" not this one\n", ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_that_is_deleted_while_one_waits_for_it_is_said_and_the_others_are_waited_for()
    {
        _gone = "b";

        var ran = await RunAsync("reconcile", "a", "b", "c", "--wait");

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("ns/a reconciled: Ready True InSync, 1/1 as declared\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("ns/c reconciled: Ready True InSync, 1/1 as declared\n", ran.Output, StringComparison.Ordinal);
        Assert.Equal("reconcile: ns/b: it was deleted\n", ran.Errors);
    }

    [Theory]
    [InlineData("handled", "mine", "mine", true)]
    [InlineData("not handled yet", "mine", "handled before", false)]
    [InlineData("never handled any", "mine", null, false)]
    [InlineData("another request came later, and neither is handled", "theirs", "handled before", false)]
    [InlineData("another request came later, and is handled", "theirs", "theirs", true)]
    [InlineData("another request came later, and mine is handled", "theirs", "mine", true)]
    [InlineData("two came later, and one of them is handled", "yet another", "theirs", true)]
    [InlineData("one came later, is handled, and gone", null, "theirs", true)]
    [InlineData("a manifest has put back an old request", "handled before", "handled before", false)]
    [InlineData("the pass for the request before mine ends", "asked before", "asked before", false)]
    [InlineData("the annotation is gone", null, null, false)]
    public void A_request_is_handled_when_it_or_a_later_one_is(
        string rule,
        string? requested,
        string? handled,
        bool expected
    )
    {
        var policy = new BucketEncryptionPolicy
        {
            Metadata = new ObjectMeta
            {
                Name = "a",
                Annotations = requested is null ? [] : [new(Schedule.RequestedAt, requested)],
            },
            Spec = new PolicySpec
            {
                StoreRef = new() { Name = "s" },
                Encryption = new() { Algorithm = "KMS" },
            },
            Status = new PolicyStatus { LastHandledReconcileAt = handled },
        };

        Assert.True(
            expected == PolicyChangeCommands.IsHandled(policy, "mine", ["handled before", "asked before"]),
            rule
        );
    }

    private Task<Ran> RunAsync(params string[] words) =>
        Ran.Of([.. words, "--kubeconfig", Path.Combine(_folder, "config")]).Within();

    private Answer? Answered(ApiRequest request)
    {
        var name = request.Path.Split('/')[^1];
        return (request.Method, name) switch
        {
            ("PATCH", _) when name == _refused => Status(422, "Invalid", "not this one"),
            ("GET", _) when name == _gone => Status(404, "NotFound", "it is not there"),
            ("GET", "bucketencryptionpolicies") => Answer.Whole(
                $$"""{"metadata":{"resourceVersion":"9"},"items":[{{string.Join(',', All.Select(Policy))}}]}"""
            ),
            _ => Answer.Whole(Policy(name)),
        };
    }

    /// <summary>Of the standing clock of the tests: the request's time is known.</summary>
    private static string Policy(string name) =>
        $$$"""
            {"metadata":{"name":"{{{name}}}","namespace":"ns"},"spec":{"storeRef":{"name":"oss"},"encryption":
            {"algorithm":"AES256"}},"status":{"lastHandledReconcileAt":"{{{new ManualTimeProvider().GetUtcNow():O}}}",
            "summary":{"text":"1/1"},"conditions":[{"type":"Ready","status":"True","reason":"InSync"}]}}
            """.ReplaceLineEndings("");

    private static Answer Status(int code, string reason, string message) =>
        Answer.Whole(
            $$$"""{"kind":"Status","reason":"{{{reason}}}","code":{{{code}}},"message":"{{{message}}}"}""",
            code
        );
}
