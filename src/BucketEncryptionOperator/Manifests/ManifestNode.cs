using System.Collections.Immutable;
using System.Text.Json;
using BucketEncryptionOperator.Cel;

namespace BucketEncryptionOperator.Manifests;

/// <summary>One entry of a mapping.</summary>
/// <param name="At">Position of the key.</param>
internal sealed record ManifestEntry(string Key, SourcePosition At, ManifestNode Value);

/// <summary>A value as JSON has it, with the place where a file says it.</summary>
internal abstract record ManifestNode(SourcePosition At)
{
    /// <summary>Word of the type in messages: that of a schema.</summary>
    public abstract string TypeName { get; }

    /// <summary>Number of values in it, itself included: an alias counts as what it stands for.</summary>
    public virtual long Weight => 1;

    public abstract void Write(Utf8JsonWriter json);

    /// <summary>The same value for a rule.</summary>
    public abstract CelValue ToCel();

    /// <summary>Returns whether the values are equal as JSON; where they stand does not count.</summary>
    public abstract bool HasValueOf(ManifestNode other);

    public sealed record Null(SourcePosition At) : ManifestNode(At)
    {
        public override string TypeName => "null";

        public override void Write(Utf8JsonWriter json) => json.WriteNullValue();

        public override CelValue ToCel() => new CelValue.Null();

        public override bool HasValueOf(ManifestNode other) => other is Null;
    }

    public sealed record Bool(SourcePosition At, bool Value) : ManifestNode(At)
    {
        public override string TypeName => "boolean";

        public override void Write(Utf8JsonWriter json) => json.WriteBooleanValue(Value);

        public override CelValue ToCel() => CelValue.Of(Value);

        public override bool HasValueOf(ManifestNode other) => other is Bool same && same.Value == Value;
    }

    public sealed record Integer(SourcePosition At, long Value) : ManifestNode(At)
    {
        public override string TypeName => "integer";

        public override void Write(Utf8JsonWriter json) => json.WriteNumberValue(Value);

        public override CelValue ToCel() => new CelValue.Int(Value);

        public override bool HasValueOf(ManifestNode other) => other is Integer same && same.Value == Value;
    }

    /// <summary>A number that is not a whole one, or is larger than 64 bits.</summary>
    public sealed record Number(SourcePosition At, double Value) : ManifestNode(At)
    {
        public override string TypeName => "number";

        public override void Write(Utf8JsonWriter json) => json.WriteNumberValue(Value);

        public override CelValue ToCel() => new CelValue.Number(Value);

        public override bool HasValueOf(ManifestNode other) => other is Number same && same.Value.Equals(Value);
    }

    public sealed record Text(SourcePosition At, string Value) : ManifestNode(At)
    {
        public override string TypeName => "string";

        public override void Write(Utf8JsonWriter json) => json.WriteStringValue(Value);

        public override CelValue ToCel() => new CelValue.Text(Value);

        public override bool HasValueOf(ManifestNode other) => other is Text same && same.Value == Value;
    }

    public sealed record List(SourcePosition At, ImmutableArray<ManifestNode> Items) : ManifestNode(At)
    {
        public override string TypeName => "array";

        public override long Weight { get; } = 1 + Items.Sum(i => i.Weight);

        public override void Write(Utf8JsonWriter json)
        {
            json.WriteStartArray();
            foreach (var item in Items)
                item.Write(json);
            json.WriteEndArray();
        }

        public override CelValue ToCel() => new CelValue.List([.. Items.Select(i => i.ToCel())]);

        public override bool HasValueOf(ManifestNode other) =>
            other is List same
            && same.Items.Length == Items.Length
            && Items.Zip(same.Items).All(p => p.First.HasValueOf(p.Second));
    }

    /// <summary>A mapping. No key is there twice.</summary>
    public sealed record Map(SourcePosition At, ImmutableArray<ManifestEntry> Entries) : ManifestNode(At)
    {
        public override string TypeName => "object";

        public override long Weight { get; } = 1 + Entries.Sum(e => e.Value.Weight);

        public ManifestNode? this[string key]
        {
            get
            {
                foreach (var entry in Entries)
                {
                    if (entry.Key == key)
                        return entry.Value;
                }
                return null;
            }
        }

        /// <returns>The text; null where there is none.</returns>
        public string? TextOf(string key) => (this[key] as Text)?.Value;

        public override void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            foreach (var entry in Entries)
            {
                json.WritePropertyName(entry.Key);
                entry.Value.Write(json);
            }
            json.WriteEndObject();
        }

        public override CelValue ToCel() =>
            new CelValue.Map(Entries.ToDictionary(e => e.Key, e => e.Value.ToCel(), StringComparer.Ordinal));

        public override bool HasValueOf(ManifestNode other) =>
            other is Map same
            && same.Entries.Length == Entries.Length
            && Entries.All(e => same[e.Key] is { } value && e.Value.HasValueOf(value));
    }
}
