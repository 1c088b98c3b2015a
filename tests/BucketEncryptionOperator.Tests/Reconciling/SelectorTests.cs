using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Policies that select buckets of those that the vendor lists.</summary>
public sealed partial class SelectorTests : IAsyncLifetime
{
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Kms = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

    private readonly Workbench _bench = new(
        bucketConcurrency: 4,
        partitions: new Partitions(["apart=oss-cn-shanghai.aliyuncs.com"])
    );

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Every_bucket_that_matches_is_encrypted_and_the_others_are_left_alone()
    {
        Buckets("alpha", "beta", "beta-logs", "gamma");
        _bench.Account.Elsewhere.Add("beta-elsewhere");

        await _bench.Start(Selector(["alpha", "beta*"], excluded: ["*-logs"])).SettleAsync();

        Assert.Equal(["alpha", "beta"], Rows());
        Assert.Equal((Aes, Aes, None, None), (Has("alpha"), Has("beta"), Has("beta-logs"), Has("gamma")));
        Assert.Equal(("True", "InSync"), Ready());
        Assert.Equal(
            new DiscoveryStatus
            {
                Matched = 2,
                Excluded = 1,
                OtherRegions = 1,
            },
            _bench.Status.Discovery! with
            {
                LastTime = null,
            }
        );
        Assert.NotNull(_bench.Status.Discovery!.LastTime);
        Assert.DoesNotContain(_bench.Vendor.Calls, c => c.Bucket is "gamma" or "beta-logs");
        Assert.False(PolicyFinalizerIsOn());
    }

    [Fact]
    public async Task A_selector_without_a_bucket_is_ready_and_says_so()
    {
        await _bench.Start(Selector(["*"])).SettleAsync();

        Assert.Equal((("True", "InSync"), "True"), (Ready(), Compliant().Status));
        Assert.Contains("No bucket", Condition("Ready").Message, StringComparison.Ordinal);
        Assert.Equal(0, _bench.Status.Discovery?.Matched);
    }

    [Fact]
    public async Task A_new_bucket_is_encrypted_within_one_interval_and_one_list()
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();
        var lists = _bench.Account.Lists;

        Buckets("beta");
        var next = Assert.IsType<ReconcileResult.After>(await _bench.ReconcileAsync());
        _bench.Time.Advance(next.Delay);
        await _bench.SettleAsync();

