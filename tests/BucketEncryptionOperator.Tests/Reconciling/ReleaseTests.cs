using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Alibaba;
using KubeRuntime.Controllers;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What becomes of a bucket whose policy goes, or names it no more.</summary>
public sealed partial class ReleaseTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Bucket = "finance-archive";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();

    private readonly Workbench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Restore_puts_back_what_was_there()
    {
        var encryption = new BucketEncryption.Kms("before", DataCipher.Sm4);
        await StartAsync("Restore", encryption, allowDowngrade: true);

        await DeleteAsync();

        Assert.Equal(encryption, _bench.Vendor[Bucket]);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
    }

    [Theory]
    [InlineData("Restore")]
    [InlineData("Delete")]
    public async Task A_bucket_that_is_taken_out_is_released_like_one_of_a_deleted_policy(string deletionPolicy)
    {
        _bench.Vendor["bucket-a"] = None;
        _bench.Vendor["bucket-b"] = None;
        var policy = Given.Policy("bucket-a", "bucket-b");
        policy = policy with { Spec = policy.Spec with { DeletionPolicy = deletionPolicy, AllowDowngrade = true } };
        await _bench.Start(policy).SettleAsync();
        var now = _bench.Kubernetes.Read(Given.PolicyKey);

        _bench.Put(
            (
                now with
                {
                    Spec = now.Spec with { Buckets = [new BucketReference { Name = "bucket-a" }] },
                }
            ).NextGeneration()
        );
        await _bench.SettleAsync();

        Assert.Equal((Aes, None), (_bench.Vendor["bucket-a"], _bench.Vendor["bucket-b"]));
        Assert.Equal(["bucket-a"], _bench.Status.Buckets.Select(b => b.Name));
        Assert.Equal(Condition.True, _bench.Status.Conditions.Find("Ready")?.Status);
    }

    [Fact]
    public async Task Without_keys_the_deletion_says_so_keeps_trying_and_Retain_lets_it_go()
    {
        await StartAsync("Delete", None);
        _bench.Vendor.GoodSecret = "hush-changed";
        _bench.Delete(Given.PolicyKey);
        await _bench.ReconcileAsync(); // nobody is about to take the bucket over: that is waited for a moment
        _bench.Time.Advance(TimeSpan.FromSeconds(2));

        await _bench.ReconcileAsync();
        var row = Assert.Single(_bench.Status.Buckets);
        var ready = _bench.Status.Conditions.Find("Ready");
        var stuck = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((stuck with { Spec = stuck.Spec with { DeletionPolicy = "Retain" } }).NextGeneration());
        await _bench.ReconcileAsync();

        Assert.Equal((BucketStatus.Releasing, "SignatureDoesNotMatch"), (row.State, row.Error?.Code));
        Assert.Equal(("False", "CredentialsRejected"), (ready?.Status, ready?.Reason));
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Equal(Aes, _bench.Vendor[Bucket]);
    }

    [Fact]
    public async Task A_bucket_that_is_gone_is_released()
    {
        await StartAsync("Delete", None);
        _bench.Vendor[Bucket] = null;

        await DeleteAsync();

        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
    }

    /// <summary>A bucket without encryption may have a document all the same, which says "None".</summary>
    [Fact]
    public async Task Restore_removes_what_a_document_said_was_none()
    {
        var said = new OssDialect()
            .Document.Write(Aes, basis: null)
            .Replace("AES256", "None", StringComparison.Ordinal);
        await StartAsync("Restore", None, document: said);
        var original = Assert.Single(_bench.Status.Buckets).Original;

        await DeleteAsync();

        Assert.Equal(
            (OriginalEncryption.Recorded, "None", said),
            (original?.State, original?.Encryption?.Algorithm, original?.Document)
        );
        Assert.Equal(None, _bench.Vendor[Bucket]);
        Assert.DoesNotContain(_bench.Events.All, e => e.Reason == "RestoreUnavailable");
    }

    [Fact]
    public async Task A_removal_without_effect_is_told_and_bounded()
    {
        await StartAsync("Delete", None);
        _bench.Vendor.DropsWrites = true;
        _bench.Delete(Given.PolicyKey);

        await _bench.SettleAsync();

        Assert.Equal("DisableNotEffective", Assert.Single(_bench.Status.Buckets).Error?.Code);
        Assert.Equal(3, _bench.Vendor.Count("Delete"));
    }

    private static string Document(string algorithm, string more) =>
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>"
        + $"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{more}"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private async Task StartAsync(
        string deletionPolicy,
        BucketEncryption before,
        bool allowDowngrade = true,
        string? document = null
    )
    {
        _bench.Vendor[Bucket] = before;
        if (document is not null)
            _bench.Vendor.SetDocument(Bucket, document);
        var policy = Given.Policy(Bucket);
        await _bench
            .Start(
                policy with
                {
                    Spec = policy.Spec with { DeletionPolicy = deletionPolicy, AllowDowngrade = allowDowngrade },
                }
            )
            .SettleAsync();
        Assert.Equal(Aes, _bench.Vendor[Bucket]);
        Assert.Equal(deletionPolicy != "Retain", PolicyFinalizer.IsOn(_bench.Kubernetes.Read(Given.PolicyKey)));
    }

    private async Task DeleteAsync()
    {
        _bench.Delete(Given.PolicyKey);
        if (_bench.Kubernetes.Find(Given.PolicyKey) is not null)
            await _bench.SettleAsync();
    }
}
