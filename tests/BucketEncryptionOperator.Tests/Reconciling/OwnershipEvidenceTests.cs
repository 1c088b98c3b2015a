using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;
using KubeRuntime.Conditions;
using KubeRuntime.Control;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Ownership rests on what the operator has seen itself: nothing that a tenant writes, and no answer without the vendor's code, moves a bucket.</summary>
public sealed class OwnershipEvidenceTests : IAsyncDisposable
{
    private const string Bucket = "shared-bucket";
    private const string OtherTeam = "team-b";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Key1 = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
    private static readonly EncryptionSpec WantKey1 = new() { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "k-1" } };
    private static readonly EncryptionSpec WantAes = new() { Algorithm = "AES256" };

    private readonly ITestOutputHelper _output;
    private readonly InMemoryVendor _vendor = new();
    private readonly InMemoryVendor _elsewhere = new();
    private readonly HookedVendor _hooked;
    private readonly Workbench _bench;

    public OwnershipEvidenceTests(ITestOutputHelper output)
    {
        _output = output;
        _hooked = new HookedVendor((address, _) => address.Endpoint.Host.EndsWith("aliyuncs.com", StringComparison.Ordinal) && !address.Endpoint.Host.Contains("shanghai", StringComparison.Ordinal) ? _vendor : _elsewhere);
        _bench = new Workbench(real: ("AlibabaOSS", _hooked), partitions: new Partitions(["installation-b=oss-cn-shanghai.aliyuncs.com"]));
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Theory]
    [InlineData("the owner is suspended", "suspended", Ownership.OwnerSuspended)]
    [InlineData("the owner's key may read and not write", "denied", Ownership.OwnerFailed)]
    [InlineData("the owner may not weaken the bucket", "refused", Ownership.OwnerRefused)]
    public async Task Policies_that_agree_with_an_owner_that_does_not_write_say_so_and_do_not_wake_each_other(string sentence, string why, string reason)
    {
        _vendor[Bucket] = Key1;
        _bench.Start(Policy("a", WantKey1, 1));
        _bench.Put(Policy("b", WantKey1, 2));
        _bench.Put(Policy("c", WantKey1, 3));
        foreach (var name in (string[])["a", "b", "c"])
            await _bench.SettleAsync(Key(name));
        await ObstructAsync(why);
        _vendor[Bucket] = why == "refused" ? new BucketEncryption.Other("AES512") : None;
        _bench.Time.Advance(TimeSpan.FromSeconds(5));
        _bench.Woken.Clear();
        var (gets, puts) = (_vendor.Count("Get"), _vendor.Count("Put"));

        // A work queue without time: what is woken is taken at once, each key once.
        var queue = new Queue<NamespacedName>([Key("b"), Key("c")]);
        var reconciles = 0;
        while (queue.TryDequeue(out var key) && reconciles < 600)
        {
            await _bench.ReconcileAsync(key);
            reconciles++;
            while (_bench.Woken.TryDequeue(out var woken))
            {
                if (!queue.Contains(woken))
                    queue.Enqueue(woken);
            }
        }
        await _bench.ReconcileAsync(Key("b"));

        _output.WriteLine($"{sentence}: {reconciles} reconciles, {_vendor.Count("Get") - gets} GETs, {_vendor.Count("Put") - puts} PUTs");
        Assert.InRange(reconciles, 2, 4);
        Assert.Equal(why == "refused" ? Planner.DowngradeRefused : reason, why == "refused" ? Row("a").Error?.Code : Row("b").Error?.Code);
        Assert.Equal("False", Ready("b").Status);
    }

    private async Task ObstructAsync(string why)
    {
        if (why == "denied")
        {
            _vendor.Faults = (_, call) => call.Operation == "Put" ? new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, "Put")) : null;
            return;
        }
        if (why != "suspended")
            return;
        var a = _bench.Kubernetes.Read(Key("a"));
        _bench.Put((a with { Spec = a.Spec with { Suspend = true } }).NextGeneration());
        await _bench.SettleAsync(Key("a"));
    }

    /// <summary>Names such as "logs" are popular: a policy whose store is not there names nobody's bucket.</summary>
    [Fact]
    public async Task A_policy_whose_store_is_not_there_wakes_nobody_and_is_woken_by_nobody()
    {
        _vendor[Bucket] = None;
        _bench.Start(Policy("owner", WantKey1, 1));
        await _bench.SettleAsync(Key("owner"));
        var woken = new List<NamespacedName>();
        _bench.Changed = (_, others) => woken.AddRange(others);
        var stranger = In("team-c", Policy("stranger", WantAes, 2));
        _bench.Put(stranger);
        await _bench.ReconcileAsync(stranger.Metadata.Key);
        _bench.Woken.Clear();
        woken.Clear();

        _bench.Put(_bench.Kubernetes.Read(stranger.Metadata.Key).NextGeneration());
        await _bench.ReconcileAsync(stranger.Metadata.Key);
        _bench.Put(_bench.Kubernetes.Read(Key("owner")).NextGeneration());
        _vendor[Bucket] = None;
        await _bench.SettleAsync(Key("owner"));
        _bench.Delete(Key("owner"));

        Assert.Empty(woken);
        Assert.Empty(_bench.Woken);
        Assert.Equal("StoreNotFound", _bench.Kubernetes.Read(stranger.Metadata.Key).Status!.Conditions.Find("Ready")?.Reason);
    }

    [Fact]
    public async Task Beside_an_owner_whose_writes_are_denied_for_ten_minutes_a_policy_that_declares_the_same_writes()
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("owner", WantKey1, 1));
        _bench.Put(In(OtherTeam, Policy("same", WantKey1, 2)));
        _bench.Put(In(OtherTeam, Policy("differs", new EncryptionSpec { Algorithm = "SM4" }, 3)));
        var isDenied = true;
        _hooked.Before = (operation, _, key) => isDenied && operation == "Put" && key.Id == "LTAI"
            ? throw new VendorException(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, "Put"))
            : Task.CompletedTask;

        await LookAsync(); // the first denial
        _bench.Time.Advance(TimeSpan.FromMinutes(5));
        await LookAsync(); // the second
        _bench.Time.Advance(TimeSpan.FromMinutes(4));
        await LookAsync(); // within ten minutes of the first: not the third
        var tooEarly = _vendor[Bucket];
        _bench.Woken.Clear();
        _bench.Time.Advance(TimeSpan.FromMinutes(2));
        await _bench.ReconcileAsync(Key("owner"));
        var woken = _bench.Woken.ToList();
        await LookAsync();
        var then = _vendor[Bucket];
        isDenied = false;
        _vendor[Bucket] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(1));
        await _bench.SettleAsync(Key("owner"));

        Assert.Equal(None, tooEarly);
        Assert.Equal([new NamespacedName(OtherTeam, "same")], woken);
        Assert.Equal(Key1, then);
        Assert.Equal("BucketConflict", Ready("differs", OtherTeam).Reason);
        Assert.Null(Row("owner").Denied); // the owner's write was accepted: it writes again, and nobody else
        Assert.Equal(Key1, _vendor[Bucket]);
    }

    private async Task LookAsync()
    {
        await _bench.ReconcileAsync(Key("owner"));
        await _bench.ReconcileAsync(new NamespacedName(OtherTeam, "same"));
        await _bench.ReconcileAsync(new NamespacedName(OtherTeam, "differs"));
    }

    [Theory]
    [InlineData("the vendor denies the key's reads", nameof(FailureKind.Denied), "AccessDenied", 403)]
    [InlineData("the vendor rejects the key", nameof(FailureKind.Denied), "InvalidAccessKeyId", 403)]
    public async Task A_denial_moves_a_bucket_to_no_policy_that_declares_something_else(string sentence, string kind, string code, int status)
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("older", WantKey1, 1));
        _bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));
        await _bench.SettleAsync(Key("older"));
        _hooked.Before = (_, _, key) => key.Id == "LTAI" ? throw new VendorException(InMemoryVendor.Fail(Enum.Parse<FailureKind>(kind), code, status)) : Task.CompletedTask;

        await _bench.ReconcileAsync(Key("older"));
        await _bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.True(Key1 == _vendor[Bucket], sentence);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
        Assert.NotNull(Row("older").ClaimDeniedTime);
    }

    [Fact]
    public async Task A_denial_lets_a_policy_that_declares_the_same_own_the_bucket()
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("older", WantKey1, 1));
        _bench.Put(In(OtherTeam, Policy("same", WantKey1, 2)));
        await _bench.SettleAsync(Key("older"));
        _hooked.Before = (_, _, key) => key.Id == "LTAI" ? throw new VendorException(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)) : Task.CompletedTask;
        await _bench.ReconcileAsync(Key("older"));
        _vendor[Bucket] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(1));

        await _bench.SettleAsync(new NamespacedName(OtherTeam, "same"));

        Assert.Equal(Key1, _vendor[Bucket]);
    }

    [Theory]
    [InlineData("a gateway's 403 page", nameof(FailureKind.Transient), "HTTP_403", 403)]
    [InlineData("a gateway's 404 page", nameof(FailureKind.Transient), "HTTP_404", 404)]
    [InlineData("whatever kind a codeless answer gets", nameof(FailureKind.Refused), "HTTP_404", 404)]
    [InlineData("a codeless denial", nameof(FailureKind.Denied), "HTTP_403", 403)]
    [InlineData("a redirect", nameof(FailureKind.Refused), "HTTP_302", 302)]
    public async Task An_answer_without_the_vendors_code_moves_no_claim(string sentence, string kind, string code, int status)
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("older", WantKey1, 1));
        _bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));
        await _bench.SettleAsync(Key("older"));
        await _bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));
        _hooked.Before = (_, _, key) => key.Id == "LTAI" ? throw new VendorException(InMemoryVendor.Fail(Enum.Parse<FailureKind>(kind), code, status)) : Task.CompletedTask;

        await _bench.ReconcileAsync(Key("older"));
        await _bench.ReconcileAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.True(Key1 == _vendor[Bucket], sentence);
        Assert.NotNull(Row("older").ClaimedTime);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
    }

    [Theory]
    [InlineData(401, "Unauthorized")]
    [InlineData(403, "Forbidden")]
    [InlineData(404, "NotFound")]
    public async Task What_the_API_server_says_of_a_Secret_moves_no_claim(int status, string reason)
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("older", WantKey1, 1));
        _bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));
        await _bench.SettleAsync(Key("older"));
        await _bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));
        _bench.Time.Advance(TimeSpan.FromMinutes(6)); // the Secret is read again
        _bench.Kubernetes.Faults = (_, line) => line.StartsWith("GET", StringComparison.Ordinal) && line.Contains("team-a", StringComparison.Ordinal) ? KubernetesFake.Status(status, reason) : null;

        await _bench.ReconcileAsync(Key("older"));
        await _bench.ReconcileAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.Equal(Key1, _vendor[Bucket]);
        Assert.NotNull(Row("older").ClaimedTime);
    }

    [Theory]
    [InlineData("an answer that says nothing of the claim", nameof(FailureKind.Refused), 400)]
    [InlineData("an answer that is tolerated for a while", nameof(FailureKind.Transient), 500)]
    public async Task A_claim_that_no_status_says_yet_is_not_lost_by_the_next_look(string sentence, string kind, int status)
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("older", WantKey1, 1));
        _bench.Put(Weaker(In(OtherTeam, Policy("younger", WantAes, 2))));
        _bench.Kubernetes.Faults = (_, line) => line.StartsWith("PATCH", StringComparison.Ordinal) ? KubernetesFake.Status(500, "InternalError") : null;
        await _bench.ReconcileAsync(Key("older")); // it reads the bucket, and can put nothing on record
        _bench.Kubernetes.Faults = (_, _) => null;
        _vendor.Faults = (_, call) => new VendorFault(InMemoryVendor.Fail(Enum.Parse<FailureKind>(kind), "Trouble", status, call.Operation));
        await _bench.ReconcileAsync(Key("older"));
        _vendor.Faults = (_, _) => null;

        await _bench.ReconcileAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.True(_vendor.Count("Put") == 0, sentence);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
        Assert.NotNull(Row("older").ClaimedTime);
    }

    [Fact]
    public async Task An_hour_of_answers_that_are_not_the_stores_calls_for_a_person_and_the_store_is_asked_every_five_minutes()
    {
        _vendor[Bucket] = None;
        _bench.Start(Policy("p", WantKey1, 1));
        await _bench.SettleAsync(Key("p"));
        var page = InMemoryVendor.Fail(FailureKind.Transient, "HTTP_404", 404) with { IsForeign = true, Hint = "something in front of the store answered" };
        _hooked.Before = (_, _, _) => throw new VendorException(page);
        var from = _bench.Time.GetUtcNow();
        var asked = new List<TimeSpan>();
        string? reasonBefore = null;
        while (_bench.Time.GetUtcNow() - from < TimeSpan.FromMinutes(90))
        {
            asked.Add(_bench.Time.GetUtcNow() - from);
            if (_bench.Time.GetUtcNow() - from < TimeSpan.FromMinutes(59))
                reasonBefore = Ready("p").Reason;
            _bench.Time.Advance(await _bench.ReconcileAsync(Key("p")) switch
            {
                Requeue.After after => after.Delay,
                Requeue.Retry retry => retry.AtLeast + TimeSpan.FromMinutes(4), // as long as the back-off may be
                _ => TimeSpan.FromHours(1),
            });
        }
        var stalled = _bench.Kubernetes.Read(Key("p")).Status!.Conditions.Find("Stalled");
        var ready = Ready("p");
        var row = Row("p");
        _hooked.Before = (_, _, _) => Task.CompletedTask;
        await _bench.SettleAsync(Key("p"));

        Assert.Equal("HTTP_404", reasonBefore);
        Assert.Equal(("False", FailurePolicy.NotTheStore), ready);
        Assert.Equal(FailurePolicy.NotTheStore, stalled?.Reason);
        Assert.Equal((BucketRow.Unknown, "HTTP_404"), (row.State, row.Error?.Code));
        Assert.NotNull(row.ClaimedTime);
        Assert.All(Gaps([.. asked.Where(a => a > TimeSpan.FromMinutes(66))]), gap => Assert.Equal(TimeSpan.FromMinutes(5), gap));
        Assert.Equal(("True", "InSync"), Ready("p"));
    }

    /// <summary>A store that names its own key where a write names none.</summary>
    [Fact]
    public async Task A_key_that_the_store_has_filled_in_is_its_own_key()
    {
        _vendor[Bucket] = None;
        _bench.Start(Policy("p", new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec { VendorDefault = true } }, 1));
        _hooked.Before = (operation, _, _) =>
        {
            if (operation == "Get" && _vendor[Bucket] is BucketEncryption.Kms { KeyId: null })
                _vendor[Bucket] = new BucketEncryption.Kms("stores-own-key", DataCipher.Aes256);
            return Task.CompletedTask;
        };

        await _bench.SettleAsync(Key("p"));
        _bench.Time.Advance(TimeSpan.FromMinutes(10));
        await _bench.SettleAsync(Key("p"));

        Assert.Equal(("True", "InSync"), Ready("p"));
        Assert.Equal("stores-own-key", Row("p").VendorKeyId);
        Assert.Equal(1, _vendor.Count("Put"));
    }

    /// <summary>A look has claimed the bucket, no status could say so, and the store goes: nothing of that is the vendor's word.</summary>
    [Fact]
    public async Task A_claim_that_no_status_says_yet_outlives_its_store()
    {
        Team(OtherTeam);
        _vendor[Bucket] = Key1;
        _bench.Start(Policy("older", WantKey1, 1));
        _bench.Kubernetes.Faults = (_, line) => line.Contains("/older/status", StringComparison.Ordinal) ? KubernetesFake.Status(500, "slow") : null;
        await _bench.ReconcileAsync([Key("older")], 1);
        _bench.Remove(Given.StoreKey);
        _bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));

        await _bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.Equal(Key1, _vendor[Bucket]);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
    }

    [Fact]
    public async Task A_bucket_that_is_gone_is_nobodys()
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        _bench.Start(Policy("older", WantKey1, 1));
        await _bench.SettleAsync(Key("older"));
        _vendor[Bucket] = null;

        await _bench.ReconcileAsync(Key("older"));

        Assert.Null(Row("older").ClaimedTime);
        Assert.Null(Row("older").ClaimDeniedTime);
    }

    /// <summary>A store is pointed at another installation, which has a bucket of the same name.</summary>
    [Fact]
    public async Task What_is_remembered_of_a_bucket_is_not_believed_of_one_elsewhere()
    {
        _vendor[Bucket] = None;
        var policy = Policy("p", WantKey1, 1);
        _bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore", AllowDowngrade = true } });
        await _bench.SettleAsync(Key("p"));
        var theirs = new BucketEncryption.Kms("customer-key", DataCipher.Aes256);
        _elsewhere[Bucket] = theirs;
        _bench.Put(Given.Store() with { Metadata = Given.Store().Metadata with { ResourceVersion = "2", Generation = 2 }, Spec = Given.Store().Spec with { Region = "cn-shanghai" } });

        await _bench.SettleAsync(Key("p"));
        var row = Row("p");
        _bench.Delete(Key("p"));
        await _bench.SettleAsync(Key("p"));

        Assert.Equal(("installation-b", "customer-key"), (row.Partition, row.Original?.Encryption?.KmsKeyId));
        Assert.Equal(theirs, _elsewhere[Bucket]);
        Assert.Equal(Key1, _vendor[Bucket]);
        Assert.Contains(Releaser.BucketElsewhere, _bench.Events.Reasons);
    }

    [Theory]
    [InlineData("Delete")]
    [InlineData("Restore")]
    public async Task A_bucket_that_moves_to_another_policy_is_not_released_in_between(string deletionPolicy)
    {
        foreach (var bucket in (string[])["x-bucket", "y-bucket", "z-bucket"])
            _vendor[bucket] = None;
        var (p, q) = (Policy("p", WantKey1, 1, "x-bucket", "y-bucket"), Policy("q", WantKey1, 2, "z-bucket"));
        _bench.Start(p with { Spec = p.Spec with { DeletionPolicy = deletionPolicy, AllowDowngrade = true } });
        _bench.Put(q with { Spec = q.Spec with { DeletionPolicy = deletionPolicy, AllowDowngrade = true } });
        await _bench.SettleAsync(Key("p"));
        await _bench.SettleAsync(Key("q"));
        var calls = _vendor.Calls.Count;

        var now = _bench.Kubernetes.Read(Key("p"));
        _bench.Put((now with { Spec = now.Spec with { Buckets = [new BucketReference { Name = "y-bucket" }] } }).NextGeneration());
        await _bench.ReconcileAsync(Key("p")); // before the other half of the apply has come
        var waiting = _bench.Kubernetes.Read(Key("p")).Status!;
        var then = _bench.Kubernetes.Read(Key("q"));
        _bench.Put((then with { Spec = then.Spec with { Buckets = [.. then.Spec.Buckets, new BucketReference { Name = "x-bucket" }] } }).NextGeneration());
        _bench.Time.Advance(TimeSpan.FromSeconds(5));
        await _bench.ReconcileAsync(Key("p"));
        _bench.Woken.Clear();
        await _bench.SettleAsync(Key("q"));
        var woken = _bench.Woken.ToList();
        await _bench.SettleAsync(Key("p"));

        Assert.DoesNotContain(_vendor.Calls.Skip(calls), c => c.Operation != "Get");
        Assert.Equal((BucketRow.Releasing, Releaser.AwaitingSuccessor), (waiting.Buckets.Single(b => b.Name == "x-bucket").State, waiting.Buckets.Single(b => b.Name == "x-bucket").Error?.Code));
        Assert.Equal(("Unknown", Releaser.AwaitingSuccessor), (waiting.Conditions.Find("Ready")!.Status, waiting.Conditions.Find("Ready")!.Reason));
        Assert.Contains(Key("p"), woken);
        Assert.DoesNotContain(_bench.Kubernetes.Read(Key("p")).Status!.Buckets, b => b.Name == "x-bucket");
    }

    [Theory]
    [InlineData("its vendor does not answer: two minutes", "unreachable", 120)]
    [InlineData("the API server does not give its Secret just now: two minutes", "unreadable Secret", 120)]
    [InlineData("its Secret is not there: not at all", "no Secret", 2)]
    [InlineData("it is suspended: not at all", "suspended", 2)]
    [InlineData("it is in mode Audit: not at all", "audit", 2)]
    public async Task A_successor_is_waited_for_only_while_it_may_come(string sentence, string trouble, int seconds)
    {
        Team(OtherTeam);
        _vendor[Bucket] = None;
        var p = Policy("p", WantKey1, 1);
        _bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Delete", AllowDowngrade = true } });
        await _bench.SettleAsync(Key("p"));
        var q = In(OtherTeam, Policy("q", WantKey1, 2));
        _bench.Put(q with { Spec = q.Spec with { Suspend = trouble == "suspended", Mode = trouble == "audit" ? "Audit" : null, StoreRef = q.Spec.StoreRef with { Name = trouble == "no Secret" ? "keyless" : Given.StoreKey.Name } } });
        _hooked.Before = (operation, _, key) => key.Id != "LTAI" ? throw new VendorException(new Failure(FailureKind.Transient, operation, "Timeout")) : Task.CompletedTask;
        if (trouble == "unreadable Secret")
            _bench.Kubernetes.Faults = (_, line) => line.StartsWith("GET", StringComparison.Ordinal) && line.Contains(OtherTeam, StringComparison.Ordinal) ? KubernetesFake.Status(500, "slow") : null;
        _bench.Delete(Key("p"));
        var from = _bench.Time.GetUtcNow();

        while (_bench.Kubernetes.Find(Key("p")) is not null && _bench.Time.GetUtcNow() - from < TimeSpan.FromMinutes(5))
        {
            await _bench.ReconcileAsync(Key("p"));
            await _bench.ReconcileAsync(new NamespacedName(OtherTeam, "q"));
            _bench.Time.Advance(TimeSpan.FromSeconds(1));
        }

        var took = (_bench.Time.GetUtcNow() - from).TotalSeconds;
        Assert.True(took >= seconds && took <= seconds + 3, $"{sentence}: {took} s");
        Assert.Equal(None, _vendor[Bucket]);
    }

    [Fact]
    public async Task An_original_does_not_cross_the_border_of_a_namespace()
    {
        Team(OtherTeam);
        _vendor[Bucket] = new BucketEncryption.Kms("first-key", DataCipher.Aes256);
        var p = Policy("p", WantKey1, 1);
        _bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        await _bench.SettleAsync(Key("p"));
        var q = In(OtherTeam, Policy("q", WantKey1, 2));
        _bench.Put(q with { Spec = q.Spec with { DeletionPolicy = "Restore" } });
        await _bench.SettleAsync(q.Metadata.Key);

        _bench.Delete(Key("p"));
        await _bench.SettleAsync(Key("p"));
        await _bench.SettleAsync(q.Metadata.Key);

        Assert.Null(_bench.Kubernetes.Find(Key("p")));
        Assert.NotEqual("first-key", Row("q", OtherTeam).Original?.Encryption?.KmsKeyId);
        Assert.Contains(Releaser.RestoreUnavailable, _bench.Events.Reasons);
    }

    [Fact]
    public async Task An_original_on_record_is_never_replaced_by_anothers()
    {
        _vendor[Bucket] = None;
        var p = Policy("older", WantKey1, 1);
        _bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        await _bench.SettleAsync(Key("older"));
        var q = Policy("younger", WantKey1, 2);
        var own = new OriginalRow { State = OriginalRow.Recorded, Encryption = new ObservedRow { Algorithm = "AES256" }, Document = "<own/>", RecordedTime = KubeTimeConverter.Truncate(_bench.Time.GetUtcNow().AddDays(1)) };
        _bench.Put(q with { Spec = q.Spec with { DeletionPolicy = "Restore" } });
        await _bench.SettleAsync(Key("younger"));
        var stored = _bench.Kubernetes.Read(Key("younger"));
        await new StatusWriter(_bench.Kubernetes.Client, _bench.Policies).WriteAsync(
            stored, stored.Status! with { Buckets = [stored.Status.Buckets[0] with { Original = own, HeldTime = KubeTimeConverter.Truncate(_bench.Time.GetUtcNow()) }] }, CancellationToken.None);

        _bench.Delete(Key("older"));
        await _bench.SettleAsync(Key("older"));

        Assert.Equal(own, Row("younger").Original);
    }

    [Fact]
    public async Task A_successor_that_has_looked_and_not_reported_yet_gets_the_original_all_the_same()
    {
        _vendor[Bucket] = new BucketEncryption.Kms("the-first", DataCipher.Aes256);
        _vendor["z-bucket"] = None;
        var p = Policy("p", WantKey1, 1);
        _bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        await _bench.SettleAsync(Key("p"));
        var heir = Policy("successor", WantKey1, 2, Bucket, "z-bucket");
        _bench.Put(heir with { Spec = heir.Spec with { DeletionPolicy = "Restore" } });
        var patches = 0;
        _bench.Kubernetes.Faults = (_, line) => line.Contains("/successor/status", StringComparison.Ordinal) && ++patches == 1 ? KubernetesFake.Status(500, "slow") : null;
        await _bench.ReconcileAsync([Key("successor")], 1);

        _bench.Delete(Key("p"));
        await _bench.SettleAsync(Key("p"));
        await _bench.SettleAsync(Key("successor"));

        Assert.Equal("the-first", _bench.Kubernetes.Read(Key("successor")).Status!.Buckets.Single(b => b.Name == Bucket).Original?.Encryption?.KmsKeyId);
    }

    [Theory]
    [InlineData("a 404 of a load balancer", true)]
    [InlineData("a successor that is deleted in that moment", false)]
    public async Task A_404_that_is_not_about_the_policy_does_not_end_its_resync(string sentence, bool isPage)
    {
        (_vendor["x-bucket"], _vendor["y-bucket"]) = (None, None);
        var p = Policy("p", WantKey1, 1, "x-bucket", "y-bucket");
        _bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        _bench.Put(Policy("successor", WantKey1, 2, "x-bucket"));
        await _bench.SettleAsync(Key("p"));
        await _bench.SettleAsync(Key("successor"));
        if (isPage)
        {
            _vendor["y-bucket"] = new BucketEncryption.Kms("somebody", DataCipher.Aes256);
            _bench.Kubernetes.Faults = (_, line) => line.StartsWith("PATCH", StringComparison.Ordinal) ? ScriptedServer.Answer(404, "404 page not found\n", "Content-Type: text/plain") : null;
        }
        else
        {
            var now = _bench.Kubernetes.Read(Key("p"));
            _bench.Put((now with { Spec = now.Spec with { Buckets = [new BucketReference { Name = "y-bucket" }] } }).NextGeneration());
            _bench.Kubernetes.Delete(Key("successor")); // the watch has not told yet
        }

        var requeue = (await _bench.ReconcileAsync([Key("p")], 1))[0];

        Assert.True(requeue is Requeue.Retry or Requeue.After, sentence);
    }

    [Fact]
    public async Task A_status_has_no_more_rows_than_the_CRD_takes()
    {
        await using var bench = new Workbench(bucketConcurrency: 8);
        string[] Names(string prefix) => [.. Enumerable.Range(0, 256).Select(i => $"{prefix}-{i}")];
        foreach (var b in Names("one").Concat(Names("two")).Concat(Names("three")))
            bench.Vendor[b] = None;
        var p = Policy("p", WantKey1, 1, Names("one"));
        bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Delete", AllowDowngrade = true } });
        await bench.SettleAsync(Key("p"));
        bench.Vendor.Faults = (_, call) => call.Operation == "Delete" ? new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, "Delete")) : null;
        foreach (var next in (string[])["two", "three"])
        {
            var now = bench.Kubernetes.Read(Key("p"));
            bench.Put((now with { Spec = now.Spec with { Buckets = [.. Names(next).Select(n => new BucketReference { Name = n })] } }).NextGeneration());
            for (var i = 0; i < 3; i++)
            {
                await bench.ReconcileAsync(Key("p"));
                bench.Time.Advance(TimeSpan.FromSeconds(3));
            }
        }
        var full = bench.Kubernetes.Read(Key("p")).Status!.Buckets;
        bench.Vendor.Faults = (_, _) => null;
        for (var i = 0; i < 5; i++)
        {
            await bench.ReconcileAsync(Key("p"));
            bench.Time.Advance(TimeSpan.FromMinutes(10));
        }

        Assert.InRange(full.Length, 1, 512);
        Assert.Contains(full, r => r.Error?.Code == Keeper.AwaitingRelease);
        Assert.All(Names("three"), b => Assert.Equal(Key1, bench.Vendor[b]));
    }

    private static IEnumerable<TimeSpan> Gaps(List<TimeSpan> times) => times.Zip(times.Skip(1), (a, b) => b - a);

    private void Team(string ns)
    {
        _bench.Kubernetes.PutSecret(new NamespacedName(ns, "oss-keys"), ("accessKeyId", "OTHER"), ("accessKeySecret", "hush-other"));
        var store = Given.Store();
        _bench.Put(store with { Metadata = store.Metadata with { Namespace = ns, Uid = ns } });
        _bench.Put(store with { Metadata = store.Metadata with { Namespace = ns, Uid = ns + "-keyless", Name = "keyless" }, Spec = store.Spec with { Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "nowhere" } } } });
    }

    private static BucketEncryptionPolicy In(string ns, BucketEncryptionPolicy policy) => policy with { Metadata = policy.Metadata with { Namespace = ns } };

    private static BucketEncryptionPolicy Weaker(BucketEncryptionPolicy policy) => policy with { Spec = policy.Spec with { AllowDowngrade = true } };

    private BucketRow Row(string policy, string ns = Given.Namespace) => _bench.Kubernetes.Read(new NamespacedName(ns, policy)).Status!.Buckets.Single(b => b.Name == Bucket);

    private (string Status, string Reason) Ready(string policy, string ns = Given.Namespace) =>
        _bench.Kubernetes.Read(new NamespacedName(ns, policy)).Status!.Conditions.Find("Ready") is { } ready ? (ready.Status, ready.Reason) : ("", "");

    private static NamespacedName Key(string name) => new(Given.Namespace, name);

    private static BucketEncryptionPolicy Policy(string name, EncryptionSpec encryption, int age, params string[] buckets)
    {
        var policy = Given.Policy(buckets.Length == 0 ? [Bucket] : buckets).With(encryption);
        return policy with { Metadata = policy.Metadata with { Name = name, Uid = name, CreationTimestamp = DateTimeOffset.UnixEpoch.AddDays(age) } };
    }
}
