namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class SecretKeysTests
{
    [Fact]
    public async Task A_rejected_keys_Secret_is_read_at_once_and_then_every_five_seconds()
    {
        await RejectAsync((await GetAsync()).Value!);

        await GetAsync();
        var atOnce = _gets;
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        await GetAsync();
        var early = _gets;
        _time.Advance(TimeSpan.FromTicks(1));
        await GetAsync();

        Assert.Equal((2, 2, 3), (atOnce, early, _gets));
    }

    [Fact]
    public async Task A_key_that_was_replaced_before_the_old_one_was_rejected_is_there_at_once()
    {
        var old = (await GetAsync()).Value!;
        _answer = () => Task.FromResult(Make(secret: "better", version: "2"));
        await RejectAsync(old);

        Assert.Equal("better", (await GetAsync()).Value?.Secret);
        _time.Advance(TimeSpan.FromMinutes(4));
        await GetAsync();
        Assert.Equal(2, _gets); // the new one is as good as any
    }

    [Fact]
    public async Task Each_rejection_is_news()
    {
        var key = (await GetAsync()).Value!;
        await RejectAsync(key);
        await GetAsync();
        _time.Advance(TimeSpan.FromMinutes(1));
        await PassAsync(key, failure: null);
        await GetAsync();
        var taken = _gets;
        await PassAsync(key, Rejection);

        await GetAsync();

        Assert.Equal(taken + 1, _gets);
    }
}
