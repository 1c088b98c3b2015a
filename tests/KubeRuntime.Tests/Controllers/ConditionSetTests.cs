using System.Collections.Immutable;
using KubeRuntime.Controllers;
using TestKit;

namespace KubeRuntime.Tests.Controllers;

public sealed class ConditionSetTests
{
    private static readonly DateTimeOffset Then = ManualTimeProvider.DefaultStart;
    private static readonly DateTimeOffset Now = Then.AddHours(1);

    [Theory]
    [InlineData("a new reason and message are no transition", Condition.True, Condition.True, false)]
    [InlineData("a flip is", Condition.True, Condition.False, true)]
    [InlineData("to Unknown is", Condition.True, Condition.Unknown, true)]
    public void Times_move_only_when_the_status_flips(string rule, string before, string after, bool moves)
    {
        ImmutableArray<Condition> known = [Ready(before) with { LastTransitionTime = Then }];

        var condition = Assert.Single(
            ConditionSet.Reconcile(
                known,
                [Ready(after) with { Reason = "Other", Message = "other", ObservedGeneration = 9 }],
                Now
            )
        );

        Assert.True(condition.LastTransitionTime == (moves ? Now : Then), rule);
        Assert.Equal(("Other", "other", 9L), (condition.Reason, condition.Message, condition.ObservedGeneration));
    }

    [Fact]
    public void What_is_wanted_comes_in_its_order_and_what_is_not_is_dropped()
    {
        ImmutableArray<Condition> known =
        [
            Ready(Condition.True) with
            {
                Type = "Stalled",
                LastTransitionTime = Then,
            },
            Ready(Condition.True) with
            {
                LastTransitionTime = Then,
            },
        ];

        var conditions = ConditionSet.Reconcile(
            known,
            [Ready(Condition.True), Ready(Condition.True) with { Type = "Reconciling" }],
            Now
        );

        Assert.Equal([("Ready", Then), ("Reconciling", Now)], conditions.Select(c => (c.Type, c.LastTransitionTime)));
    }

    [Fact]
    public void An_object_without_conditions_has_none_of_any_type()
    {
        ImmutableArray<Condition> none = default;

        Assert.Null(none.Find("Ready"));
        Assert.Equal(Now, Assert.Single(ConditionSet.Reconcile(none, [Ready(Condition.True)], Now)).LastTransitionTime);
    }

    private static Condition Ready(string status) =>
        new()
        {
            Type = "Ready",
            Status = status,
            Reason = "Succeeded",
        };
}
