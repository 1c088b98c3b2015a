using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Deletions, conflicts and refusals of the API server in between.</summary>
public sealed partial class PolicyReconcilerTests
{
    [Fact]
    public async Task Our_own_cancellation_is_passed_up_and_nothing_is_told()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await using var bench = new Workbench();
        bench.Start(Given.Policy());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bench.ReconcileAsync(stop.Token));

        Assert.Equal(0, bench.Patches);
        Assert.Empty(bench.Logs);
    }

    [Theory]
    [InlineData("never there")]
    [InlineData("being deleted")]
    public async Task A_policy_that_is_gone_or_going_is_left_alone(string sentence)
    {
        _bench.Vendor["finance-archive"] = None;
        var policy = Given.Policy();
        if (sentence == "being deleted")
            _bench.Start(
                policy with
                {
                    Metadata = policy.Metadata with { DeletionTimestamp = _bench.Time.GetUtcNow() },
                }
            );

        Assert.Same(ReconcileResult.OnChange, await _bench.ReconcileAsync());
        Assert.Empty(_bench.Vendor.Calls);
        Assert.Equal(0, _bench.Patches);
    }

    [Fact]
    public async Task A_policy_deleted_meanwhile_ends_quietly()
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        _bench.Kubernetes.Delete(Given.PolicyKey);

        Assert.Same(ReconcileResult.OnChange, await _bench.ReconcileAsync());
        Assert.Empty(_bench.Logs);
    }

    [Fact]
    public async Task A_status_whose_answer_was_lost_does_not_stay_when_the_next_look_finds_what_was_there_before()
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        await _bench.SettleAsync();
        _bench.Vendor.Denials = (_, _) => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, "Get");
        _bench.Kubernetes.LostAnswers = line =>
            line.StartsWith("PATCH", StringComparison.Ordinal) ? new Reply.Reset() : null;
        await _bench.ReconcileAloneAsync(Given.PolicyKey, 0, CancellationToken.None);
        (_bench.Vendor.Denials, _bench.Kubernetes.LostAnswers) = ((_, _) => null, _ => null);

        // The watch has not reported the stored status yet.
        var before = await _bench.ReconcileAloneAsync(Given.PolicyKey, 1, CancellationToken.None);
        _bench.WatchAll();
        if (before is ReconcileResult.Retry)
            await _bench.SettleAsync();

        Assert.Equal(BucketStatus.InSync, Assert.Single(_bench.Status.Buckets).State);
    }

    [Theory]
    [InlineData("a conflict comes back after the back-off alone", 409, "", 0)]
    [InlineData("a server's failure after a second at least", 500, "", 1)]
    [InlineData("a server that says when is believed", 429, "Retry-After: 7", 7)]
    [InlineData("but not for more than the client believes", 429, "Retry-After: 100000000", 300)]
    public async Task A_status_that_was_not_written_is_tried_again(
        string sentence,
        int status,
        string header,
        int seconds
    )
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal)
                ? ScriptedServer.Answer(status, "", [.. new[] { header }.Where(h => h.Length > 0)])
                : null;

        var requeue = await _bench.ReconcileAsync();

        Assert.True(
            requeue is ReconcileResult.Retry retry && retry.AtLeast == TimeSpan.FromSeconds(seconds),
            $"{sentence}: {requeue}"
        );
    }

    [Fact]
    public async Task A_spec_changed_while_it_was_worked_on_is_not_overwritten()
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        // The mirror does not know yet
        _bench.Kubernetes.Put(Given.Policy().NextGeneration().With(new EncryptionSpec { Algorithm = "SM4" }));

        var requeue = await _bench.ReconcileAsync();
        var between = _bench.Status;
        await _bench.SettleAsync();

        Assert.IsType<ReconcileResult.Retry>(requeue);
        Assert.Null(between.ObservedGeneration);
        Assert.Equal(new BucketEncryption.Sm4(), _bench.Vendor["finance-archive"]);
        Assert.Equal(2, _bench.Status.ObservedGeneration);
    }
}
