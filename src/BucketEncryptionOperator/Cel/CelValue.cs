using System.Collections.Immutable;

namespace BucketEncryptionOperator.Cel;

/// <summary>
/// A value of the Common Expression Language, as far as the rules in crds/ have such values. An error is a value: it
/// spreads to what is made of it, and <c>||</c>, <c>&amp;&amp;</c> absorb it where the other side decides alone.
/// </summary>
internal abstract record CelValue
{
    private CelValue() { }

    public static CelValue True { get; } = new Bool(Value: true);

    public static CelValue False { get; } = new Bool(Value: false);

    public static CelValue Of(bool value) => value ? True : False;

    /// <summary>Returns whether two values are equal; values of different types are not.</summary>
    public static bool AreEqual(CelValue one, CelValue other) =>
        (one, other) switch
        {
            (List a, List b) => a.Items.Length == b.Items.Length
                && a.Items.Zip(b.Items).All(p => AreEqual(p.First, p.Second)),
            (Map a, Map b) => a.Fields.Count == b.Fields.Count
                && a.Fields.All(f => b.Fields.TryGetValue(f.Key, out var value) && AreEqual(f.Value, value)),
            _ => one == other,
        };

    public sealed record Null : CelValue;

    public sealed record Bool(bool Value) : CelValue;

    public sealed record Int(long Value) : CelValue;

    public sealed record Number(double Value) : CelValue;

    public sealed record Text(string Value) : CelValue;

    public sealed record Span(TimeSpan Value) : CelValue;

    public sealed record List(ImmutableArray<CelValue> Items) : CelValue;

    public sealed record Map(IReadOnlyDictionary<string, CelValue> Fields) : CelValue;

    /// <param name="Message">What went wrong, in the words of CEL.</param>
    public sealed record Error(string Message) : CelValue;
}
