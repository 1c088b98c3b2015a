using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Alibaba;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class ReleaseTests
{
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
}