        Assert.True(next.Delay <= Resync, $"{next.Delay}");
        Assert.Equal(Aes, Has("beta"));
        Assert.Equal(1, _bench.Account.Lists - lists);
    }

    [Fact]
    public async Task Nothing_is_written_before_the_list_of_this_process_and_rows_stand_for_it()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Restart();
        _bench.Vendor["alpha"] = None;
        Buckets("gamma");
        _bench.Account.Faults = _ => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);
        Ask();

        await _bench.ReconcileAsync();
        var (rows, ready, written) = (Rows(), Ready(), Has("alpha"));
        _bench.Account.Faults = _ => null;
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();

        Assert.Equal(["alpha", "beta"], rows);
        Assert.Equal((("False", "AccessDenied"), None), (ready, written));
        Assert.Equal(["alpha", "beta", "gamma"], Rows());
        Assert.Equal((Aes, Aes), (Has("alpha"), Has("gamma")));
        Assert.Equal(("True", "InSync"), Ready());
    }

    [Theory]
    [InlineData("denied", "Denied", "AccessDenied", 403, "False")]
    [InlineData("broken", "Transient", "UnreadableAnswer", 200, "True")]
    public async Task A_list_that_fails_removes_nothing(
        string sentence,
        string kind,
        string code,
        int status,
        string ready
    )
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Account.Faults = _ => InMemoryVendor.Fail(Enum.Parse<FailureKind>(kind), code, status);
        _bench.Time.Advance(Resync);

        await _bench.ReconcileAsync();

        Assert.Equal(["alpha", "beta"], Rows());
        Assert.True(ready == Ready().Status, $"{sentence}: {Ready()}");
        Assert.Equal(ready == "True" ? "True" : "Unknown", Compliant().Status);
    }

    [Fact]
    public async Task A_list_that_fails_for_long_shows()
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Account.Faults = _ => InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500);
        _bench.Time.Advance(Resync);

        for (var i = 0; i < 3; i++)
            await _bench.ReconcileAsync();

        Assert.Equal(("Unknown", "InternalError"), Ready());
        Assert.Equal("Unknown", Compliant().Status);
    }

    [Fact]
    public async Task A_failed_list_stays_a_failure_until_one_succeeds_however_young_the_list_before_is()
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Account.Faults = _ => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);
        Ask();
        await _bench.ReconcileAsync();

        await _bench.ReconcileAsync();
        var (denied, compliant) = (Ready(), Compliant().Status);
        _bench.Account.Faults = _ => null;
        Buckets("beta");
        await _bench.SettleAsync();

        Assert.Equal((("False", "AccessDenied"), "Unknown"), (denied, compliant));
        Assert.Equal((("True", "InSync"), Aes), (Ready(), Has("beta")));
    }

    [Fact]
    public async Task A_bucket_leaves_when_list_and_vendor_both_say_that_it_is_gone()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Vendor["beta"] = null;
        _bench.Time.Advance(Resync);

        await _bench.SettleAsync();

        Assert.Equal(["alpha"], Rows());
        Assert.Equal((("True", "InSync"), 1), (Ready(), _bench.Status.Discovery?.Matched));
    }

    [Fact]
    public async Task A_bucket_that_the_list_only_hides_stays_and_is_not_written()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Account.Hides = (bucket, _) => bucket == "beta";
        _bench.Vendor["beta"] = None;
        _bench.Time.Advance(Resync);

        await _bench.SettleAsync();
        var (rows, ready, hidden) = (Rows(), Ready(), Has("beta"));
        _bench.Account.Hides = (_, _) => false;
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();

        Assert.Equal(["alpha", "beta"], rows);
        Assert.Equal((("False", "NotListed"), None), (ready, hidden));
        Assert.Equal(Aes, Has("beta"));
    }

    [Fact]
    public async Task Where_most_are_missing_at_once_nothing_is_dropped_until_somebody_asks()
    {
        Buckets("alpha", "beta", "gamma", "sigma");
        await _bench.Start(Selector(["*"])).SettleAsync();
        foreach (var bucket in new[] { "beta", "gamma", "sigma" })
            _bench.Vendor[bucket] = null;
        _bench.Time.Advance(Resync);

        await _bench.SettleAsync();
        var (rows, stalled) = (Rows(), _bench.Status.Conditions.Find("Stalled") is not null);
        Ask();
        await _bench.SettleAsync();

        Assert.Equal(["alpha", "beta", "gamma", "sigma"], rows);
        Assert.True(stalled);
        Assert.Equal(["alpha"], Rows());
        Assert.Equal(("True", "InSync"), Ready());
    }

    [Fact]
    public async Task With_a_lost_status_nothing_is_claimed_before_it_is_listed_and_read()
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Kubernetes.LoseStatus(Given.PolicyKey);
        _bench.Restart();
        _bench.Account.Faults = _ => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);

        await _bench.ReconcileAsync();
        var rows = Rows();
        _bench.Account.Faults = _ => null;
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();

        Assert.Empty(rows);
        Assert.Equal(["alpha"], Rows());
    }

    [Fact]
    public async Task An_excluded_bucket_leaves_at_once_and_keeps_what_it_has()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();

        Change(s => s with { ExcludeNames = ["beta"] });
        _bench.Vendor["beta"] = None;
        await _bench.SettleAsync();

        Assert.Equal(["alpha"], Rows());
        Assert.Equal((None, 1), (Has("beta"), _bench.Status.Discovery?.Excluded));
    }

    [Fact]
    public async Task Tags_select_and_tags_that_cannot_be_read_keep_a_bucket_where_it_was()
    {
        Buckets("alpha", "beta", "gamma");
        _bench.Account.Tags["alpha"] = _bench.Account.Tags["beta"] = Tags(("data", "confidential"));
        var selector = Selector(["*"]);
        selector = selector with
        {
            Spec = selector.Spec with
            {
                BucketSelector = selector.Spec.BucketSelector! with { MatchTags = Tags(("data", "confidential")) },
            },
        };
        await _bench.Start(selector).SettleAsync();
        var first = Rows();
        _bench.Account.Faults = call =>
            call.Operation == InMemoryAccount.Tagging
                ? InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)
                : null;
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();
        var (unread, ready, notCovered) = (Rows(), Ready(), _bench.Status.Discovery?.NotCovered);
        _bench.Account.Faults = _ => null;
        _bench.Account.Tags.Remove("beta");
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();

        Assert.Equal(["alpha", "beta"], first);
        Assert.Equal(["alpha", "beta"], unread);
        Assert.Equal((("False", "AccessDenied"), 1), (ready, notCovered));
        Assert.Equal(["alpha"], Rows());
        Assert.Equal((("True", "InSync"), None), (Ready(), Has("gamma")));
    }

    [Fact]
    public async Task Places_that_the_list_does_not_say_are_asked_for_once_a_day()
    {
        Buckets("alpha");
        _bench.Account.Elsewhere.Add("beta");
        _bench.Account.HidesPlaces = true;
        await _bench.Start(Selector(["*"])).SettleAsync();
        for (var i = 0; i < 3; i++)
        {
            _bench.Time.Advance(Resync);
            await _bench.SettleAsync();
        }
        var asked = Located();
        _bench.Time.Advance(TimeSpan.FromDays(1));
        await _bench.SettleAsync();

        Assert.Equal(["alpha"], Rows());
        Assert.Equal(1, _bench.Status.Discovery?.OtherRegions);
        Assert.Equal((2, 4), (asked, Located()));

        int Located() => _bench.Account.Calls.Count(c => c.Operation == InMemoryAccount.Location);
    }

    [Fact]
    public async Task More_writes_than_allowed_wait_for_a_confirmation_of_this_generation()
    {
        Buckets("alpha", "beta", "gamma");
        var policy = Selector(["*"], maxWrites: 2);
        await _bench.Start(policy).SettleAsync();
        var (ready, writes, rows) = (Ready(), Writes(), _bench.Status.Buckets);
        Confirm("7");
        await _bench.SettleAsync();
        var wrong = Writes();
        Confirm("1");
        await _bench.SettleAsync();

        Assert.Equal((("False", "TooManyWrites"), 0), (ready, writes));
        Assert.All(rows, r => Assert.Equal("PutBucketEncryption", r.Planned?.Operation));
        Assert.Equal(0, wrong);
        Assert.Equal((("True", "InSync"), 3), (Ready(), Writes()));
    }

    [Fact]
    public async Task Writes_are_counted_when_all_buckets_are_read_and_not_before()
    {
        Buckets([.. Enumerable.Range(0, 12).Select(i => $"bucket-{i:00}")]);
        var left = 5;
        _bench.Vendor.BeforeSend = () =>
            left-- > 0 ? null : new Failure(Reasons.RateLimited, "GetBucketEncryption") { NotSent = true };
        _bench.Start(Selector(["*"], maxWrites: 6));

        for (var i = 0; i < 8; i++)
        {
            await _bench.ReconcileAsync();
            Assert.Equal(0, Writes());
            left = 5;
            _bench.Time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(("False", "TooManyWrites"), Ready());
    }

    [Fact]
    public async Task More_buckets_than_a_policy_takes_are_not_covered()
    {
        Buckets([.. Enumerable.Range(0, 1001).Select(i => $"bucket-{i:0000}")]);
        foreach (var bucket in _bench.Vendor.Names)
            _bench.Vendor[bucket] = Aes;

        await _bench.Start(Selector(["*"])).SettleAsync();

        Assert.Equal(
            (1000, 1001, 1),
            (Rows().Count, _bench.Status.Discovery!.Matched, _bench.Status.Discovery.NotCovered)
        );
        Assert.Equal((("False", "TooManyBuckets"), "Unknown"), (Ready(), Compliant().Status));
    }

    [Fact]
    public async Task Audit_says_what_Enforce_would_write()
    {
        Buckets("alpha");
        var policy = Selector(["*"]);

        await _bench.Start(policy with { Spec = policy.Spec with { Mode = "Audit" } }).SettleAsync();

        Assert.Equal((("True", "Audited"), "False"), (Ready(), Compliant().Status));
        Assert.NotNull(Assert.Single(_bench.Status.Buckets).Planned);
        Assert.Equal(0, Writes());
    }

    [Fact]
    public async Task What_a_policy_named_before_stays_when_it_selects_and_discovery_goes_when_it_names_again()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Given.Policy("alpha")).SettleAsync();
        Spec(s => s with { Buckets = [], BucketSelector = Selector(["*"]).Spec.BucketSelector, Mode = "Enforce" });
        await _bench.SettleAsync();
        var selected = (Rows(), _bench.Status.Discovery?.Matched);
        Spec(s => s with { Buckets = [new BucketReference { Name = "beta" }], BucketSelector = null });
        await _bench.SettleAsync();

        Assert.Equal(["alpha", "beta"], selected.Item1);
        Assert.Equal(2, selected.Matched);
        Assert.Equal(["beta"], Rows());
        Assert.Null(_bench.Kubernetes.Read(Given.PolicyKey).Status!.Discovery);
    }
}
