using KubeRuntime.Leading;
using TestKit;

namespace KubeRuntime.Tests.Leading;

public sealed class LeaseRecordTests
{
    private static readonly DateTimeOffset Now = ManualTimeProvider.DefaultStart;

    [Theory]
    [InlineData("the first holder", null, 0)]
    [InlineData("one more", 7, 8)]
    [InlineData("no further than the number goes: the API server refuses a negative one", int.MaxValue, int.MaxValue)]
    public void A_take_over_is_counted(string rule, int? before, int after)
    {
        var record = new LeaseRecord { HolderIdentity = "a", LeaseTransitions = before }.HeldBy("b", TimeSpan.FromSeconds(15), Now);

        Assert.True(record.LeaseTransitions == after, rule);
    }

    [Fact]
    public void A_renewal_changes_the_record_whatever_time_is_in_it()
    {
        foreach (var last in (DateTimeOffset?[])[null, DateTimeOffset.MinValue, Now, Now.AddDays(1), DateTimeOffset.MaxValue.AddTicks(-10), DateTimeOffset.MaxValue])
        {
            var before = new LeaseRecord { HolderIdentity = "a", RenewTime = last };

            Assert.NotEqual(last, before.HeldBy("a", TimeSpan.FromSeconds(15), Now).RenewTime);
            Assert.NotEqual(last, before.Released(Now).RenewTime);
        }
    }
}
