using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Telemetry;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Reconciling;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Tests.Telemetry;

public sealed partial class ObservabilityTests
{
    [Fact]
    public async Task An_accounts_buckets_are_counted_from_the_lists_that_a_selector_sees()
    {
        await using var bench = new Workbench(meter: _meter);
        _ = new AccountMetrics(_meter, bench.Policies, _ => "AlibabaOSS");
        bench.Vendor["finance-archive"] = bench.Vendor["finance-scratch"] = bench.Vendor["web"] = Aes;
        var policy = Selecting(Given.Policy(), "finance-*");

        bench.Start(policy);
        Assert.Null(Value(AccountMetrics.Name, "matched"));
        await bench.SettleAsync();

        Assert.Equal(
            (1, 1, 0),
            (
                Value(AccountMetrics.Name, "matched"),
                Value(AccountMetrics.Name, "excluded"),
                Value(AccountMetrics.Name, "notCovered")
            )
        );
        Assert.True(
            Labels(Scrape(), AccountMetrics.Name).SetEquals(["vendor=\"AlibabaOSS\"", "coverage=\"matched\""]),
            Scrape()
        );

        bench.Put(Given.Policy("finance-archive").NextGeneration());
        Assert.Null(Value(AccountMetrics.Name, "matched"));
    }

    [Fact]
    public void Accounts_are_added_up_by_vendor_and_no_label_names_a_store()
    {
        var policies = new ObjectCache<BucketEncryptionPolicy>();
        _ = new AccountMetrics(
            _meter,
            policies,
            p => p.Spec.StoreRef.Name == "gone" ? null : p.Spec.StoreRef.Name.Split('-')[0]
        );
        for (var i = 0; i < 500; i++)
            Apply($"huawei-{i}", new DiscoveryStatus { Matched = 2, NotCovered = 1 });
        Apply("jd-1", new DiscoveryStatus { OtherRegions = 3, OwnedByOthers = 4 });
        Apply("gone", new DiscoveryStatus { Matched = 1 });
        Apply("jd-2", discovery: null);

        var series = Scrape().Split('\n').Where(l => l.StartsWith(AccountMetrics.Name, StringComparison.Ordinal));

        Assert.Equal(
            [
                """{coverage="excluded",vendor="huawei"} 0""",
                """{coverage="excluded",vendor="jd"} 0""",
                """{coverage="matched",vendor="huawei"} 1000""",
                """{coverage="matched",vendor="jd"} 0""",
                """{coverage="notCovered",vendor="huawei"} 500""",
                """{coverage="notCovered",vendor="jd"} 0""",
                """{coverage="otherRegions",vendor="huawei"} 0""",
                """{coverage="otherRegions",vendor="jd"} 3""",
                """{coverage="ownedByOthers",vendor="huawei"} 0""",
                """{coverage="ownedByOthers",vendor="jd"} 4""",
            ],
            series.Select(l => l[AccountMetrics.Name.Length..]).Order(StringComparer.Ordinal)
        );

        void Apply(string store, DiscoveryStatus? discovery)
        {
            var policy = Selecting(Given.Policy(), "*");
            policies.Apply(
                new WatchEvent<BucketEncryptionPolicy>.Applied(
                    policy with
                    {
                        Metadata = policy.Metadata with { Name = store, Uid = store },
                        Spec = policy.Spec with { StoreRef = policy.Spec.StoreRef with { Name = store } },
                        Status = new PolicyStatus { Discovery = discovery },
                    }
                )
            );
        }
    }

    private static BucketEncryptionPolicy Selecting(BucketEncryptionPolicy policy, string names) =>
        policy with
        {
            Spec = policy.Spec with
            {
                Buckets = [],
                BucketSelector = new BucketSelectorSpec { MatchNames = [names], ExcludeNames = ["*-scratch"] },
                Mode = "Audit",
            },
        };
}
