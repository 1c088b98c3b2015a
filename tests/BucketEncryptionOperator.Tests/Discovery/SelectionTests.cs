using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Discovery;

public sealed class SelectionTests
{
    private static readonly BucketSelector All = Selector(["*"]);

    [Fact]
    public void Listed_buckets_that_match_are_selected_in_the_order_of_their_names()
    {
        var selection = Selection.From(Selector(["b*", "a"]), [Here("b2"), Here("b1"), Here("a")], []);

        Assert.Equal(["a", "b1", "b2"], Names(selection));
        Assert.All(selection.Buckets, b => Assert.True(b.IsListed));
        Assert.Equal(new SelectionCounts { Matched = 3 }, selection.Counts);
    }

    [Fact]
    public void Excluded_buckets_and_those_of_other_regions_are_counted_and_not_selected()
    {
        var selector = Selector(["*"], excluded: ["*-logs"]);

        var selection = Selection.From(
            selector,
            [Here("a"), Here("a-logs"), Elsewhere("b"), Elsewhere("b-logs")],
            known: ["b"]
        );

        Assert.Equal(["a"], Names(selection));
        Assert.Equal(
            new SelectionCounts
            {
                Matched = 1,
                Excluded = 1,
                OtherRegions = 1,
            },
            selection.Counts
        );
    }

    [Theory]
    [InlineData("tags that match, new", true, false, true, 0)]
    [InlineData("tags that match, known", true, true, true, 0)]
    [InlineData("other tags, new", false, false, false, 0)]
    [InlineData("other tags, known", false, true, false, 0)]
    [InlineData("tags that cannot be read, new", null, false, false, 1)]
    [InlineData("tags that cannot be read, known", null, true, true, 0)]
    public void Tags_that_cannot_be_read_keep_a_bucket_where_it_was(
        string sentence,
        bool? hasTags,
        bool wasThere,
        bool isThere,
        int notCovered
    )
    {
        var selection = Selection.From(
            All,
            [new ListedFacts("ledger", BucketPlace.Here, hasTags)],
            wasThere ? ["ledger"] : []
        );

        Assert.True(isThere == (Names(selection) is ["ledger"]), sentence);
        Assert.Equal(notCovered, selection.Counts.NotCovered);
    }

    [Theory]
    [InlineData("new", false, 1)]
    [InlineData("known", true, 0)]
    public void A_place_that_is_not_known_keeps_a_bucket_where_it_was(string sentence, bool wasThere, int notCovered)
    {
        var selection = Selection.From(
            All,
            [new ListedFacts("ledger", BucketPlace.Unknown, HasTags: true)],
            wasThere ? ["ledger"] : []
        );

        Assert.True(wasThere == (Names(selection) is ["ledger"]), sentence);
        Assert.Equal(notCovered, selection.Counts.NotCovered);
    }

    [Fact]
    public void A_known_bucket_that_the_list_lacks_stays_and_is_not_listed()
    {
        var selection = Selection.From(All, [Here("a")], known: ["a", "b"]);

        Assert.Equal(["a", "b"], Names(selection));
        Assert.Equal([true, false], selection.Buckets.Select(b => b.IsListed));
        Assert.Equal(new SelectionCounts { Matched = 1, Missing = 1 }, selection.Counts);
        Assert.False(selection.IsDoubtful);
    }

    [Theory]
    [InlineData("none of two", 2, 0, false)]
    [InlineData("none of three", 3, 0, true)]
    [InlineData("half of six", 6, 3, false)]
    [InlineData("less than half of six", 6, 2, true)]
    [InlineData("nothing known", 0, 0, false)]
    public void A_list_that_lacks_more_than_half_is_doubtful(string sentence, int known, int listed, bool isDoubtful)
    {
        var names = Enumerable.Range(0, known).Select(i => $"bucket-{i}").ToList();

        var selection = Selection.From(All, [.. names.Take(listed).Select(Here)], names);

        Assert.True(selection.IsDoubtful == isDoubtful, sentence);
        Assert.Equal(known, selection.Buckets.Length);
        Assert.False(selection.Believed().IsDoubtful);
    }

    [Fact]
    public void Of_too_many_those_stay_that_the_policy_had()
    {
        var listed = Enumerable.Range(0, 1003).Select(i => Here($"bucket-{i:0000}")).ToList();

        var selection = Selection.From(All, listed, known: ["bucket-1001", "bucket-1002", "gone"]);

        Assert.Equal(BucketSelector.MaxBuckets, selection.Buckets.Length);
        Assert.Superset(new HashSet<string> { "bucket-1001", "bucket-1002", "gone" }, Names(selection).ToHashSet());
        Assert.Equal((4, 4), (selection.Counts.TooMany, selection.Counts.NotCovered));
        Assert.Equal(1003, selection.Counts.Matched);
        Assert.Equal(Names(selection).Order(StringComparer.Ordinal), Names(selection));
    }

    [Fact]
    public void Without_a_list_the_known_buckets_are_all_there_is_and_none_is_listed()
    {
        var selection = Selection.Of(["b", "a"]);

        Assert.Equal(["a", "b"], Names(selection));
        Assert.All(selection.Buckets, b => Assert.False(b.IsListed));
        Assert.Equal(new SelectionCounts(), selection.Counts);
    }

    [Theory]
    [InlineData("what the store lets nobody select is not there", "other-a", "None")]
    [InlineData("also if it is excluded", "other-logs", "None")]
    [InlineData("the namespace's own", "team-a-ledger", "Matched")]
    [InlineData("excluded there", "team-a-logs", "Excluded")]
    [InlineData("a common one", "shared-1", "Matched")]
    public void A_selector_goes_no_further_than_its_store(string sentence, string bucket, string expected)
    {
        var spec = new BucketSelectorSpec { MatchNames = ["*"], ExcludeNames = ["*-logs"] };

        var selector = BucketSelector.Of(spec, "team-a", ["{namespace}-*", "shared-?"]);

        Assert.True(selector.Match(bucket).ToString() == expected, sentence);
    }

    private static BucketSelector Selector(ImmutableArray<string> names, ImmutableArray<string>? excluded = null) =>
        new(names, excluded ?? [], ImmutableDictionary<string, string>.Empty, Selectable: null, MaxWrites: 50);

    private static ListedFacts Here(string name) => new(name, BucketPlace.Here, HasTags: true);

    private static ListedFacts Elsewhere(string name) => new(name, BucketPlace.Elsewhere, HasTags: true);

    private static List<string> Names(Selection selection) => [.. selection.Buckets.Select(b => b.Name)];
}
