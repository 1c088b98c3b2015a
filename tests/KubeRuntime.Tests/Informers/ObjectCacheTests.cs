using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace KubeRuntime.Tests.Informers;

public sealed class ObjectCacheTests
{
    private static readonly string[] Namespaces = ["x", "y"];
    private readonly ObjectCache<Widget> _mirror = new();

    [Fact]
    public void It_is_synced_with_the_first_complete_list_and_not_before()
    {
        _mirror.Apply(new WatchEvent<Widget>.Restarted());
        List(Widget.Of("a", "1"));

        Assert.False(_mirror.IsSynced);
        Assert.False(_mirror.WhenSynced.IsCompleted);
        _mirror.Apply(new WatchEvent<Widget>.Synced());

        Assert.True(_mirror.IsSynced);
        Assert.True(_mirror.WhenSynced.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_second_list_finds_what_came_changed_and_went_while_nobody_looked()
    {
        Sync(Widget.Of("same", "1"), Widget.Of("changed", "1"), Widget.Of("gone", "1"));

        var changes = Sync(Widget.Of("same", "1"), Widget.Of("changed", "2"), Widget.Of("new", "3"));

        Assert.Equal(
            [("changed", "1", "2"), ("new", null, "3"), ("gone", "1", null)],
            changes.Select(c => (c.Key.Name, c.Old?.Metadata.ResourceVersion, c.New?.Metadata.ResourceVersion))
        );
        Assert.Equal(
            "changed new same",
            string.Join(" ", _mirror.Snapshot().Select(w => w.Metadata.Name).Order(StringComparer.Ordinal))
        );
        Assert.Equal(3, _mirror.Count);
    }

    [Fact]
    public void Nothing_is_taken_for_deleted_before_the_list_is_complete()
    {
        Sync(Widget.Of("a", "1"), Widget.Of("b", "1"));

        _mirror.Apply(new WatchEvent<Widget>.Restarted());
        List(Widget.Of("a", "1"));

        Assert.NotNull(_mirror.Find(new NamespacedName("ns", "b")));
    }

    [Fact]
    public void A_list_that_starts_over_forgets_what_the_first_try_named()
    {
        Sync(Widget.Of("a", "1"), Widget.Of("b", "1"));
        _mirror.Apply(new WatchEvent<Widget>.Restarted());
        List(Widget.Of("a", "1"), Widget.Of("b", "1"));

        var changes = Sync(Widget.Of("a", "1"));

        Assert.Equal("b", Assert.Single(changes).Key.Name);
    }

    [Fact]
    public void An_unreadable_object_keeps_what_the_mirror_has_of_it()
    {
        Sync(Widget.Of("a", "1", size: 7));

        _mirror.Apply(new WatchEvent<Widget>.Restarted());
        _mirror.Apply(new WatchEvent<Widget>.Listed([], [new UnreadableObject(new NamespacedName("ns", "a"), "bad")]));
        var changes = _mirror.Apply(new WatchEvent<Widget>.Synced());

        Assert.Empty(changes);
        Assert.Equal(7, _mirror.Find(new NamespacedName("ns", "a"))?.Spec.Size);
    }

    [Fact]
    public void The_same_version_changes_nothing()
    {
        Sync(Widget.Of("a", "1", size: 1));

        var changes = _mirror.Apply(new WatchEvent<Widget>.Applied(Widget.Of("a", "1", size: 2)));

        Assert.Empty(changes);
        Assert.Equal(1, _mirror.Find(new NamespacedName("ns", "a"))?.Spec.Size);
    }

    [Fact]
    public void Deleting_what_is_not_there_changes_nothing()
    {
        Sync();

        Assert.Empty(_mirror.Apply(new WatchEvent<Widget>.Deleted(new NamespacedName("ns", "a"))));
    }

    [Theory]
    [InlineData("our answer, then the watch brings the same: no change is told", "1", "2:2 watch2:silent", "2")]
    [InlineData("the watch first, then our answer: nothing to put in", "1", "watch2:told 2:2", "2")]
    [InlineData(
        "somebody's later change was seen before our answer came: it stays",
        "1",
        "watch2:told watch3:told 2:3",
        "3"
    )]
    [InlineData("our answer, then somebody's later change", "1", "2:2 watch2:silent watch3:told", "3")]
    [InlineData("deleted before our answer came: it stays deleted", "1", "delete 2:-", "-")]
    [InlineData("deleted and made again before our answer came: the new one stays", "1", "delete watch5:told 2:5", "5")]
    public void A_written_object_is_put_in_only_over_the_version_that_it_was_based_on(
        string rule,
        string start,
        string steps,
        string end
    )
    {
        Sync(Widget.Of("a", start));

        foreach (var step in steps.Split(' ').Select(s => s.Split(':')))
        {
            if (step[0] == "delete")
                _mirror.Apply(new WatchEvent<Widget>.Deleted(new NamespacedName("ns", "a")));
            else if (step[0].StartsWith("watch", StringComparison.Ordinal))
                Assert.True(
                    _mirror.Apply(new WatchEvent<Widget>.Applied(Widget.Of("a", step[0][5..]))).Count
                        == (step[1] == "told" ? 1 : 0),
                    rule
                );
            else
            {
                _mirror.Replace(basedOnResourceVersion: "1", Widget.Of("a", step[0]));
                Assert.True(Held() == step[1], rule);
            }
        }

        Assert.True(Held() == end, rule);
    }

    [Fact]
    public void A_snapshot_does_not_change_afterwards()
    {
        Sync(Widget.Of("a", "1"));
        var snapshot = _mirror.Snapshot();

        _mirror.Apply(new WatchEvent<Widget>.Deleted(new NamespacedName("ns", "a")));

        Assert.Equal("a", Assert.Single(snapshot).Metadata.Name);
        Assert.Empty(_mirror.Snapshot());
    }

    [Fact]
    public void Names_are_told_apart_by_namespace()
    {
        Sync(Widget.Of("a", "1", ns: "x"), Widget.Of("a", "2", ns: "y"));

        _mirror.Apply(new WatchEvent<Widget>.Deleted(new NamespacedName("x", "a")));

        Assert.Equal("2", _mirror.Find(new NamespacedName("y", "a"))?.Metadata.ResourceVersion);
        Assert.Null(_mirror.Find(new NamespacedName("x", "a")));
    }

    [Fact]
    public void A_list_of_one_namespace_says_nothing_of_another()
    {
        var mirror = new ObjectCache<Widget>(Namespaces);
        ListOf(mirror, "x", Widget.Of("a", "1", ns: "x"), Widget.Of("b", "2", ns: "x"));
        ListOf(mirror, "y", Widget.Of("a", "3", ns: "y"));

        var changes = ListOf(mirror, "x", Widget.Of("a", "1", ns: "x"));

        Assert.Equal(new NamespacedName("x", "b"), Assert.Single(changes).Key);
        Assert.NotNull(mirror.Find(new NamespacedName("y", "a")));
    }

    [Fact]
    public void Lists_of_several_namespaces_may_run_at_the_same_time()
    {
        var mirror = new ObjectCache<Widget>(Namespaces);
        ListOf(mirror, "x", Widget.Of("old", "1", ns: "x"));
        mirror.Apply(new WatchEvent<Widget>.Restarted(), "x");
        mirror.Apply(new WatchEvent<Widget>.Restarted(), "y");
        mirror.Apply(new WatchEvent<Widget>.Listed([Widget.Of("old", "2", ns: "y")], []), "y");
        mirror.Apply(new WatchEvent<Widget>.Listed([Widget.Of("new", "3", ns: "x")], []), "x");

        var x = mirror.Apply(new WatchEvent<Widget>.Synced(), "x");
        var y = mirror.Apply(new WatchEvent<Widget>.Synced(), "y");

        Assert.Equal(new NamespacedName("x", "old"), Assert.Single(x).Key);
        Assert.Empty(y);
        Assert.Equal(2, mirror.Count);
    }

    [Fact]
    public void Of_several_namespaces_the_last_to_be_listed_makes_it_synced()
    {
        var mirror = new ObjectCache<Widget>(Namespaces);

        ListOf(mirror, "x");
        ListOf(mirror, "x");
        Assert.False(mirror.IsSynced);
        ListOf(mirror, "y");

        Assert.True(mirror.IsSynced);
    }

    private static IReadOnlyList<Change<Widget>> ListOf(ObjectCache<Widget> mirror, string ns, params Widget[] items)
    {
        mirror.Apply(new WatchEvent<Widget>.Restarted(), ns);
        mirror.Apply(new WatchEvent<Widget>.Listed(items, []), ns);
        return mirror.Apply(new WatchEvent<Widget>.Synced(), ns);
    }

    private string Held() => _mirror.Find(new NamespacedName("ns", "a"))?.Metadata.ResourceVersion ?? "-";

    private List<Change<Widget>> Sync(params Widget[] items)
    {
        _mirror.Apply(new WatchEvent<Widget>.Restarted());
        return [.. List(items), .. _mirror.Apply(new WatchEvent<Widget>.Synced())];
    }

    private IReadOnlyList<Change<Widget>> List(params Widget[] items) =>
        _mirror.Apply(new WatchEvent<Widget>.Listed(items, []));
}
