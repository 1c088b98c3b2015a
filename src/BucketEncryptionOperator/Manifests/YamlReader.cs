using System.Collections.Immutable;
using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// Reads documents of YAML, of which JSON is a part, with the place of every value. Anchors, aliases and merge keys are
/// followed, within limits: a small text may stand for a huge value.
/// </summary>
internal sealed class YamlReader
{
    /// <summary>Maximum number of values in a document, aliases followed.</summary>
    private const long MaxWeight = 1_000_000;

    private const int MaxDepth = 100;

    private readonly string _file;
    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, ManifestNode> _anchors = [];

    /// <summary>Values of the document so far.</summary>
    private long _values;

    private YamlReader(string file, TextReader text) => (_file, _parser) = (file, new Parser(text));

    /// <summary>Returns the documents that are not empty.</summary>
    /// <exception cref="ManifestException">A document cannot be read; those before it were returned.</exception>
    public static IEnumerable<ManifestNode> Read(string file, TextReader text)
    {
        var reader = new YamlReader(file, text);
        while (reader.Next() is { } document)
        {
            if (document is not ManifestNode.Null)
                yield return document;
        }
    }

    /// <returns>Null at the end.</returns>
    private ManifestNode? Next()
    {
        try
        {
            while (MoveNext())
            {
                if (_parser.Current is not DocumentStart)
                    continue;
                _anchors.Clear();
                _values = 0;
                MoveNext();
                return Node(depth: 0);
            }
            return null;
        }
        catch (YamlException e)
        {
            throw new ManifestException(PositionOf(e.Start), "not YAML: " + e.Message);
        }
    }

    /// <summary>Reads the next event.</summary>
    private bool MoveNext()
    {
        try
        {
            return _parser.MoveNext();
        }
        // Not only YamlException: an empty tag is an ArgumentException, and some broken flow collections are the other
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            var last = _parser.Current?.End ?? Mark.Empty;
            throw new ManifestException(PositionOf(last), "not YAML, after this: " + e.Message);
        }
    }

    /// <summary>Reads the value that begins with the current event; the value's last event is current then.</summary>
    private ManifestNode Node(int depth)
    {
        var begin = _parser.Current ?? throw new InvalidOperationException("no event");
        var at = PositionOf(begin.Start);
        if (depth > MaxDepth)
            throw new ManifestException(
                at,
                string.Create(CultureInfo.InvariantCulture, $"nested more than {MaxDepth} times")
            );
        Count(at, 1);
        ManifestNode node = begin switch
        {
            AnchorAlias alias => Known(at, alias),
            Scalar scalar => ScalarOf(at, scalar),
            SequenceStart => ListFrom(at, depth),
            MappingStart => MapFrom(at, depth),
            // The parser lets some mappings end after a key
            _ => throw new ManifestException(at, "not YAML: a value is missing here"),
        };
        if (begin is NodeEvent { Anchor.IsEmpty: false } anchored)
            _anchors[anchored.Anchor] = node;
        return node;
    }

    private ManifestNode Known(SourcePosition at, AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value, out var known))
            throw new ManifestException(at, $"*{alias.Value} stands for nothing: there is no &{alias.Value} before it");
        Count(at, known.Weight);
        return known;
    }

    /// <summary>Counts values before they take memory.</summary>
    private void Count(SourcePosition at, long values)
    {
        _values += values;
        if (_values > MaxWeight)
            throw new ManifestException(
                at,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"more than {MaxWeight} values up to here, aliases followed"
                )
            );
    }

    private static ManifestNode ScalarOf(SourcePosition at, Scalar scalar)
    {
        if (scalar.Tag.IsEmpty)
            return scalar.Style == ScalarStyle.Plain
                ? YamlScalars.Plain(at, scalar.Value)
                : new ManifestNode.Text(at, scalar.Value);
        const string Standard = "tag:yaml.org,2002:";
        return scalar.Tag.IsNonSpecific || !scalar.Tag.Value.StartsWith(Standard, StringComparison.Ordinal)
            ? new ManifestNode.Text(at, scalar.Value)
            : scalar.Tag.Value[Standard.Length..] switch
            {
                "str" => new ManifestNode.Text(at, scalar.Value),
                "null" or "bool" or "int" or "float" => YamlScalars.Plain(at, scalar.Value),
                var other => throw new ManifestException(at, $"a value with the tag !!{other} is not read here"),
            };
    }

    private ManifestNode.List ListFrom(SourcePosition at, int depth)
    {
        var items = ImmutableArray.CreateBuilder<ManifestNode>();
        while (MoveNext() && _parser.Current is not SequenceEnd)
            items.Add(Node(depth + 1));
        return new ManifestNode.List(at, items.ToImmutable());
    }

    private ManifestNode.Map MapFrom(SourcePosition at, int depth)
    {
        var entries = ImmutableArray.CreateBuilder<ManifestEntry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var merged = new List<ManifestNode>();
        while (MoveNext() && _parser.Current is not MappingEnd)
        {
            var isMerge = _parser.Current is Scalar { Value: "<<", Style: ScalarStyle.Plain, Tag.IsEmpty: true };
            var key = Node(depth + 1);
            MoveNext();
            var value = Node(depth + 1);
            if (isMerge)
            {
                merged.Add(value);
                continue;
            }
            var name = KeyOf(key);
            if (!keys.Add(name))
                throw new ManifestException(key.At, $"the key \"{name}\" is there twice");
            entries.Add(new ManifestEntry(name, key.At, value));
        }
        foreach (var entry in merged.SelectMany(Sources).SelectMany(s => s.Entries).Where(e => keys.Add(e.Key)))
        {
            Count(entry.At, entry.Value.Weight);
            entries.Add(entry);
        }
        return new ManifestNode.Map(at, entries.ToImmutable());
    }

    private static IEnumerable<ManifestNode.Map> Sources(ManifestNode merged) =>
        merged switch
        {
            ManifestNode.Map map => [map],
            ManifestNode.List list when list.Items.All(i => i is ManifestNode.Map) =>
                list.Items.OfType<ManifestNode.Map>(),
            _ => throw new ManifestException(merged.At, "<< takes a mapping, or a list of mappings"),
        };

    private static string KeyOf(ManifestNode key) =>
        key switch
        {
            ManifestNode.Text text => text.Value,
            ManifestNode.Bool flag => flag.Value ? "true" : "false",
            ManifestNode.Integer number => number.Value.ToString(CultureInfo.InvariantCulture),
            _ => throw new ManifestException(key.At, $"a key cannot be of type {key.TypeName}"),
        };

    private SourcePosition PositionOf(Mark mark) => new(_file, (int)mark.Line, (int)mark.Column);
}
