using System.Text;
using KubeRuntime.Api;
using KubeRuntime.Control;
using KubeRuntime.Watching;

namespace KubeRuntime.Tests.Control;

public sealed class ChangesTests
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private static readonly ObjectMeta Meta = new() { Name = "a", Namespace = "ns", Uid = "u", ResourceVersion = "1", Generation = 1, Labels = [new("team", "x")], Annotations = [new("note", "1")] };

    private static readonly Dictionary<string, (ObjectMeta? Old, ObjectMeta? New, bool Counts)> Table = new(StringComparer.Ordinal)
    {
        ["it came"] = (null, Meta, true),
        ["it went"] = (Meta, null, true),
        ["its spec changed"] = (Meta, Meta with { Generation = 2 }, true),
        ["only its version, so its status, changed"] = (Meta, Meta with { ResourceVersion = "2", Labels = [new("team", "x")], Annotations = [new("note", "1")] }, false),
        ["a finalizer came"] = (Meta, Meta with { ResourceVersion = "2", Finalizers = ["x/y"] }, false),
        ["its deletion began"] = (Meta, Meta with { DeletionTimestamp = DateTimeOffset.UnixEpoch }, true),
        ["it was made anew"] = (Meta, Meta with { Uid = "v" }, true),
        ["an annotation came"] = (Meta, Meta with { Annotations = [new("note", "1"), new("requestedAt", "now")] }, true),
        ["an annotation changed"] = (Meta, Meta with { Annotations = [new("note", "2")] }, true),
        ["an annotation went"] = (Meta, Meta with { Annotations = [] }, true),
        ["a label changed"] = (Meta, Meta with { Labels = [new("team", "y")] }, true),
        ["anything of a kind without generations"] = (Meta with { Generation = 0 }, Meta with { Generation = 0, ResourceVersion = "2" }, true),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void All_but_a_status_counts(string sentence)
    {
        var (old, now, counts) = Table[sentence];

        Assert.Equal(counts, Changes.IsMoreThanStatus(new Change<Widget>(new NamespacedName("ns", "a"), Of(old), Of(now))));
    }

    [Fact]
    public void What_is_read_compares_whatever_the_order_and_without_kubectls_copy()
    {
        var one = Read($$"""{"name":"a","annotations":{"b":"2","a":"1","{{LastApplied}}":"{\"spec\":1}"},"labels":{"y":"2","x":"1"},"finalizers":["f/1","f/2"]}""");
        var other = Read($$"""{"annotations":{"{{LastApplied}}":"{\"spec\":2}","a":"1","odd":{"deep":[1]},"none":null,"b":"2"},"name":"a","labels":{"x":"1","y":"2"} }""");

        Assert.Equal([new("a", "1"), new("b", "2")], one.Annotations.AsEnumerable());
        Assert.Equal(one.Annotations.AsEnumerable(), other.Annotations);
        Assert.Equal(one.Labels.AsEnumerable(), other.Labels);
        Assert.Equal("f/1 f/2", string.Join(' ', one.Finalizers));
        Assert.Empty(other.Finalizers);
        Assert.Equal("a", other.Name);
    }

    [Theory]
    [InlineData("""{"name":"a"}""")]
    [InlineData("""{"name":"a","labels":null,"annotations":null}""")]
    [InlineData("""{"labels":[1,{"x":2}],"annotations":"no","name":"a"}""")]
    public void What_is_absent_or_odd_is_empty(string json)
    {
        var meta = Read(json);

        Assert.Equal("a", meta.Name);
        Assert.True(meta.Labels.IsEmpty && meta.Annotations.IsEmpty && meta.Finalizers.IsEmpty);
    }

    private static ObjectMeta Read(string meta)
    {
        var (item, bad) = ObjectReader.ReadObject(Encoding.UTF8.GetBytes($$"""{"metadata":{{meta}}}"""), Widget.Resource);
        Assert.Null(bad);
        return item!.Metadata;
    }

    private static Widget? Of(ObjectMeta? meta) => meta is null ? null : new Widget { Metadata = meta };
}
