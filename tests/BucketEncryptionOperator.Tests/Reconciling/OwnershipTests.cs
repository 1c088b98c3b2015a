using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Several policies that name one bucket: one keeps it, and the others say so.</summary>
public sealed class OwnershipTests : IAsyncLifetime
{
    private const string Bucket = "shared-bucket";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Key1 = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
    private static readonly EncryptionSpec WantKey1 = new()
    {
        Algorithm = "KMS",
        KmsKey = new KmsKeySpec { Id = "k-1" },
    };

    private readonly Workbench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Drift_that_the_younger_finds_is_the_olders_to_correct()
    {
        var (older, younger) = await TwoAsync(WantKey1, WantKey1);
        _bench.Vendor[Bucket] = None;
        _bench.Woken.Clear();

        await _bench.ReconcileAsync(younger);
        var between = Ready(younger);
        await _bench.SettleAsync(older);
        await _bench.SettleAsync(younger);

        Assert.Equal(("Unknown", "HeldByAnother"), between);
        Assert.Contains(older, _bench.Woken);
        Assert.Equal(("True", "InSync"), Ready(younger));
        Assert.Equal(Key1, _bench.Vendor[Bucket]);
    }

    [Fact]
    public async Task A_squatter_without_working_keys_never_holds()
    {
        _bench.Vendor[Bucket] = None;
        var squatter = Policy("squatter", new EncryptionSpec { Algorithm = "SM4" }, age: 1);
        Start(squatter with { Spec = squatter.Spec with { StoreRef = new StoreReference { Name = "no-keys" } } });
        _bench.Put(
            Given.Store() with
            {
                Metadata = Given.Store().Metadata with { Name = "no-keys" },
                Spec = Given.Store().Spec with
                {
                    Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "bad" } },
                },
            }
        );
        _bench.Kubernetes.PutSecret(
            new NamespacedName(Given.Namespace, "bad"),
            ("accessKeyId", "LTAI"),
            ("accessKeySecret", "hush-bad")
        );
        _bench.Put(Policy("worker", WantKey1, age: 2));

        await _bench.ReconcileAsync(Key("squatter"));
        await _bench.SettleAsync(Key("worker"));
        await _bench.ReconcileAsync(Key("squatter"));

        Assert.Equal(("False", "CredentialsRejected"), Ready(Key("squatter")));
        Assert.Equal(("True", "InSync"), Ready(Key("worker")));
        Assert.Equal(Key1, _bench.Vendor[Bucket]);
    }

    [Fact]
    public async Task A_deleted_holders_bucket_goes_to_the_heir_and_nothing_is_written_for_the_deletion()
    {
        var (older, younger) = await TwoAsync(
            new EncryptionSpec { Algorithm = "AES256" },
            WantKey1,
            p => p with { DeletionPolicy = "Restore" }
        );
        var calls = _bench.Vendor.Calls.Count;

        _bench.Delete(older);
        await _bench.ReconcileAsync(older);
        var deleted = _bench.Vendor.Calls.Skip(calls).Count(c => c.Operation != "Get");
        await _bench.SettleAsync(younger);

        Assert.Null(_bench.Kubernetes.Find(older));
        Assert.Equal(0, deleted);
        Assert.Contains(younger, _bench.Woken);
        Assert.Equal(Key1, _bench.Vendor[Bucket]);
        Assert.Equal(
            (OriginalEncryption.Recorded, "None"),
            (Row(younger).Original?.State, Row(younger).Original?.Encryption?.Algorithm)
        );
    }

    [Fact]
    public async Task A_holder_without_keys_goes_all_the_same_where_there_is_an_heir()
    {
        var (older, younger) = await TwoAsync(
            new EncryptionSpec { Algorithm = "AES256" },
            WantKey1,
            p => p with { DeletionPolicy = "Restore" }
        );
        var store = Given.Store() with
        {
            Metadata = Given.Store().Metadata with { ResourceVersion = "2", Generation = 2 },
        };
        _bench.Put(
            store with
            {
                Spec = store.Spec with
                {
                    Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "nowhere" } },
                },
            }
        );

        _bench.Delete(older);
        await _bench.ReconcileAsync(older);

        Assert.Null(_bench.Kubernetes.Find(older));
        Assert.Equal(OriginalEncryption.Recorded, Row(younger).Original?.State);
    }

    /// <summary>Two that agree, and neither can do it: they must not keep waking each other.</summary>
    [Fact]
    public async Task Waiting_for_a_holder_that_cannot_write_gets_slower()
    {
        var (_, younger) = await TwoAsync(WantKey1, WantKey1);
        _bench.Vendor[Bucket] = new BucketEncryption.Other("AES512"); // a downgrade, refused to both

        var waits = new List<ReconcileResult>();
        for (var i = 0; i < 3; i++)
            waits.Add(await _bench.ReconcileAsync(younger));

        Assert.All(waits, w => Assert.IsType<ReconcileResult.Retry>(w));
    }

    [Theory]
    [InlineData("an Audit policy holds nothing", "Audit", false, "KMS")]
    [InlineData("a suspended one keeps what it has", "Enforce", true, "AES256")]
    public async Task Who_does_not_write_holds_or_not(string sentence, string mode, bool suspend, string expected)
    {
        var (older, younger) = await TwoAsync(new EncryptionSpec { Algorithm = "AES256" }, WantKey1);
        var resting = _bench.Kubernetes.Read(older);
        _bench.Put((resting with { Spec = resting.Spec with { Mode = mode, Suspend = suspend } }).NextGeneration());

        await _bench.SettleAsync(older);
        await _bench.SettleAsync(younger);

        Assert.True(expected == (_bench.Vendor[Bucket] is BucketEncryption.Kms ? "KMS" : "AES256"), sentence);
    }

    [Fact]
    public async Task A_restart_forgets_no_claim()
    {
        var (_, younger) = await TwoAsync(new EncryptionSpec { Algorithm = "AES256" }, WantKey1);
        _bench.Restart();

        await _bench.SettleAsync(younger);

        Assert.Equal(("False", "BucketConflict"), Ready(younger));
        Assert.Equal(Aes, _bench.Vendor[Bucket]);
    }

    /// <summary>
    /// Whoever has just started would leave a settled policy for its own time; one that has been woken is not settled.
    /// </summary>
    [Fact]
    public async Task An_heir_looks_at_once_although_the_process_has_just_started()
    {
        var (older, younger) = await TwoAsync(WantKey1, WantKey1, p => p with { DeletionPolicy = "Restore" });
        _bench.Restart();
        _bench.Delete(older);
        await _bench.ReconcileAsync(older);
        var calls = _bench.Vendor.Calls.Count;

        await _bench.ReconcileAsync(younger);

        Assert.Contains(younger, _bench.Woken);
        Assert.Equal(calls + 1, _bench.Vendor.Calls.Count);
        Assert.NotNull(Row(younger).HeldTime);
    }

    [Fact]
    public async Task A_bucket_of_another_partition_is_another_bucket()
    {
        await using var bench = new Workbench(partitions: new Partitions(["apart=oss-cn-shanghai.aliyuncs.com"]));
        bench.Vendor[Bucket] = None;
        bench.Start(Policy("older", new EncryptionSpec { Algorithm = "AES256" }, age: 1));
        bench.Put(
            Given.Store() with
            {
                Metadata = Given.Store().Metadata with { Name = "apart" },
                Spec = Given.Store().Spec with { Region = "cn-shanghai" },
            }
        );
        var younger = Policy("younger", WantKey1, age: 2);
        bench.Put(younger with { Spec = younger.Spec with { StoreRef = new StoreReference { Name = "apart" } } });
        await bench.SettleAsync(Key("older"));

        await bench.SettleAsync(Key("younger"));

        Assert.Equal(("True", "InSync"), Ready(Key("younger"), bench));
        Assert.Empty(bench.Woken);
    }

    private static NamespacedName Key(string name) => new(Given.Namespace, name);

    private static BucketEncryptionPolicy Policy(string name, EncryptionSpec encryption, int age)
    {
        var policy = Given.Policy(Bucket).With(encryption);
        return policy with
        {
            Metadata = policy.Metadata with
            {
                Name = name,
                Uid = name,
                CreationTimestamp = DateTimeOffset.UnixEpoch.AddDays(age),
            },
        };
    }

    private void Start(BucketEncryptionPolicy policy) => _bench.Start(policy);

    private async Task<(NamespacedName Older, NamespacedName Younger)> TwoAsync(
        EncryptionSpec older,
        EncryptionSpec younger,
        Func<PolicySpec, PolicySpec>? both = null
    )
    {
        _bench.Vendor[Bucket] = None;
        var (first, second) = (Policy("older", older, age: 1), Policy("younger", younger, age: 2));
        Start(first with { Spec = (both ?? (s => s))(first.Spec) });
        _bench.Put(second with { Spec = (both ?? (s => s))(second.Spec) });
        await _bench.SettleAsync(Key("older"));
        await _bench.SettleAsync(Key("younger"));
        return (Key("older"), Key("younger"));
    }

    private (string Status, string Reason) Ready(NamespacedName key, Workbench? bench = null) =>
        (bench ?? _bench).Kubernetes.Read(key).Status!.Conditions.Find("Ready") is { } ready
            ? (ready.Status, ready.Reason)
            : ("", "");

    private BucketStatus Row(NamespacedName key) => _bench.Kubernetes.Read(key).Status!.Buckets.Single();
}
