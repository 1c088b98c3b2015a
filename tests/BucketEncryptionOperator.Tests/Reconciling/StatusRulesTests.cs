using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>The rules must find what they are for.</summary>
public sealed class StatusRulesTests
{
    private static readonly DateTimeOffset Then = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly BucketStatus Row = new()
    {
        Name = "finance-archive",
        State = BucketStatus.InSync,
        Observed = new ObservedEncryption { Algorithm = "AES256" },
    };

    private static readonly PolicyStatus Good = new()
    {
        ObservedGeneration = 1,
        Conditions = [Make("Ready", "True"), Make("Compliant", "True")],
        Summary = new BucketSummary
        {
            Total = 1,
            InSync = 1,
            Text = "1/1",
        },
        Buckets = [Row],
    };

    private static readonly Dictionary<string, PolicyStatus> Bad = new(StringComparer.Ordinal)
    {
        ["Ready is not there"] = Good with { Conditions = [Make("Compliant", "True")] },
        ["a condition is there twice"] = Good with
        {
            Conditions = [Make("Ready", "True"), Make("Ready", "True"), Make("Compliant", "True")],
        },
        ["a condition is none of ours"] = Good with { Conditions = [.. Good.Conditions, Make("Healthy", "True")] },
        ["Ready is True with Stalled or Reconciling"] = Good with
        {
            Conditions = [.. Good.Conditions, Make("Stalled", "True")],
        },
        ["not Ready, and neither Stalled nor Reconciling"] = Good with
        {
            Conditions = [Make("Ready", "False"), Make("Compliant", "True")],
        },
        ["Stalled and Reconciling at once"] = Good with
        {
            Conditions = [Make("Ready", "False"), Make("Stalled", "True"), Make("Reconciling", "True")],
        },
        ["Stalled or Reconciling is there without being True"] = Good with
        {
            Conditions = [Make("Ready", "False"), Make("Stalled", "False")],
        },
        ["Ready is True and a bucket is not as declared"] = Good with
        {
            Conditions = [Make("Ready", "True"), Make("Compliant", "False")],
        },
        ["observedGeneration is ahead"] = Good with { ObservedGeneration = 2 },
        ["reason \"not legal\" is not legal"] = Good with
        {
            Conditions = [Make("Ready", "True") with { Reason = "not legal" }, Make("Compliant", "True")],
        },
        ["Ready has no message"] = Good with
        {
            Conditions = [Make("Ready", "True") with { Message = "" }, Make("Compliant", "True")],
        },
        ["rows are not the spec's buckets in the spec's order"] = Good with { Buckets = [Row with { Name = "other" }] },
        ["the summary does not add up"] = Good with { Summary = Good.Summary! with { InSync = 0, Text = "0/1" } },
        [
            "finance-archive is in sync, and has an error, a count of writes that were not kept, a plan, or nothing "
                + "observed"
        ] = Good with
        {
            Buckets = [Row with { Observed = null }],
        },
        ["finance-archive is Drifted and does not say why"] = Good with
        {
            Buckets = [Row with { State = BucketStatus.Drifted }],
        },
        ["finance-archive is being released and was never held"] = Good with
        {
            Buckets = [Row with { State = BucketStatus.Releasing }],
        },
        ["status.buckets[0].state is \"Fine\""] = Good with { Buckets = [Row with { State = "Fine" }] },
        ["a secret is in the status"] = Good with
        {
            Buckets = [Row with { Observed = new ObservedEncryption { Algorithm = "Hush" } }],
        },
    };

    public static TheoryData<string> Rules => new(Bad.Keys);

    [Fact]
    public void A_good_status_breaks_no_rule() => StatusRules.Check(Given.Policy(), Good, Then);

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_broken_rule_is_named(string rule) =>
        Assert.Contains(rule, StatusRules.Broken(Given.Policy(), Bad[rule], Then));

    [Theory]
    [InlineData("the time moves without a flip", "True", 1, 0, true)]
    [InlineData("a flip without the time moving", "False", 0, 5, true)]
    [InlineData("a flip to another time than now", "False", 1, 5, true)]
    [InlineData("a flip now", "False", 1, 0, false)]
    [InlineData("a flip within a second", "False", 0, 0, false)]
    [InlineData("neither", "True", 0, 5, false)]
    public void Times_move_with_flips(string sentence, string before, int secondsBefore, int secondsLater, bool broken)
    {
        var last = Good with
        {
            Conditions =
            [
                Make("Ready", before) with
                {
                    LastTransitionTime = Then.AddSeconds(-secondsBefore),
                },
                Make("Compliant", "True"),
            ],
        };

        var found = StatusRules
            .Broken(Given.Policy() with { Status = last }, Good, Then.AddSeconds(secondsLater))
            .ToImmutableArray();

        Assert.True(broken == (found.Length > 0), sentence + string.Join(";", found));
    }

    private static Condition Make(string type, string status) =>
        new()
        {
            Type = type,
            Status = status,
            Reason = "Because",
            Message = "m",
            ObservedGeneration = 1,
            LastTransitionTime = Then,
        };
}
