using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class HoldPointTests : SimulatorTest
{
    [Theory]
    [InlineData(HoldPhases.Before, false)]
    [InlineData(HoldPhases.After, true)]
    public async Task A_request_is_parked_before_or_after_its_operation_and_goes_on_when_released(
        string phase,
        bool done
    )
    {
        HoldRule rule = await Admin.HoldAsync(
            new HoldRule(phase) { Bucket = Bucket, Operations = [StoreOperations.Put] }
        );

        Task<StoreTestAnswer> put = Oss.PutAsync(OssTestClient.Rule("AES256"));
        HeldRequest held = Assert.Single(await Admin.WaitForHeldAsync());

        Assert.Equal(
            (Bucket, StoreOperations.Put, "ak", phase),
            (held.Bucket, held.Operation, held.AccessKeyId, held.Phase)
        );
        Assert.Equal(done, await Admin.GetEncryptionAsync(Bucket) is not null);
        Assert.Equal(done ? 1 : 0, (await Admin.GetCountersAsync()).AcceptedWrites(Bucket));
        Assert.Equal(1, await Admin.ReleaseAsync(rule.Id!));
        (await put.WaitAsync(Patience)).AssertIs(200, null);
        Assert.Empty(await Admin.GetHeldAsync());
        (await Oss.PutAsync(OssTestClient.Rule("KMS")).WaitAsync(Patience)).AssertIs(200, null);
    }

    [Theory]
    [InlineData(HoldPhases.Before, false)]
    [InlineData(HoldPhases.After, true)]
    public async Task A_request_whose_client_dies_has_done_nothing_before_and_all_after(string phase, bool done)
    {
        await Admin.HoldAsync(new HoldRule(phase));
        using CancellationTokenSource dies = new();
        Task<StoreTestAnswer> put = Oss.SendAsync(
            new OssTestRequest { Method = HttpMethod.Put, Body = OssTestClient.Rule("AES256") },
            dies.Token
        );
        await Admin.WaitForHeldAsync();

        await dies.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put);
        SimulatorCounters counters = await Admin.WaitForCountersAsync(counters => counters.InFlight == 0);
        Assert.Equal((1, done ? 1 : 0), (counters.Total.Spoiled, counters.AcceptedWrites(Bucket)));
        Assert.Equal(done, await Admin.GetEncryptionAsync(Bucket) is not null);
        Assert.Empty(await Admin.GetHeldAsync());
    }

    [Fact]
    public async Task A_rule_can_park_a_number_of_requests_and_release_them_one_by_one()
    {
        HoldRule rule = await Admin.HoldAsync(new HoldRule(HoldPhases.Before) { Times = 2 });
        Task<StoreTestAnswer>[] gets = [Oss.GetAsync(), Oss.GetAsync()];
        HeldRequest[] held = [.. await Admin.WaitForHeldAsync(2)];
        (await Oss.GetAsync().WaitAsync(Patience)).AssertIs(404, "NoSuchServerSideEncryptionRule");

        await Admin.ReleaseOneAsync(held[0].Id);
        await (await Task.WhenAny(gets)).WaitAsync(Patience);

        Assert.Equal(held[1], Assert.Single(await Admin.GetHeldAsync()));
        await Admin.ReleaseAsync(rule.Id!);
        await Task.WhenAll(gets).WaitAsync(Patience);
    }

    [Fact]
    public async Task Waiting_for_requests_that_do_not_come_says_how_many_there_are()
    {
        TimeoutException late = await Assert.ThrowsAsync<TimeoutException>(() =>
            Admin.WaitForHeldAsync(1, waitSeconds: 0)
        );

        Assert.StartsWith("0 of 1", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reset_lets_everything_go_on()
    {
        await Admin.HoldAsync(new HoldRule(HoldPhases.After));
        Task<StoreTestAnswer> put = Oss.PutAsync(OssTestClient.Rule("AES256"));
        await Admin.WaitForHeldAsync();

        await Admin.ResetAsync();

        (await put.WaitAsync(Patience)).AssertIs(200, null);
        Assert.Null(await Admin.GetEncryptionAsync(Bucket));
    }
}
