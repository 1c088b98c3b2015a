using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Selectors in a world that is slow, denies, changes, and lies.</summary>
public sealed partial class SelectorTests
{
    [Theory]
    [InlineData("permits are short")]
    [InlineData("others wait for the worker")]
    public async Task Writes_wait_while_tags_of_other_buckets_are_still_to_be_read(string why)
    {
        var names = Enumerable.Range(0, 40).Select(i => $"bucket-{i:00}").ToArray();
        Buckets(names);
        foreach (var name in names)
            _bench.Account.Tags[name] = Tags(("env", "p"));
        var left = 10;
        if (why == "permits are short")
            _bench.Account.Faults = call =>
                call.Operation == InMemoryAccount.Tagging && Interlocked.Decrement(ref left) < 0
                    ? new Failure(Reasons.RateLimited, call.Operation) { NotSent = true }
                    : null;
        else
            _bench.ShouldYield = _ => true;
        _bench.Start(Tagged(Selector(["*"], maxWrites: 20)));

        for (var i = 0; i < 60; i++)
        {
            await _bench.ReconcileAsync();
            Assert.Equal(0, Writes());
            left = 10;
            _bench.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(("False", "TooManyWrites"), Ready());
    }

    [Fact]
    public async Task Buckets_are_read_although_others_wait_and_writes_wait_for_the_reads()
    {
        Buckets([.. Enumerable.Range(0, 12).Select(i => $"bucket-{i:00}")]);
        _bench.ShouldYield = _ => true;
        _bench.Start(Selector(["*"], maxWrites: 6));

        for (var i = 0; i < 20; i++)
            await _bench.ReconcileAsync();

        Assert.Equal((0, ("False", "TooManyWrites")), (Writes(), Ready()));
    }

    [Theory]
    [InlineData("a bucket cannot be read")]
    [InlineData("tags cannot be read")]
    public async Task Without_permits_a_policy_whose_writes_wait_does_not_spin(string why)
    {
        var names = Enumerable.Range(0, 12).Select(i => $"bucket-{i:00}").ToArray();
        Buckets(names);
        foreach (var name in names)
            _bench.Account.Tags[name] = Tags(("env", "p"));
        var left = 5;
        var limited = new Failure(Reasons.RateLimited, "Get") { NotSent = true, RetryAfter = TimeSpan.FromSeconds(40) };
        if (why == "tags cannot be read")
            _bench.Account.Faults = call =>
                call.Operation == InMemoryAccount.Tagging && Interlocked.Decrement(ref left) < 0 ? limited : null;
        else
            _bench.Vendor.BeforeSend = () => Interlocked.Decrement(ref left) < 0 ? limited : null;
        _bench.Start(Tagged(Selector(["*"], maxWrites: 6)));

        for (var i = 0; i < 4; i++)
            Assert.NotEqual(ReconcileResult.Behind, await _bench.ReconcileAsync());
    }

    [Fact]
    public async Task Tags_that_take_longer_than_a_part_of_the_interval_are_all_read_in_the_end()
    {
        var names = Enumerable.Range(0, 400).Select(i => $"bucket-{i:000}").ToArray();
        foreach (var name in names)
        {
            _bench.Vendor[name] = Aes;
            _bench.Account.Tags[name] = Tags(("env", "p"));
        }
        _bench.ShouldYield = _ => true;
        _bench.Start(Tagged(Selector(["*"])));

        for (var i = 0; i < 60 && _bench.Status.Discovery?.Matched != 400; i++)
        {
            await _bench.ReconcileAsync();
            _bench.Time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal((400, 0), (_bench.Status.Discovery?.Matched, _bench.Status.Discovery?.NotCovered));
        Assert.Equal(1, _bench.Account.Lists);
    }

    [Fact]
    public async Task A_full_policy_that_selects_others_now_records_no_more_rows_than_a_status_takes()
    {
        foreach (var name in Enumerable.Range(0, 1000).Select(i => $"a-{i:0000}"))
            _bench.Vendor[name] = Aes;
        Buckets([.. Enumerable.Range(0, 30).Select(i => $"b-{i:0000}")]);
        await _bench.Start(Selector(["a-*"])).SettleAsync();
        var most = 0;
        _bench.Vendor.Received = _ => most = Math.Max(most, _bench.Status.Buckets.Length);

        Change(s => s with { MatchNames = ["b-*"] });
        await _bench.SettleAsync();

        Assert.True(most <= BucketSelector.MaxBuckets, $"{most}");
        Assert.Equal((30, Aes), (Rows().Count, Has("b-0000")));
    }

    [Fact]
    public async Task A_bucket_that_was_held_before_a_selector_selected_it_is_not_released_after_it()
    {
        Buckets("alpha", "beta");
        var named = Given.Policy("alpha");
        named = named with { Spec = named.Spec with { DeletionPolicy = "Delete", AllowDowngrade = true } };
        await _bench.Start(named).SettleAsync();
        var selector = Selector(["*"]).Spec.BucketSelector;
        Spec(s => s with { Buckets = [], BucketSelector = selector, Mode = "Enforce", DeletionPolicy = null });
        await _bench.SettleAsync();

        Spec(s =>
            s with
            {
                Buckets = [new BucketReference { Name = "beta" }],
                BucketSelector = null,
                DeletionPolicy = "Delete",
            }
        );
        await _bench.SettleAsync();

        Assert.Equal((Aes, Aes), (Has("alpha"), Has("beta")));
        Assert.Equal(["beta"], Rows());
    }

    [Theory]
    [InlineData("list denied")]
    [InlineData("tags denied, each with another hint")]
    [InlineData("doubtful")]
    [InlineData("too many buckets")]
    [InlineData("too many writes")]
    [InlineData("owned by others")]
    [InlineData("not listed")]
    [InlineData("1000 failing rows")]
    [InlineData("1000 failing rows, each with another hint")]
    [InlineData("many errors")]
    [InlineData("odd names")]
    public async Task What_does_not_change_is_said_once(string what)
    {
        await StartAsync(what);
        for (var i = 0; i < 4; i++)
        {
            await _bench.ReconcileAsync();
            _bench.Time.Advance(TimeSpan.FromMinutes(11));
        }
        var (patches, events, logs) = (_bench.Patches, _bench.Events.Notes.Count(), _bench.Logs.Count);
        _bench.Woken.Clear();

        for (var i = 0; i < 5; i++)
        {
            var next = await _bench.ReconcileAsync();
            Assert.True(next is not ReconcileResult.After { Delay: var d } || d > TimeSpan.FromSeconds(30), $"{next}");
            _bench.Time.Advance(TimeSpan.FromMinutes(11));
        }

        Assert.Equal(
            (patches, events, logs, 0),
            (_bench.Patches, _bench.Events.Notes.Count(), _bench.Logs.Count, _bench.Woken.Count)
        );
    }

    private async Task StartAsync(string what)
    {
        Buckets("alpha", "beta", "gamma", "sigma");
        foreach (var name in _bench.Vendor.Names)
            _bench.Account.Tags[name] = Tags(("env", "p"));
        var denied = InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);
        switch (what)
        {
            case "list denied":
                await _bench.Start(Selector(["*"])).SettleAsync();
                _bench.Account.Faults = _ => denied;
                break;
            case "tags denied, each with another hint":
                await _bench.Start(Tagged(Selector(["*"]))).SettleAsync();
                _bench.Account.Faults = call =>
                    call.Operation == InMemoryAccount.Tagging ? denied with { Hint = $"Grant {call.Bucket}." } : null;
                break;
            case "doubtful":
                await _bench.Start(Selector(["*"])).SettleAsync();
                _bench.Account.Hides = (b, _) => b != "alpha";
                break;
            case "too many buckets":
                foreach (var name in Enumerable.Range(0, 1010).Select(i => $"bucket-{i:0000}"))
                    _bench.Vendor[name] = Aes;
                await _bench.Start(Selector(["*"])).SettleAsync();
                break;
            case "too many writes":
                await _bench.Start(Selector(["*"], maxWrites: 2)).SettleAsync();
                break;
            case "owned by others":
                await _bench.Start(Selector(["*"])).SettleAsync();
                Put(Second, Given.Policy("alpha").With(new EncryptionSpec { Algorithm = "KMS" }), age: 1);
                await _bench.SettleAsync(Second);
                break;
            case "not listed":
                await _bench.Start(Selector(["*"])).SettleAsync();
                _bench.Account.Hides = (b, _) => b == "alpha";
                _bench.Vendor["alpha"] = None;
                break;
            case "1000 failing rows" or "1000 failing rows, each with another hint":
                foreach (var name in Enumerable.Range(0, 996).Select(i => $"bucket-{i:0000}"))
                    _bench.Vendor[name] = None;
                _bench.Vendor.Denials = (call, _) =>
                    denied with
                    {
                        Message = new string('m', 900),
                        Hint = what.EndsWith("hint", StringComparison.Ordinal)
                            ? call.Bucket + new string('h', 900)
                            : new string('h', 900),
                    };
                await _bench.Start(Selector(["*"])).ReconcileAsync();
                break;
            case "many errors":
                await _bench.Start(Tagged(Selector(["*"]))).SettleAsync();
                _bench.Account.Faults = _ => denied;
                _bench.Vendor.Denials = (call, _) => denied with { Code = $"Denied{call.Bucket}" };
                break;
            case "odd names":
                _bench.Account.Faults = _ => null;
                foreach (var name in new[] { "UPPER", "a", "dots..dots", "-edge", "under_score" })
                    _bench.Vendor[name] = Aes;
                await _bench.Start(Selector(["*"])).SettleAsync();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, message: null);
        }
    }

