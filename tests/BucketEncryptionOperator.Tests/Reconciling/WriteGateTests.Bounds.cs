using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class WriteGateTests
{
    [Theory]
    [InlineData("the vendor refuses with a code", false)]
    [InlineData("nothing is sent, for the lease is gone", true)]
    public async Task A_write_that_was_not_made_does_not_count_as_one_without_effect(string sentence, bool leaseIsGone)
    {
        _vendor[Bucket] = None;
        _bench.Start(Policy("p", WantKey1, age: 1));
        await _bench.SettleAsync(Key("p"));
        for (var i = 0; i < 2; i++) // corrected twice: the next one would be the third
        {
            _vendor[Bucket] = None;
            if (i == 1)
                break;
            await _bench.SettleAsync(Key("p"));
        }
        if (leaseIsGone)
            _hooked.Before = (operation, _, _) =>
            {
                _bench.MayWrite = operation != "Put";
                return Task.CompletedTask;
            };
        else
            _vendor.Faults = (_, call) =>
                call.Operation == "Put"
                    ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500, "Put"))
                    : null;
        for (var i = 0; i < 8; i++)
        {
            await _bench.ReconcileAsync(Key("p"));
            _bench.Time.Advance(TimeSpan.FromSeconds(15));
            _bench.MayWrite = true;
        }
        _hooked.Before = (_, _, _) => Task.CompletedTask;
        _vendor.Faults = (_, _) => null;

        await _bench.ReconcileAsync(Key("p"));

        Assert.True(Key1 == _vendor[Bucket], sentence);
    }

    [Theory]
    [InlineData("reads see each write", 0)]
    [InlineData("the first read after a write does not", 1)]
    public async Task A_bucket_that_somebody_changes_back_each_time_is_contested_and_bounded(
        string sentence,
        int laggingReads
    )
    {
        _vendor.LaggingReads = laggingReads;
        _vendor[Bucket] = None;
        _bench.Start(Policy("p", WantKey1, age: 1));
        await _bench.SettleAsync(Key("p"));
        var (puts, from) = (_vendor.Count("Put"), _bench.Time.GetUtcNow());
        while (_bench.Time.GetUtcNow() - from < TimeSpan.FromHours(24))
        {
            _vendor[Bucket] = None; // another tool, again
            await _bench.SettleAsync(Key("p"));
            _bench.Time.Advance(TimeSpan.FromMinutes(10));
        }

        _output.WriteLine($"{sentence}: {_vendor.Count("Put") - puts} PUTs in 24 h");
        Assert.InRange(_vendor.Count("Put") - puts, 3, 10);
        Assert.Contains("Contested", _bench.Events.Reasons);
    }

    [Theory]
    [InlineData("no PATCH is taken: nothing may be written that is not on record", 1, 0)]
    [InlineData("the record is taken, and no report: the count is on record", 2, 10)]
    public async Task A_bucket_that_drops_writes_is_written_a_few_times_a_day_although_the_status_cannot_be_written(
        string sentence,
        int firstFault,
        int most
    )
    {
        _vendor[Bucket] = None;
        _vendor.DropsWrites = true;
        _bench.Start(Policy("p", WantKey1, age: 1));
        var patches = 0;
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal) && (++patches % 2 == 0 || firstFault == 1)
                ? KubernetesFake.Status(403, "Forbidden")
                : null;

        for (var i = 0; i < 288; i++)
        {
            patches = 0;
            await _bench.ReconcileAsync([Key("p")], 1);
            _bench.Time.Advance(TimeSpan.FromMinutes(5)); // the longest back-off
        }

        _output.WriteLine($"{sentence}: {_vendor.Count("Put")} PUTs in 24 h");
        Assert.InRange(_vendor.Count("Put"), Math.Min(most, 3), most);
    }

    /// <summary>
    /// The time limit of a reconcile, a lost lease: what was written is reported by the log and by events at once, and
    /// by the next status.
    /// </summary>
    [Fact]
    public async Task What_a_pass_that_was_cut_off_has_written_is_reported_and_is_never_an_original()
    {
        var first = new BucketEncryption.Kms("the-first", DataCipher.Aes256);
        (_vendor["bucket-a"], _vendor["bucket-b"]) = (first, first);
        _bench.Start(Policy("p", WantKey1, age: 1, "bucket-a", "bucket-b"));
        using var limit = new CancellationTokenSource();
        _hooked.Before = async (operation, address, _) =>
        {
            if (operation == "Put" && address.Bucket == "bucket-b")
                await limit.CancelAsync();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bench.ReconcileAsync(Key("p"), limit.Token));
        var reported = _bench.Events.Notes.Count(n => n.Contains("bucket-a", StringComparison.Ordinal));
        _hooked.Before = (_, _, _) => Task.CompletedTask;
        await _bench.SettleAsync(Key("p"));
        var now = _bench.Kubernetes.Read(Key("p"));

        _bench.Put((now with { Spec = now.Spec with { DeletionPolicy = "Restore" } }).NextGeneration());
        await _bench.SettleAsync(Key("p"));

        Assert.Equal(1, reported);
        Assert.NotNull(Row("p", "bucket-a").LastAppliedTime);
        Assert.Equal(OriginalEncryption.Unavailable, Row("p", "bucket-a").Original?.State);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(256)]
    public async Task A_first_write_costs_three_requests(int count)
    {
        var buckets = Many.Take(count).ToArray();
        Fill(buckets);
        _bench.Start(Policy("p", WantKey1, age: 1, buckets));

        await _bench.ReconcileAsync(Key("p"));

        Assert.Equal(3 * count, _vendor.Calls.Count);
        Assert.Equal(2, _bench.Patches);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(256)]
    public async Task A_first_write_costs_four_requests_where_the_record_takes_longer_than_a_second(int count)
    {
        var buckets = Many.Take(count).ToArray();
        Fill(buckets);
        _bench.Start(Policy("p", WantKey1, age: 1, buckets));
        _bench.Kubernetes.Faults = (_, line) =>
        {
            if (line.StartsWith("PATCH", StringComparison.Ordinal))
                _bench.Time.Advance(TimeSpan.FromSeconds(2));
            return null;
        };

        await _bench.ReconcileAsync([Key("p")], 1);

        Assert.Equal(4 * count, _vendor.Calls.Count);
        Assert.Equal(2, _bench.Patches);
    }
}
