using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>A write acts on fresh evidence, on a record, and on the present word of whoever owns the policy.</summary>
public sealed partial class WriteGateTests : IAsyncDisposable
{
    private const string Bucket = "finance-archive";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Key1 = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
    private static readonly EncryptionSpec WantKey1 = new()
    {
        Algorithm = "KMS",
        KmsKey = new KmsKeySpec { Id = "k-1" },
    };
    private static readonly EncryptionSpec WantAes = new() { Algorithm = "AES256" };
    private static readonly string[] Many = [.. Enumerable.Range(0, 256).Select(i => $"bucket-{i}")];

    private readonly ITestOutputHelper _output;
    private readonly InMemoryVendor _vendor = new() { GoodSecret = Workbench.GoodSecret };
    private readonly HookedVendor _hooked;
    private readonly Workbench _bench;

    public WriteGateTests(ITestOutputHelper output)
    {
        _output = output;
        _hooked = new HookedVendor((_, _) => _vendor);
        _bench = new Workbench(real: ("AlibabaOSS", _hooked));
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_policy_that_takes_over_while_another_one_writes_does_not_weaken_what_that_one_wrote()
    {
        (_vendor[Bucket], _vendor["other-bucket"]) = (None, None);
        _bench.Start(Policy("older", WantAes, age: 1, Bucket, "other-bucket")); // may not weaken
        _bench.Put(Policy("younger", WantKey1, age: 2));
        var (reached, go) = (
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
        );
        _hooked.Before = async (operation, address, _) =>
        {
            if (address.Bucket == "other-bucket" && reached.TrySetResult())
                await go.Task; // the older has read None, and is busy with its other bucket
        };

        var older = _bench.ReconcileAsync([Key("older")], 1);
        await reached.Task;
        await _bench.ReconcileAsync([Key("younger")], 1);
        var between = _vendor[Bucket];
        go.SetResult();
        await older;
        await _bench.SettleAsync(Key("older"));

        Assert.Equal(Key1, between);
        Assert.Equal(Key1, _vendor[Bucket]);
        Assert.Equal("DowngradeRefused", Row("older", Bucket).Error?.Code);
    }

    [Fact]
    public async Task What_another_tool_sets_between_look_and_write_is_not_weakened()
    {
        Fill(Many);
        _bench.Start(Policy("p", WantAes, age: 1, Many));
        _hooked.Before = (operation, address, _) =>
        {
            if (operation == "Put" && address.Bucket == Many[0])
            {
                _vendor[Many[^1]] = Key1;
                _bench.Time.Advance(TimeSpan.FromSeconds(1)); // the looks are not fresh any more
            }
            return Task.CompletedTask;
        };

        await _bench.ReconcileAsync([Key("p")], 1);

        Assert.Equal(Key1, _vendor[Many[^1]]);
        Assert.Equal("DowngradeRefused", Row("p", Many[^1]).Error?.Code);
    }

    /// <summary>The answer was made before another policy of this operator wrote, and arrives long after.</summary>
    [Fact]
    public async Task A_read_is_as_old_as_its_request()
    {
        (_vendor["other-bucket"], _vendor[Bucket]) = (None, None);
        _bench.Start(Policy("older", WantAes, age: 1, "other-bucket", Bucket)); // may not weaken
        _bench.Put(Policy("younger", WantKey1, age: 2));
        var (reached, go) = (
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
        );
        _hooked.AfterLook = async (address, _) =>
        {
            if (address.Bucket == Bucket && reached.TrySetResult())
                await go.Task;
        };

        var older = _bench.ReconcileAsync([Key("older")], 1);
        await reached.Task;
        await _bench.ReconcileAsync([Key("younger")], 1);
        _bench.Time.Advance(WriteHistory.ReadLag);
        go.SetResult();
        await older;

        Assert.Equal(Key1, _vendor[Bucket]);
        Assert.Equal("DowngradeRefused", Row("older", Bucket).Error?.Code);
    }

    [Fact]
    public async Task A_read_that_came_right_after_another_policys_write_is_no_evidence_a_moment_later_either()
    {
        (_vendor[Bucket], _vendor.LaggingReads) = (None, 2); // one is the writer's own, which reads back
        _bench.Start(Policy("older", WantAes, age: 1)); // may not weaken
        _bench.Put(Policy("younger", WantKey1, age: 2));
        await _bench.ReconcileAsync([Key("younger")], 1);
        _bench.Time.Advance(WriteHistory.ReadLag - TimeSpan.FromMilliseconds(100));
        _hooked.AfterLook = (_, _) =>
        {
            _bench.Time.Advance(TimeSpan.FromMilliseconds(200));
            return Task.CompletedTask;
        };

        await _bench.ReconcileAsync([Key("older")], 1);

        Assert.Equal(Key1, _vendor[Bucket]);
        Assert.Equal("DowngradeRefused", Row("older", Bucket).Error?.Code);
    }

    /// <summary>The read before the write is not the one that the record was made of.</summary>
    [Fact]
    public async Task The_original_on_record_is_what_the_write_replaces()
    {
        var changed = new BucketEncryption.Kms("set-meanwhile", DataCipher.Aes256);
        _vendor[Bucket] = None;
        var policy = Policy("p", WantKey1, age: 1);
        _bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore" } });
        _hooked.Before = (operation, _, _) =>
        {
            if (operation == "Begin")
            {
                _hooked.Before = (_, _, _) => Task.CompletedTask;
                _vendor[Bucket] = changed;
                _bench.Time.Advance(TimeSpan.FromSeconds(2));
            }
            return Task.CompletedTask;
        };

        await _bench.SettleAsync(Key("p"));
        var written = _vendor[Bucket];
        var original = Row("p", Bucket).Original;
        _bench.Delete(Key("p"));
        await _bench.SettleAsync(Key("p"));

        Assert.Equal(Key1, written);
        Assert.Equal("set-meanwhile", original?.Encryption?.KmsKeyId);
        Assert.Equal(changed, _vendor[Bucket]);
    }

    [Fact]
    public async Task A_bucket_that_changes_before_each_write_is_left_for_the_next_look()
    {
        _vendor[Bucket] = None;
        var policy = Policy("p", WantKey1, age: 1);
        _bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore" } });
        var n = 0;
        _hooked.Before = (operation, _, _) =>
        {
            if (operation == "Begin")
            {
                _vendor[Bucket] = new BucketEncryption.Kms($"theirs-{++n}", DataCipher.Aes256);
                _bench.Time.Advance(TimeSpan.FromSeconds(2));
            }
            return Task.CompletedTask;
        };

        var requeue = (await _bench.ReconcileAsync([Key("p")], 1))[0];

        Assert.Equal(0, _vendor.Count("Put"));
        Assert.Equal(3, n);
        Assert.Equal("KeepsChanging", Row("p", Bucket).Error?.Code);
        Assert.IsType<KubeRuntime.Controllers.ReconcileResult.Retry>(requeue);
    }

    [Theory]
    [InlineData("suspend")]
    [InlineData("another encryption")]
    [InlineData("mode Audit")]
    [InlineData("deletion")]
    [InlineData("another key in the store")]
    [InlineData("a lost lease")]
    public async Task A_running_pass_stops_before_its_next_write(string change)
    {
        Fill(Many);
        _bench.Start(Policy("p", WantKey1, age: 1, Many));
        _hooked.Before = (operation, address, _) =>
        {
            if (operation != "Put" || address.Bucket != Many[0])
                return Task.CompletedTask;
            var now = _bench.Kubernetes.Read(Key("p"));
            switch (change)
            {
                case "suspend":
                    _bench.Put((now with { Spec = now.Spec with { Suspend = true } }).NextGeneration());
                    break;
                case "another encryption":
                    _bench.Put(now.With(WantAes).NextGeneration());
                    break;
                case "mode Audit":
                    _bench.Put((now with { Spec = now.Spec with { Mode = "Audit" } }).NextGeneration());
                    break;
                case "deletion":
                    _bench.Delete(Key("p"));
                    break;
                case "another key in the store":
                    var store = Given.Store();
                    _bench.Put(
                        store with
                        {
                            Metadata = store.Metadata with { ResourceVersion = "2", Generation = 2 },
                            Spec = store.Spec with
                            {
                                Credentials = new CredentialsSpec
                                {
                                    SecretRef = new SecretReference { Name = "other-keys" },
                                },
                            },
                        }
                    );
                    break;
                default:
                    _bench.MayWrite = false;
                    break;
            }
            return Task.CompletedTask;
        };

        await _bench.ReconcileAsync([Key("p")], 1);

        _output.WriteLine($"{change}: {_vendor.Count("Put")} PUTs, and {_vendor.Count("Get")} GETs of 256 looks");
        Assert.Equal(0, _vendor.Count("Put")); // the change came before the first was sent; one bucket at a time
        Assert.InRange(_vendor.Count("Get"), 256, 257);
    }

    [Fact]
    public async Task A_read_that_may_lag_behind_a_write_of_the_operators_own_is_no_evidence()
    {
        _vendor[Bucket] = None;
        _bench.Start(Policy("p", WantKey1, age: 1));
        await _bench.ReconcileAsync(Key("p"));
        _vendor[Bucket] = None; // or a read that lags: the operator cannot tell
        var puts = _vendor.Count("Put");

        await _bench.ReconcileAsync(Key("p"));
        var atOnce = _vendor.Count("Put") - puts;
        _bench.Time.Advance(TimeSpan.FromSeconds(3));
        await _bench.ReconcileAsync(Key("p"));

        Assert.Equal(0, atOnce);
        Assert.Equal(1, _vendor.Count("Put") - puts);
    }

    /// <summary>
    /// Slow status writes, reads that lag by 3 s, and looks that are a second old when their turn comes: the write
    /// comes all the same.
    /// </summary>
    [Fact]
    public async Task Slowness_delays_a_write_and_does_not_prevent_it()
    {
        string[] buckets = ["bucket-a", "bucket-b", "bucket-c"];
        Fill(buckets);
        _vendor.LaggingReads = 1;
        var policy = Policy("p", WantKey1, age: 1, buckets);
        _bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore" } });
        _bench.Kubernetes.Faults = (_, line) =>
        {
            if (line.StartsWith("PATCH", StringComparison.Ordinal))
                _bench.Time.Advance(TimeSpan.FromSeconds(5));
            return null;
        };
        _hooked.Before = (operation, _, _) =>
        {
            if (operation == "Begin")
                _bench.Time.Advance(TimeSpan.FromSeconds(2)); // a request a second, two at once
            return Task.CompletedTask;
        };

        for (var i = 0; i < 10; i++)
        {
            await _bench.ReconcileAsync([Key("p")], 1);
            _bench.Time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.All(buckets, b => Assert.Equal(Key1, _vendor[b]));
        Assert.Equal(3, _vendor.Count("Put"));
    }

    private void Fill(IEnumerable<string> buckets)
    {
        foreach (var bucket in buckets)
            _vendor[bucket] = None;
    }

    private BucketStatus Row(string policy, string bucket) =>
        _bench.Kubernetes.Read(Key(policy)).Status!.Buckets.Single(b => b.Name == bucket);

    private static NamespacedName Key(string name) => new(Given.Namespace, name);

    private static BucketEncryptionPolicy Policy(
        string name,
        EncryptionSpec encryption,
        int age,
        params string[] buckets
    )
    {
        var policy = Given.Policy(buckets.Length == 0 ? [Bucket] : buckets).With(encryption);
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
}
