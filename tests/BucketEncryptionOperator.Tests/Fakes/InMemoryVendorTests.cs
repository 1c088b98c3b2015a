using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>A fake that lies makes every test that uses it lie.</summary>
public sealed class InMemoryVendorTests
{
    private static readonly BucketAddress Address = new(
        "bucket-a",
        new Uri("https://oss-cn-hangzhou.aliyuncs.com"),
        "cn-hangzhou",
        Addressing.VirtualHost,
        VendorOptions.None
    );
    private static readonly AccessKey Key = new("id", "hush", null);
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();

    private readonly InMemoryVendor _vendor = new() { ["bucket-a"] = None };

    [Fact]
    public async Task What_is_put_is_read_and_what_is_deleted_is_gone()
    {
        await PutAsync();
        var put = await GetAsync();
        await _vendor.DeleteAsync(Address, Key);

        Assert.Equal((Aes, None), (put, await GetAsync()));
        Assert.Equal(["Put", "Get", "Delete", "Get"], _vendor.Calls.Select(c => c.Operation));
    }

    [Fact]
    public async Task Reads_lag_as_many_times_as_told()
    {
        _vendor.LaggingReads = 2;
        await PutAsync();

        Assert.Equal([None, None, Aes], [await GetAsync(), await GetAsync(), await GetAsync()]);
    }

    [Fact]
    public async Task Dropped_writes_are_answered_well()
    {
        _vendor.DropsWrites = true;
        await PutAsync();

        Assert.Equal(None, await GetAsync());
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_and_a_bad_key_fail()
    {
        _vendor["bucket-a"] = null;
        var missing = await Assert.ThrowsAsync<VendorException>(GetAsync);
        _vendor.GoodSecret = "other";
        var rejected = await Assert.ThrowsAsync<VendorException>(GetAsync);

        Assert.Equal(
            ("NoSuchBucket", "SignatureDoesNotMatch", true),
            (missing.Failure.Code, rejected.Failure.Code, rejected.Failure.ConcernsCredentials)
        );
    }

    [Theory]
    [InlineData("before the effect", false)]
    [InlineData("after the effect", true)]
    public async Task A_fault_comes_at_its_call(string sentence, bool afterEffect)
    {
        _vendor.Faults = (n, _) =>
            n == 1
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500), afterEffect)
                : null;

        await Assert.ThrowsAsync<VendorException>(PutAsync);

        Assert.True((afterEffect ? Aes : None).Equals(await GetAsync()), sentence);
    }

    [Fact]
    public async Task What_a_last_check_stops_is_not_sent()
    {
        var stop = new Failure(FailureKind.Conflict, "Test", "Stopped");

        var stopped = await Assert.ThrowsAsync<VendorException>(() => _vendor.DeleteAsync(Address, Key, () => stop));

        Assert.Equal(stop with { NotSent = true }, stopped.Failure);
        Assert.Empty(_vendor.Calls);
    }

    [Fact]
    public async Task What_a_key_may_not_is_denied_and_has_no_effect()
    {
        _vendor.Denials = (call, key) =>
            call.Operation == "Put" && key.Id == Key.Id
                ? InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)
                : null;

        var denied = await Assert.ThrowsAsync<VendorException>(PutAsync);
        await _vendor.PutAsync(Address, Key with { Id = "other" }, _vendor.Write(Aes, new Observation(None, null)));

        Assert.Equal(("AccessDenied", Aes), (denied.Failure.Code, await GetAsync()));
    }

    [Fact]
    public async Task A_receipt_says_what_the_bucket_had_and_what_was_answered()
    {
        var receipts = new List<VendorReceipt>();
        (_vendor.Received, _vendor.LaggingReads) = (receipts.Add, 1);
        _vendor.Faults = (n, _) =>
            n == 3
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500), AfterEffect: true)
                : null;

        await PutAsync();
        await GetAsync();
        await Assert.ThrowsAsync<VendorException>(() => _vendor.DeleteAsync(Address, Key));

        Assert.Equal(
            [("Put", None, Aes), ("Get", Aes, Aes), ("Delete", Aes, None)],
            receipts.Select(r => (r.Call.Operation, r.Before, r.After))
        );
        Assert.Equal([null, None, null], receipts.Select(r => r.Shown));
        Assert.Equal([null, null, "InternalError"], receipts.Select(r => r.Failure?.Code));
    }

    private Task PutAsync() => _vendor.PutAsync(Address, Key, _vendor.Write(Aes, new Observation(None, null)));

    private async Task<BucketEncryption> GetAsync() =>
        (await _vendor.GetAsync(Address, Key, CancellationToken.None)).Encryption;
}
