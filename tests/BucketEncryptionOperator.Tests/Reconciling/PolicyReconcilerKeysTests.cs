using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What becomes of policies whose keys are rejected, replaced, or not given.</summary>
public sealed class PolicyReconcilerKeysTests : IAsyncLifetime
{
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();

    private readonly Workbench _bench = new(bucketConcurrency: 8);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task A_rejected_key_costs_one_call_for_a_hundred_buckets_and_mends_with_a_new_Secret()
    {
        var names = Enumerable.Range(0, 100).Select(i => $"bucket-{i}").ToArray();
        foreach (var name in names)
            _bench.Vendor[name] = None;
        _bench.Vendor.GoodSecret = "hush-other";
        await _bench.Start(Given.Policy(names)).ReconcileAsync();
        var first = _bench.Vendor.Calls.Count;
        for (var i = 0; i < 10; i++)
        {
            _bench.Time.Advance(TimeSpan.FromSeconds(5));
            await _bench.ReconcileAsync();
        }
        var (calls, patches) = (_bench.Vendor.Calls.Count, _bench.Patches);
        AssertReady("False", "CredentialsRejected");
        Assert.Contains(
            "bucket-0: SignatureDoesNotMatch",
            _bench.Status.Conditions.Find("Ready")!.Message,
            StringComparison.Ordinal
        );
        Assert.All(_bench.Status.Buckets, b => Assert.Equal("SignatureDoesNotMatch", b.Error!.Code));
        _bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush-other"));
        _bench.Time.Advance(TimeSpan.FromSeconds(5));

        await _bench.ReconcileAsync();

        Assert.Equal((1, 1, 1), (first, calls, patches));
        Assert.All(names, n => Assert.Equal(Aes, _bench.Vendor[n]));
        AssertReady("True", "InSync");
    }

    [Fact]
    public async Task A_key_that_is_replaced_in_the_Secret_and_then_switched_off_is_never_spoken_of()
    {
        string[] names = ["bucket-a", "bucket-b", "bucket-c"];
        foreach (var name in names)
            _bench.Vendor[name] = None;
        await _bench.Start(Given.Policy(names)).ReconcileAsync();
        var patches = _bench.Patches;
        _bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush-other"));
        _bench.Vendor.GoodSecret = "hush-other";
        _bench.Vendor["bucket-b"] = None; // drift, so that there is something to do with the new key
        _bench.Time.Advance(TimeSpan.FromMinutes(1)); // not yet time to read the Secret again

        await _bench.ReconcileAsync();

        AssertReady("True", "InSync");
        Assert.Equal(Aes, _bench.Vendor["bucket-b"]);
        Assert.Equal(patches + 2, _bench.Patches); // before and after the write to bucket-b; nothing about the key
        Assert.DoesNotContain(_bench.Logs, l => l.Contains("SignatureDoesNotMatch", StringComparison.Ordinal));
    }

    /// <summary>
    /// The vendor's clock goes before ours: a key may end there first. Buckets that met it are looked at again with the
    /// next one.
    /// </summary>
    [Fact]
    public async Task A_temporary_key_that_the_vendor_calls_expired_is_renewed_at_once_and_never_spoken_of()
    {
        await using var bench = new Workbench(ambient: true);
        var buckets = Enumerable.Range(0, 20).Select(i => $"bucket-{i}").ToArray();
        foreach (var bucket in buckets)
            bench.Vendor[bucket] = Aes;
        var given = 0;
        bench.Vendor.GoodSecret = "hush-1";
        bench.Fetch = _ => new TemporaryKey(
            new AccessKey($"id-{++given}", $"hush-{given}", "hush-token"),
            TimeSpan.FromHours(1)
        );
        bench.Put(WithRole(Given.Store()));
        bench.Put(Given.Policy(buckets));
        await bench.SettleAsync();
        var (patches, calls) = (bench.Patches, bench.Vendor.Calls.Count);

        bench.Vendor.GoodSecret = "hush-2";
        await bench.ReconcileAsync();

        // One call met the old key
        Assert.Equal((2, patches, calls + 21), (given, bench.Patches, bench.Vendor.Calls.Count));
        Assert.Equal("True", bench.Status.Conditions.Find("Ready")?.Status);
    }

    [Fact]
    public async Task The_operators_own_identity_in_a_store_of_a_namespace_is_refused_and_says_which_flag_allows_it()
    {
        _bench.Put(WithRole(Given.Store()));
        _bench.Put(Given.Policy());

        var requeue = await _bench.ReconcileAsync();

        AssertReady("False", "AmbientNotAllowed");
        Assert.Equal("True", _bench.Status.Conditions.Find("Stalled")?.Status);
        Assert.Contains(
            "--ambient-credentials-in-namespaced-stores",
            _bench.Status.Conditions.Find("Ready")?.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(ReconcileResult.OnChange, requeue);
        Assert.Empty(_bench.Vendor.Calls);
    }

    [Fact]
    public async Task Keys_that_are_not_given_say_which_step_failed_and_mend_by_themselves()
    {
        await using var bench = new Workbench(ambient: true);
        bench.Vendor["finance-archive"] = Aes;
        bench.Vendor.GoodSecret = "hush-1";
        bench.Fetch = _ =>
            throw new KeySourceException(
                new Failure(FailureKind.Denied, "AssumeRoleWithOIDC", "NoPermission")
                {
                    Message = "AssumeRoleWithOIDC was refused.",
                    Hint = "Check the role.",
                    ConcernsCredentials = true,
                }
            );
        bench.Put(WithRole(Given.Store()));
        bench.Put(Given.Policy());

        var requeue = await bench.ReconcileAsync();
        var ready = bench.Status.Conditions.Find("Ready");
        bench.Fetch = _ => new TemporaryKey(new AccessKey("id", "hush-1", "hush-token"), TimeSpan.FromHours(1));
        bench.Time.Advance(TimeSpan.FromSeconds(5));
        await bench.ReconcileAsync();

        Assert.Equal(
            ("False", "NoPermission", "AssumeRoleWithOIDC was refused. Check the role."),
            (ready?.Status, ready?.Reason, ready?.Message)
        );
        Assert.Equal(new ReconcileResult.After(TimeSpan.FromSeconds(5)), requeue);
        Assert.Equal("True", bench.Status.Conditions.Find("Ready")?.Status);
    }

    [Fact]
    public async Task A_vendor_that_fails_when_a_rejected_key_is_probed_changes_nothing_in_the_status()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.GoodSecret = "hush-other";
        await _bench.Start(Given.Policy()).ReconcileAsync();
        var before = _bench.Status;
        _bench.Vendor.Faults = (_, _) =>
            new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500));
        _bench.Time.Advance(TimeSpan.FromMinutes(1));

        await _bench.ReconcileAsync();

        Assert.Equal(2, _bench.Vendor.Calls.Count);
        AssertReady("False", "CredentialsRejected");
        Assert.Equal((1, before.Conditions.Find("Ready")), (_bench.Patches, _bench.Status.Conditions.Find("Ready")));
    }

    private static BucketStore WithRole(BucketStore store) =>
        store with
        {
            Spec = store.Spec with { Credentials = new CredentialsSpec { EcsRamRole = new EcsRamRoleSpec() } },
        };

    private void AssertReady(string status, string reason)
    {
        var ready = _bench.Status.Conditions.Find("Ready")!;
        Assert.Equal((status, reason), (ready.Status, ready.Reason));
    }
}
