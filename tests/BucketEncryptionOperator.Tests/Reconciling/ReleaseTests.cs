using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Alibaba;
using KubeRuntime.Controllers;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What becomes of a bucket whose policy goes, or names it no more.</summary>
public sealed class ReleaseTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Bucket = "finance-archive";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();

    private readonly Workbench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Retain_leaves_no_finalizer_and_writes_nothing()
    {
        await StartAsync("Retain", None);
        var writes = _bench.Vendor.Calls.Count;

        _bench.Delete(Given.PolicyKey);

        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Equal(writes, _bench.Vendor.Calls.Count);
        Assert.Equal(Aes, _bench.Vendor[Bucket]);
    }

    [Fact]
    public async Task Delete_removes_the_encryption_and_lets_the_policy_go()
    {
        await StartAsync("Delete", None);

        await DeleteAsync();

        Assert.Equal(None, _bench.Vendor[Bucket]);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
    }

    [Fact]
    public async Task Restore_puts_back_what_was_there()
    {
        var encryption = new BucketEncryption.Kms("before", DataCipher.Sm4);
        await StartAsync("Restore", encryption, allowDowngrade: true);

        await DeleteAsync();

        Assert.Equal(encryption, _bench.Vendor[Bucket]);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
    }

    [Fact]
    public async Task A_restore_that_would_weaken_is_skipped_without_consent_and_an_event_says_so()
    {
        await StartAsync("Restore", None, allowDowngrade: false);

        await DeleteAsync();

        Assert.Equal(Aes, _bench.Vendor[Bucket]);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Contains(_bench.Events.All, e => e.Reason == "DowngradeRefused");
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

    [Theory]
    [InlineData("the policy audits", "Audit", false)]
    [InlineData("the policy rests", "Enforce", true)]
    public async Task Deleting_a_policy_that_does_not_act_writes_nothing(string sentence, string mode, bool suspend)
    {
        await StartAsync("Delete", None);
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = now.Spec with { Mode = mode, Suspend = suspend } }).NextGeneration());
        await _bench.SettleAsync();

        await DeleteAsync();

        Assert.True(Aes == _bench.Vendor[Bucket], sentence);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
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

    [Fact]
    public async Task A_lost_status_never_makes_our_own_write_the_original()
    {
        await StartAsync("Restore", None, allowDowngrade: true);
        _bench.Kubernetes.LoseStatus(Given.PolicyKey);
        _bench.Restart();

        await _bench.SettleAsync();
        var row = Assert.Single(_bench.Status.Buckets);
        await DeleteAsync();

        Assert.Equal(OriginalEncryption.Unavailable, row.Original?.State);
        Assert.Equal(Aes, _bench.Vendor[Bucket]);
        Assert.Contains(_bench.Events.All, e => e.Reason == "RestoreUnavailable");
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
    }

    /// <summary>
    /// The first pass puts a row in the status for the bucket that it has read. The second one, with the new key, must
    /// still know that the status was lost.
    /// </summary>
    [Fact]
    public async Task A_lost_status_stays_lost_when_the_key_is_replaced_during_the_reconcile()
    {
        _bench.Vendor["bucket-a"] = None;
        _bench.Vendor["bucket-b"] = None;
        var policy = Given.Policy("bucket-a", "bucket-b");
        await _bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore" } }).SettleAsync();
        _bench.Kubernetes.LoseStatus(Given.PolicyKey);
        _bench.WatchAll();
        _bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush-other"));
        _bench.Vendor.Faults = (_, call) =>
        {
            if (call.Bucket == "bucket-b")
                _bench.Vendor.GoodSecret = "hush-other"; // it is switched off between the two reads
            return null;
        };

        await _bench.ReconcileAsync();

        Assert.Equal(Aes, _bench.Vendor["bucket-b"]);
        Assert.All(_bench.Status.Buckets, b => Assert.Equal(OriginalEncryption.Unavailable, b.Original?.State));
        Assert.Equal(2, _bench.Status.Buckets.Length);
    }

    /// <summary>
    /// Nobody knows any more which buckets the policy owned. The person who deletes the policy must hear of that.
    /// </summary>
    [Theory]
    [InlineData("Delete", true)]
    [InlineData("Restore", true)]
    [InlineData("Delete", false)]
    public async Task A_policy_that_is_deleted_after_its_status_was_lost_writes_nothing_and_says_so(
        string deletionPolicy,
        bool hasStore
    )
    {
        await StartAsync(deletionPolicy, None);
        _bench.Kubernetes.LoseStatus(Given.PolicyKey);
        _bench.Restart();
        var calls = _bench.Vendor.Calls.Count;
        if (!hasStore)
            _bench.RemoveStore(Given.StoreKey);

        await DeleteAsync();

        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Equal(Aes, _bench.Vendor[Bucket]);
        Assert.Equal(calls, _bench.Vendor.Calls.Count);
        var lost = Assert.Single(_bench.Events.All, e => e.Reason == "StatusLost");
        Assert.True(lost.IsWarning);
        Assert.Contains(Bucket, lost.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_status_is_remembered_although_the_next_look_fails()
    {
        await StartAsync("Restore", None, allowDowngrade: true);
        _bench.Kubernetes.LoseStatus(Given.PolicyKey);
        _bench.Restart();
        _bench.Vendor.GoodSecret = "hush-changed";
        await _bench.ReconcileAsync();
        _bench.Vendor.GoodSecret = Workbench.GoodSecret;
        _bench.Time.Advance(TimeSpan.FromMinutes(2));

        await _bench.SettleAsync();

        Assert.Equal(OriginalEncryption.Unavailable, Assert.Single(_bench.Status.Buckets).Original?.State);
    }

    /// <summary>For a while the policy has a finalizer and keeps nothing; that is no loss.</summary>
    [Fact]
    public async Task A_bucket_that_takes_anothers_place_and_cannot_be_read_at_first_has_its_original_recorded()
    {
        await StartAsync("Restore", None, allowDowngrade: true);
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Vendor["bucket-b"] = None;
        _bench.Vendor.Faults = (_, call) =>
            call.Bucket == "bucket-b"
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500))
                : null;
        _bench.Put(
            (
                now with
                {
                    Spec = now.Spec with { Buckets = [new BucketReference { Name = "bucket-b" }] },
                }
            ).NextGeneration()
        );
        await _bench.ReconcileAsync();
        var between = _bench.Status.Buckets.Where(b => b.Name == "bucket-b").Select(b => (b.Name, b.Original)).ToList();
        _bench.Vendor.Faults = (_, _) => null;
        _bench.Time.Advance(TimeSpan.FromMinutes(1));

        await _bench.SettleAsync();

        Assert.Equal([("bucket-b", (OriginalEncryption?)null)], between);
        Assert.Equal(OriginalEncryption.Recorded, Assert.Single(_bench.Status.Buckets).Original?.State);
        Assert.Equal(None, _bench.Vendor[Bucket]);
    }

    [Fact]
    public async Task Restore_that_is_declared_after_the_first_write_has_no_original()
    {
        await StartAsync("Retain", None, allowDowngrade: true);
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = now.Spec with { DeletionPolicy = "Restore" } }).NextGeneration());

        await _bench.SettleAsync();

        Assert.Equal(OriginalEncryption.Unavailable, Assert.Single(_bench.Status.Buckets).Original?.State);
    }

    [Fact]
    public async Task An_original_that_is_too_large_is_refused_before_anything_is_written()
    {
        _bench.Vendor.SetDocument(
            Bucket,
            Document(
                "KMS",
                "<KMSMasterKeyID>k-9</KMSMasterKeyID><Future>" + new string('x', Original.MaxDocument) + "</Future>"
            )
        );
        var policy = Given
            .Policy(Bucket)
            .With(
                new EncryptionSpec
                {
                    Algorithm = "KMS",
                    KmsKey = new KmsKeySpec { Id = "k-1" },
                }
            );

        await _bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore" } }).ReconcileAsync();
        // What the first look has put on record must not look like a lost status to the second
        await _bench.ReconcileAsync();

        Assert.Equal(0, _bench.Vendor.Count("Put"));
        Assert.False(PolicyFinalizer.IsOn(_bench.Kubernetes.Read(Given.PolicyKey)));
        Assert.Equal("OriginalTooLarge", Assert.Single(_bench.Status.Buckets).Error?.Code);
    }

    /// <summary>Whatever was there, unknown elements included, is there again.</summary>
    [Fact]
    public async Task A_hundred_random_originals_come_back_with_equal_XML()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var format = new OssDialect().Document;
        for (var i = 0; i < 100; i++)
        {
            await using var bench = new Workbench();
            var original = RandomOriginal(random);
            bench.Vendor[Bucket] = None;
            bench.Vendor.SetDocument(Bucket, original);
            var policy = Given.Policy(Bucket).With(RandomDeclaration(random));
            await bench
                .Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore", AllowDowngrade = true } })
                .SettleAsync();
            if (random.Next(2) == 0)
                bench.Restart();

            bench.Delete(Given.PolicyKey);
            await bench.SettleAsync();

            Assert.Null(bench.Kubernetes.Find(Given.PolicyKey));
            Assert.Equal(
                original is null ? null : format.Repeat(original),
                bench.Vendor.Document(Bucket) is { } now ? format.Repeat(now) : null
            );
        }
    }

    private static string? RandomOriginal(Random random)
    {
        var extra =
            random.Next(3) == 0 ? "" : $"<Future a=\"{random.Next(100)}\"><Deep>{random.Next()}</Deep></Future>";
        return random.Next(6) switch
        {
            0 => null,
            1 => Document("AES256", extra),
            2 => Document("SM4", extra),
            3 => Document("KMS", extra),
            4 => Document(
                "KMS",
                $"<KMSMasterKeyID>k-{random.Next(3)}</KMSMasterKeyID>{extra}<KMSDataEncryption>SM4</KMSDataEncryption>"
            ),
            _ => Document("AES512", extra),
        };
    }

    private static EncryptionSpec RandomDeclaration(Random random) =>
        random.Next(4) switch
        {
            0 => new EncryptionSpec { Algorithm = "None" },
            1 => new EncryptionSpec { Algorithm = "AES256" },
            2 => new EncryptionSpec { Algorithm = "KMS" },
            _ => new EncryptionSpec
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                KmsDataEncryption = "AES256",
            },
        };

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
