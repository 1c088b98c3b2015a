using KubeRuntime.LeaderElection;
using TestKit;

namespace KubeRuntime.Tests.LeaderElection;

public sealed class LeaseRecordTests
{
    private static readonly DateTimeOffset Now = ManualTimeProvider.DefaultStart;

    [Theory]
    [InlineData("the first holder", null, 0)]
    [InlineData("one more", 7, 8)]
    [InlineData("no further than the number goes: the API server refuses a negative one", int.MaxValue, int.MaxValue)]
    public void A_take_over_is_counted(string rule, int? before, int after)
    {
        var record = new LeaseRecord { HolderIdentity = "a", LeaseTransitions = before }.HeldBy(
            "b",
            TimeSpan.FromSeconds(15),
            Now
        );

        Assert.True(record.LeaseTransitions == after, rule);
    }
}
