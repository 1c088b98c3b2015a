using System.Text;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace KubeRuntime.Tests.Informers;

public sealed class PredicatesTests
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private static readonly ObjectMeta Meta = new()
    {
        Name = "a",
        Namespace = "ns",
        Uid = "u",
        ResourceVersion = "1",
        Generation = 1,
        Labels = [new("team", "x")],
        Annotations = [new("note", "1")],
    };

    private static readonly Dictionary<string, (ObjectMeta? Old, ObjectMeta? New, bool Counts)> Table = new(
        StringComparer.Ordinal
    )
    {
        ["it came"] = (null, Meta, true),
        ["it went"] = (Meta, null, true),
        ["its spec changed"] = (Meta, Meta with { Generation = 2 }, true),
        ["only its version, so its status, changed"] = (
            Meta,
            Meta with
            {
                ResourceVersion = "2",
                Labels = [new("team", "x")],
                Annotations = [new("note", "1")],
            },
            false
        ),
        ["a finalizer came"] = (Meta, Meta with { ResourceVersion = "2", Finalizers = ["x/y"] }, false),
        ["its deletion began"] = (Meta, Meta with { DeletionTimestamp = DateTimeOffset.UnixEpoch }, true),
        ["it was made anew"] = (Meta, Meta with { Uid = "v" }, true),
        ["an annotation came"] = (
            Meta,
            Meta with
            {
                Annotations = [new("note", "1"), new("requestedAt", "now")],
            },
            true
        ),
        ["an annotation changed"] = (Meta, Meta with { Annotations = [new("note", "2")] }, true),
        ["an annotation went"] = (Meta, Meta with { Annotations = [] }, true),
        ["a label changed"] = (Meta, Meta with { Labels = [new("team", "y")] }, true),
        ["anything of a kind without generations"] = (
            Meta with
            {
                Generation = 0,
            },
            Meta with
            {
                Generation = 0,
                ResourceVersion = "2",
            },
            true
        ),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void All_but_a_status_counts(string sentence)
    {
        var (old, now, counts) = Table[sentence];

        Assert.Equal(
            counts,
            Predicates.IsMoreThanStatus(new Change<Widget>(new NamespacedName("ns", "a"), Of(old), Of(now)))
        );
    }

    [Fact]
    public void What_is_read_compares_whatever_the_order_and_without_kubectls_copy()
    {
        var one = Read(
            $$"""
            {"name":"a","annotations":{"b":"2","a":"1","{{LastApplied}}":"{\"spec\":1}"},
            "labels":{"y":"2","x":"1"},"finalizers":["f/1","f/2"]}
            """
        );
        var other = Read(
            $$"""
            {"annotations":{"{{LastApplied}}":"{\"spec\":2}","a":"1","odd":{"deep":[1]},"none":null,"b":"2"},
            "name":"a","labels":{"x":"1","y":"2"} }
            """
        );

        Assert.Equal(one.Annotations, other.Annotations);
        Assert.Equal(one.Labels.AsEnumerable(), other.Labels);
        Assert.Equal("f/1 f/2", string.Join(' ', one.Finalizers));
        Assert.Empty(other.Finalizers);
        Assert.Equal("a", other.Name);
    }

    /// <summary>Annotations are not kept whole, and yet each change of one is seen.</summary>
    [Theory]
    [InlineData("a value", """{"a":"1","b":"3"}""")]
    [InlineData("a name", """{"a":"1","c":"2"}""")]
    [InlineData("one that went", """{"a":"1"}""")]
    [InlineData("one that came", """{"a":"1","b":"2","c":"3"}""")]
    [InlineData("two values that changed places", """{"a":"2","b":"1"}""")]
    [InlineData("a border between name and value", """{"a":"1","b2":""}""")]
    [InlineData("an escape that is another text", """{"a":"1","b":"\\u0032"}""")]
    public void Any_change_of_an_annotation_is_one(string sentence, string annotations)
    {
        var before = Read("""{"name":"a","annotations":{"a":"1","b":"2"}}""").Annotations;
        var after = Read($$"""{"name":"a","annotations":{{annotations}}}""").Annotations;

        Assert.True(before != after, sentence);
        Assert.Equal(before, Read("""{"name":"a","annotations":{"b":"\u0032","a":"1"}}""").Annotations);
        Assert.Empty(after);
    }

    [Fact]
    public void An_annotation_that_the_program_reads_is_kept_unless_it_is_too_long()
    {
        var (kept, name) = (new Keeping(), "wanted");
        var one = Convert("""{"other":"1","wanted":"now"}""");
        var other = Convert("""{"other":"2","wanted":"now"}""");
        var tooLong = Convert($$"""{"other":"1","wanted":"{{new string('x', 1025)}}"}""");

        Assert.Equal(("now", "now", null), (one[name], other[name], tooLong[name]));
        Assert.Equal(new KeyValuePair<string, string>(name, "now"), Assert.Single(one.ToList()));
        Assert.True(
            one != other && one != tooLong && one != default && one == Convert("""{"wanted":"now","other":"1"}""")
        );

        AnnotationCollection Convert(string json)
        {
            var reader = new System.Text.Json.Utf8JsonReader(Encoding.UTF8.GetBytes(json));
            reader.Read();
            return kept.Read(ref reader, typeof(AnnotationCollection), System.Text.Json.JsonSerializerOptions.Default);
        }
    }

    [Fact]
    public void Labels_without_end_are_kept_in_part_and_a_change_of_any_is_seen()
    {
        var labels = Enumerable.Range(0, 5000).Select(i => $"\"label-{i:00000}\":\"value\"").ToList();
        var one = Read($$"""{"name":"a","labels":{{{string.Join(',', labels)}}} }""").Labels;
        labels[^1] = "\"label-04999\":\"another\"";
        var other = Read($$"""{"name":"a","labels":{{{string.Join(',', labels)}}} }""").Labels;

        Assert.InRange(one.Sum(l => l.Key.Length + l.Value.Length), 30_000, 33_000);
        Assert.NotEqual(one.AsEnumerable(), other);
        Assert.Equal(one.Skip(1), other.Skip(1));
        Assert.Contains(new("label-00000", "value"), one);
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
        var (item, bad) = ObjectReader.ReadObject(
            Encoding.UTF8.GetBytes($$"""{"metadata":{{meta}}}"""),
            Widget.Resource
        );
        Assert.Null(bad);
        return item!.Metadata;
    }

    private static Widget? Of(ObjectMeta? meta) => meta is null ? null : new Widget { Metadata = meta };

    private sealed class Keeping() : AnnotationsConverter("wanted");
}
