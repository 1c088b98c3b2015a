using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Conditions;
using KubeRuntime.Control;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class PolicyReconcilerTests : IAsyncLifetime
{
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Key1 = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

    private readonly Workbench _bench = new(bucketConcurrency: 8);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task An_open_bucket_is_encrypted_with_one_write_and_one_patch()
    {
        _bench.Vendor["finance-archive"] = None;

        var requeue = await _bench.Start(Given.Policy()).ReconcileAsync();

        Assert.Equal(Aes, _bench.Vendor["finance-archive"]);
        Assert.Equal(["Get", "Put", "Get"], _bench.Vendor.Calls.Select(c => c.Operation));
        Assert.Equal(1, _bench.Patches);
        AssertReady("True", "InSync");
        Assert.Equal(_bench.Time.GetUtcNow(), Assert.Single(_bench.Status.Buckets).LastAppliedTime);
        AssertWithin(TimeSpan.FromMinutes(10), requeue);
    }

    [Fact]
    public async Task A_settled_policy_costs_one_read_a_bucket_and_no_request_to_Kubernetes()
    {
        _bench.Vendor["bucket-a"] = None;
        _bench.Vendor["bucket-b"] = Aes;
        await _bench.Start(Given.Policy("bucket-a", "bucket-b")).SettleAsync();
        var (calls, requests, logs, events) = (_bench.Vendor.Calls.Count, _bench.Kubernetes.Requests.Count, _bench.Logs.Count, _bench.Events.All.Count);

        for (var i = 0; i < 3; i++)
        {
            _bench.Time.Advance(TimeSpan.FromMinutes(1));
            await _bench.ReconcileAsync();
        }

        Assert.Equal(Enumerable.Repeat("Get", 6), _bench.Vendor.Calls.Skip(calls).Select(c => c.Operation));
        Assert.Equal(requests, _bench.Kubernetes.Requests.Count);
        Assert.Equal(logs, _bench.Logs.Count);
        Assert.Equal(events, _bench.Events.All.Count);
    }

    [Fact]
    public async Task Five_minutes_later_the_Secret_is_read_again_and_nothing_else()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        var requests = _bench.Kubernetes.Requests.Count;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileAsync();

        Assert.Equal(["GET /api/v1/namespaces/team-a/secrets/oss-keys"], _bench.Kubernetes.Requests.Skip(requests));
    }

    [Fact]
    public async Task Without_the_lease_nothing_is_written_and_nothing_is_said_of_it()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor["finance-archive"] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));
        var (calls, patches) = (_bench.Vendor.Calls.Count, _bench.Patches);
        _bench.MayWrite = false;

        var requeue = await _bench.ReconcileAsync();

        Assert.IsType<Requeue.Retry>(requeue);
        Assert.Equal(["Get"], _bench.Vendor.Calls.Skip(calls).Select(c => c.Operation));
        Assert.Equal(patches, _bench.Patches);
        _bench.MayWrite = true;
        await _bench.ReconcileAsync();
        Assert.Equal(Aes, _bench.Vendor["finance-archive"]);
    }

    [Fact]
    public async Task Drift_is_mended()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor["finance-archive"] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileAsync();

        Assert.Equal(Aes, _bench.Vendor["finance-archive"]);
        AssertReady("True", "InSync");
    }

    [Fact]
    public async Task Declared_none_with_consent_removes_the_encryption()
    {
        _bench.Vendor["finance-archive"] = Key1;
        var policy = Given.Policy().With(new EncryptionSpec { Algorithm = "None" });

        await _bench.Start(policy with { Spec = policy.Spec with { AllowDowngrade = true } }).ReconcileAsync();

        Assert.Equal(None, _bench.Vendor["finance-archive"]);
        Assert.Equal(["Get", "Delete", "Get"], _bench.Vendor.Calls.Select(c => c.Operation));
        AssertReady("True", "InSync");
    }

    [Fact]
    public async Task A_downgrade_without_consent_writes_nothing_and_stalls()
    {
        _bench.Vendor["finance-archive"] = Key1;

        await _bench.Start(Given.Policy()).ReconcileAsync();

        Assert.Equal(["Get"], _bench.Vendor.Calls.Select(c => c.Operation));
        AssertReady("False", "DowngradeRefused");
        Assert.NotNull(_bench.Status.Conditions.Find("Stalled"));
        Assert.Equal("False", _bench.Status.Conditions.Find("Compliant")?.Status);
    }

    /// <summary>A text that names what the bucket had must not stay when the bucket has something else.</summary>
    [Fact]
    public async Task A_refusal_speaks_of_what_the_bucket_has_now()
    {
        _bench.Vendor["finance-archive"] = Key1;
        await _bench.Start(Given.Policy()).ReconcileAsync();
        _bench.Vendor["finance-archive"] = new BucketEncryption.Kms("k-2", DataCipher.Aes256);
        _bench.Time.Advance(TimeSpan.FromHours(1));

        await _bench.ReconcileAsync();

        Assert.Contains("k-2", Assert.Single(_bench.Status.Buckets).Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_that_lag_cost_no_second_write()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.LaggingReads = 2;

        await _bench.Start(Given.Policy()).ReconcileAsync();
        var during = _bench.Status;
        await _bench.SettleAsync();

        Assert.Equal(("Unknown", "Confirming"), (during.Conditions.Find("Ready")!.Status, during.Conditions.Find("Ready")!.Reason));
        Assert.NotNull(during.Conditions.Find("Reconciling"));
        Assert.Equal(1, _bench.Vendor.Count("Put"));
        AssertReady("True", "InSync");
    }

    /// <summary>A day of a vendor that drops what it is told: 3 writes until the fuse blows, then at ever longer distance.</summary>
    [Fact]
    public async Task A_vendor_that_drops_writes_blows_a_fuse()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.DropsWrites = true;
        _bench.Start(Given.Policy());

        var end = _bench.Time.GetUtcNow().AddDays(1);
        while (_bench.Time.GetUtcNow() < end)
            _bench.Time.Advance(Assert.IsType<Requeue.After>(await _bench.ReconcileAsync()).Delay);

        AssertReady("False", "NotConverging");
        Assert.NotNull(_bench.Status.Conditions.Find("Stalled"));
        Assert.InRange(_bench.Vendor.Count("Put"), 8, 11);
        Assert.InRange(_bench.Patches, 8, 24); // each repeated write is counted before it is sent, and told when it was
    }

    [Fact]
    public async Task A_blown_fuse_survives_a_restart_and_a_change_of_the_spec_mends_it()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.DropsWrites = true;
        await _bench.Start(Given.Policy()).SettleAsync();
        var writes = _bench.Vendor.Count("Put");
        var stored = _bench.Kubernetes.Read(Given.PolicyKey);
        await using var restarted = new Workbench();
        restarted.Vendor["finance-archive"] = None;
        restarted.Time.Advance(_bench.Time.GetUtcNow() - restarted.Time.GetUtcNow());
        restarted.Start(stored);

        await restarted.ReconcileAsync();
        var afterRestart = restarted.Vendor.Count("Put");
        restarted.Put(stored.NextGeneration().With(new EncryptionSpec { Algorithm = "SM4" }));
        await restarted.ReconcileAsync();

        Assert.Equal((3, 0), (writes, afterRestart));
        Assert.Equal(1, restarted.Vendor.Count("Put"));
    }

    /// <summary>The write happened; that it could not be read back must not make it forgotten, or the next try would write again.</summary>
    [Fact]
    public async Task A_write_whose_read_back_fails_is_counted()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.LaggingReads = 1;
        _bench.Vendor.Faults = (n, _) => n == 3 ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500)) : null;

        await _bench.Start(Given.Policy()).ReconcileAsync();
        var row = Assert.Single(_bench.Status.Buckets);
        await _bench.SettleAsync();

        Assert.Equal(("Confirming", 1), (row.Error?.Code, row.Writes?.Count));
        Assert.NotNull(row.LastAppliedTime);
        Assert.Equal(1, _bench.Vendor.Count("Put"));
        AssertReady("True", "InSync");
    }

    [Fact]
    public async Task A_missing_bucket_is_waited_for_and_then_stalls_and_its_coming_mends_it()
    {
        var requeue = await _bench.Start(Given.Policy()).ReconcileAsync();
        var first = _bench.Status;
        AssertWithin(TimeSpan.FromMinutes(5), requeue);
        _bench.Time.Advance(TimeSpan.FromMinutes(5));
        requeue = await _bench.ReconcileAsync();
        var second = _bench.Status;
        AssertWithin(TimeSpan.FromMinutes(10), requeue);
        _bench.Vendor["finance-archive"] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileAsync();

        Assert.Equal(("False", "NoSuchBucket"), (first.Conditions.Find("Ready")!.Status, first.Conditions.Find("Ready")!.Reason));
        Assert.NotNull(first.Conditions.Find("Reconciling"));
        Assert.NotNull(second.Conditions.Find("Stalled"));
        Assert.Equal(first.Conditions.Find("Ready")!.LastTransitionTime, second.Conditions.Find("Ready")!.LastTransitionTime);
        AssertReady("True", "InSync");
    }

    [Fact]
    public async Task A_missing_store_and_a_missing_Secret_say_so()
    {
        _bench.Put(Given.Policy());
        await _bench.ReconcileAsync();
        var noStore = _bench.Status.Conditions.Find("Ready")!;
        _bench.Put(Given.Store());
        var requeue = await _bench.ReconcileAsync();
        var noSecret = _bench.Status.Conditions.Find("Ready")!;

        Assert.Equal(("False", "StoreNotFound"), (noStore.Status, noStore.Reason));
        Assert.Equal(("False", "SecretNotFound"), (noSecret.Status, noSecret.Reason));
        AssertWithin(TimeSpan.FromSeconds(5), requeue);
        Assert.Empty(_bench.Vendor.Calls);
    }

    [Fact]
    public async Task A_bad_spec_is_left_until_it_changes()
    {
        var requeue = await _bench.Start(Given.Policy().With(new EncryptionSpec { Algorithm = "AES512" })).ReconcileAsync();

        Assert.Same(Requeue.OnChange, requeue);
        AssertReady("False", "InvalidSpec");
        Assert.NotNull(_bench.Status.Conditions.Find("Stalled"));
    }

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
        Assert.Contains("bucket-0: SignatureDoesNotMatch", _bench.Status.Conditions.Find("Ready")!.Message, StringComparison.Ordinal);
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
        Assert.Equal(patches + 1, _bench.Patches); // bucket-b's time of the write; no word of the key
        Assert.DoesNotContain(_bench.Logs, l => l.Contains("SignatureDoesNotMatch", StringComparison.Ordinal));
    }

    /// <summary>The vendor's clock goes before ours: a key may end there first. Buckets that met it are looked at again with the next one.</summary>
    [Fact]
    public async Task A_temporary_key_that_the_vendor_calls_expired_is_renewed_at_once_and_never_spoken_of()
    {
        await using var bench = new Workbench(ambient: true);
        var buckets = Enumerable.Range(0, 20).Select(i => $"bucket-{i}").ToArray();
        foreach (var bucket in buckets)
            bench.Vendor[bucket] = Aes;
        var given = 0;
        bench.Vendor.GoodSecret = "hush-1";
        bench.Fetch = _ => new TemporaryKey(new AccessKey($"id-{++given}", $"hush-{given}", "hush-token"), TimeSpan.FromHours(1));
        bench.Put(WithRole(Given.Store()));
        bench.Put(Given.Policy(buckets));
        await bench.SettleAsync();
        var (patches, calls) = (bench.Patches, bench.Vendor.Calls.Count);

        bench.Vendor.GoodSecret = "hush-2";
        await bench.ReconcileAsync();

        Assert.Equal((2, patches, calls + 21), (given, bench.Patches, bench.Vendor.Calls.Count)); // one call met the old key
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
        Assert.Contains("--ambient-credentials-in-namespaced-stores", _bench.Status.Conditions.Find("Ready")?.Message, StringComparison.Ordinal);
        Assert.Equal(Requeue.OnChange, requeue);
        Assert.Empty(_bench.Vendor.Calls);
    }

    [Fact]
    public async Task Keys_that_are_not_given_say_which_step_failed_and_mend_by_themselves()
    {
        await using var bench = new Workbench(ambient: true);
        bench.Vendor["finance-archive"] = Aes;
        bench.Vendor.GoodSecret = "hush-1";
        bench.Fetch = _ => throw new KeySourceException(new Failure(FailureKind.Denied, "AssumeRoleWithOIDC", "NoPermission") { Message = "AssumeRoleWithOIDC was refused.", Hint = "Check the role.", ConcernsCredentials = true });
        bench.Put(WithRole(Given.Store()));
        bench.Put(Given.Policy());

        var requeue = await bench.ReconcileAsync();
        var ready = bench.Status.Conditions.Find("Ready");
        bench.Fetch = _ => new TemporaryKey(new AccessKey("id", "hush-1", "hush-token"), TimeSpan.FromHours(1));
        bench.Time.Advance(TimeSpan.FromSeconds(5));
        await bench.ReconcileAsync();

        Assert.Equal(("False", "NoPermission", "AssumeRoleWithOIDC was refused. Check the role."), (ready?.Status, ready?.Reason, ready?.Message));
        AssertWithin(TimeSpan.FromSeconds(5), requeue);
        Assert.Equal("True", bench.Status.Conditions.Find("Ready")?.Status);
    }

    [Fact]
    public async Task A_vendor_that_fails_when_a_rejected_key_is_probed_changes_nothing_in_the_status()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.GoodSecret = "hush-other";
        await _bench.Start(Given.Policy()).ReconcileAsync();
        var before = _bench.Status;
        _bench.Vendor.Faults = (_, _) => new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500));
        _bench.Time.Advance(TimeSpan.FromMinutes(1));

        await _bench.ReconcileAsync();

        Assert.Equal(2, _bench.Vendor.Calls.Count);
        AssertReady("False", "CredentialsRejected");
        Assert.Equal((1, before.Conditions.Find("Ready")), (_bench.Patches, _bench.Status.Conditions.Find("Ready")));
    }

    [Fact]
    public async Task One_denied_bucket_does_not_keep_the_others_from_being_mended()
    {
        _bench.Vendor["bucket-a"] = None;
        _bench.Vendor["bucket-c"] = None;
        _bench.Vendor.Faults = (_, call) => call.Bucket == "bucket-b" ? new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)) : null;

        await _bench.Start(Given.Policy("bucket-a", "bucket-b", "bucket-c")).ReconcileAsync();

        Assert.Equal((Aes, Aes), (_bench.Vendor["bucket-a"], _bench.Vendor["bucket-c"]));
        AssertReady("False", "AccessDenied");
        Assert.Equal("2/3", _bench.Status.Summary?.Text);
    }

    [Fact]
    public async Task A_failure_that_stays_patches_once_whatever_its_request_ids_and_texts()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.Faults = (n, call) =>
            call.Operation == "Put" ? new VendorFault(InMemoryVendor.Fail(FailureKind.Refused, "KeyDisabled", 409) with { Message = $"request {n}" }) : null;
        await _bench.Start(Given.Policy()).ReconcileAsync();
        var first = _bench.Status;

        for (var i = 0; i < 5; i++)
        {
            _bench.Time.Advance(TimeSpan.FromHours(1));
            await _bench.ReconcileAsync();
        }

        Assert.Equal(1, _bench.Patches);
        Assert.Equal("request 2", Assert.Single(first.Buckets).Error?.Message);
    }

    [Fact]
    public async Task Two_transient_failures_of_a_ready_policy_do_not_show_and_the_third_does()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor.Faults = (_, _) => new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500));
        _bench.Time.Advance(TimeSpan.FromMinutes(1));
        var patches = _bench.Patches;

        var first = await _bench.ReconcileAsync();
        var second = await _bench.ReconcileAsync();
        var before = _bench.Patches;
        AssertReady("True", "InSync");
        var third = await _bench.ReconcileAsync();

        Assert.Equal((patches, patches + 1), (before, _bench.Patches));
        AssertReady("Unknown", "InternalError");
        Assert.NotNull(_bench.Status.Conditions.Find("Reconciling"));
        Assert.All([first, second, third], r => Assert.Equal(new Requeue.Retry(TimeSpan.FromSeconds(1)), r));
    }

    /// <summary>What the status said of the Secret stays true until the API server says otherwise.</summary>
    [Fact]
    public async Task A_transient_failure_to_read_the_Secret_does_not_change_what_the_status_says()
    {
        _bench.Put(Given.Policy());
        _bench.Put(Given.Store());
        await _bench.ReconcileAsync();
        var patches = _bench.Patches;
        _bench.Kubernetes.Faults = (_, line) => line.StartsWith("GET", StringComparison.Ordinal) ? KubernetesFake.Status(500, "InternalError") : null;
        _bench.Time.Advance(TimeSpan.FromSeconds(5));

        await _bench.ReconcileAsync();

        AssertReady("False", "SecretNotFound");
        Assert.Equal(patches, _bench.Patches);
    }

    [Fact]
    public async Task A_bug_is_told_as_one_and_the_next_try_mends_it()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.Faults = (n, _) => n == 1 ? throw new InvalidOperationException("of our own") : null;

        var requeue = await _bench.Start(Given.Policy()).ReconcileAsync();
        var status = _bench.Status;
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        await _bench.SettleAsync();

        Assert.Equal(new Requeue.Retry(TimeSpan.FromSeconds(1)), requeue);
        Assert.Equal(("Unknown", "OperatorBug"), (status.Conditions.Find("Ready")!.Status, status.Conditions.Find("Ready")!.Reason));
        Assert.DoesNotContain("of our own", status.Conditions.Find("Ready")!.Message, StringComparison.Ordinal);
        Assert.Contains(_bench.Logs, l => l.StartsWith("Error", StringComparison.Ordinal) && l.Contains("InvalidOperationException", StringComparison.Ordinal));
        AssertReady("True", "InSync");
    }

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
            _bench.Start(policy with { Metadata = policy.Metadata with { DeletionTimestamp = _bench.Time.GetUtcNow() } });

        Assert.Same(Requeue.OnChange, await _bench.ReconcileAsync());
        Assert.Empty(_bench.Vendor.Calls);
        Assert.Equal(0, _bench.Patches);
    }

    [Fact]
    public async Task A_policy_deleted_meanwhile_ends_quietly()
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        _bench.Kubernetes.Delete(Given.PolicyKey);

        Assert.Same(Requeue.OnChange, await _bench.ReconcileAsync());
        Assert.Empty(_bench.Logs);
    }

    [Theory]
    [InlineData("a conflict comes back after the back-off alone", 409, "", 0)]
    [InlineData("a server's failure after a second at least", 500, "", 1)]
    [InlineData("a server that says when is believed", 429, "Retry-After: 7", 7)]
    [InlineData("but not for more than the client believes", 429, "Retry-After: 100000000", 300)]
    public async Task A_status_that_was_not_written_is_tried_again(string sentence, int status, string header, int seconds)
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        _bench.Kubernetes.Faults = (_, line) => line.StartsWith("PATCH", StringComparison.Ordinal) ? ScriptedServer.Answer(status, "", [.. new[] { header }.Where(h => h.Length > 0)]) : null;

        var requeue = await _bench.ReconcileAsync();

        Assert.True(requeue is Requeue.Retry retry && retry.AtLeast == TimeSpan.FromSeconds(seconds), $"{sentence}: {requeue}");
    }

    [Fact]
    public async Task A_spec_changed_while_it_was_worked_on_is_not_overwritten()
    {
        _bench.Vendor["finance-archive"] = Aes;
        _bench.Start(Given.Policy());
        _bench.Kubernetes.Put(Given.Policy().NextGeneration().With(new EncryptionSpec { Algorithm = "SM4" })); // the mirror does not know yet

        var requeue = await _bench.ReconcileAsync();
        var between = _bench.Status;
        await _bench.SettleAsync();

        Assert.IsType<Requeue.Retry>(requeue);
        Assert.Null(between.ObservedGeneration);
        Assert.Equal(new BucketEncryption.Sm4(), _bench.Vendor["finance-archive"]);
        Assert.Equal(2, _bench.Status.ObservedGeneration);
    }

    /// <summary>At the policy's next time in its interval, or earlier for a reason.</summary>
    private static void AssertWithin(TimeSpan interval, Requeue requeue)
    {
        var after = Assert.IsType<Requeue.After>(requeue);
        Assert.InRange(after.Delay, interval * 0.1, interval * 1.1);
    }

    private static ObjectStore WithRole(ObjectStore store) => store with { Spec = store.Spec with { Credentials = new CredentialsSpec { EcsRamRole = new EcsRamRoleSpec() } } };

    private void AssertReady(string status, string reason)
    {
        var ready = _bench.Status.Conditions.Find("Ready")!;
        Assert.Equal((status, reason), (ready.Status, ready.Reason));
    }
}