    [Fact]
    public async Task A_reconcile_that_was_requested_counts_until_all_tags_are_read()
    {
        Buckets([.. Enumerable.Range(0, 40).Select(i => $"bucket-{i:00}")]);
        foreach (var name in _bench.Vendor.Names)
            _bench.Account.Tags[name] = Tags(("env", "p"));
        await _bench.Start(Tagged(Selector(["*"]))).SettleAsync();
        foreach (var name in _bench.Vendor.Names.Order(StringComparer.Ordinal).Skip(19).ToList())
            _bench.Vendor[name] = null;
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();
        var doubtful = (Rows().Count, Ready().Reason);

        _bench.ShouldYield = _ => true;
        Ask();
        await _bench.ReconcileAsync();
        _bench.ShouldYield = _ => false;
        await _bench.SettleAsync();

        Assert.Equal((40, "MultipleErrors"), doubtful);
        Assert.Equal((19, ("True", "InSync")), (Rows().Count, Ready()));
    }

    [Fact]
    public async Task Rows_of_another_partition_are_not_missing_from_this_one()
    {
        Buckets("alpha", "beta", "gamma", "sigma");
        await _bench.Start(Selector(["*"])).SettleAsync();
        foreach (var name in _bench.Vendor.Names)
            _bench.Vendor[name] = null;
        Buckets("delta");

        var moved = Given.Store();
        _bench.Put(
            moved with
            {
                Metadata = moved.Metadata with { ResourceVersion = "2", Generation = 2 },
                Spec = moved.Spec with { Region = "cn-shanghai" },
            }
        );
        await _bench.SettleAsync();

        Assert.Equal(["delta"], Rows());
        Assert.Equal((("True", "InSync"), Aes), (Ready(), Has("delta")));
    }

    private static BucketEncryptionPolicy Tagged(BucketEncryptionPolicy policy) =>
        policy with
        {
            Spec = policy.Spec with
            {
                BucketSelector = policy.Spec.BucketSelector! with { MatchTags = Tags(("env", "p")) },
            },
        };

    /// <summary>
    /// A read right after a write is no evidence, and the bucket may need another write all the same.
    /// </summary>
    [Fact]
    public async Task Buckets_that_were_just_written_count_as_writes_that_may_come()
    {
        Buckets("alpha", "beta", "gamma");
        await _bench.Start(Selector(["*"], maxWrites: 2)).ReconcileAsync();
        Confirm("1");
        await _bench.ReconcileAsync();
        Buckets("sigma");
        var writes = Writes();

        Spec(s => s with { Encryption = new EncryptionSpec { Algorithm = "KMS" } });
        Ask();
        for (var i = 0; i < 4; i++)
        {
            await _bench.ReconcileAsync();
            _bench.Time.Advance(TimeSpan.FromSeconds(4));
        }

        Assert.Equal(3, writes);
        Assert.Equal(3, Writes());
        Assert.Equal(("False", "TooManyWrites"), Ready());
    }
}
