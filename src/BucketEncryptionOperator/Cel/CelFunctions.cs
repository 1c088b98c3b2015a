using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;

namespace BucketEncryptionOperator.Cel;

/// <summary>A function of values, none of which is an error.</summary>
internal delegate CelValue CelFunction(ImmutableArray<CelValue> arguments);

/// <summary>The functions and operators whose arguments are evaluated first, by name.</summary>
internal static class CelFunctions
{
    private static readonly FrozenDictionary<string, CelFunction> ByName = new Dictionary<string, CelFunction>(
        StringComparer.Ordinal
    )
    {
        ["=="] = a => CelValue.Of(CelValue.AreEqual(a[0], a[1])),
        ["!="] = a => CelValue.Of(!CelValue.AreEqual(a[0], a[1])),
        ["<"] = a => Compare(a, order => order < 0),
        ["<="] = a => Compare(a, order => order <= 0),
        [">"] = a => Compare(a, order => order > 0),
        [">="] = a => Compare(a, order => order >= 0),
        ["-"] = a =>
            a is [CelValue.Int left, CelValue.Int right] ? new CelValue.Int(left.Value - right.Value) : NoOverload("-"),
        ["in"] = IsIn,
        ["size"] = Size,
        ["duration"] = a => a is [CelValue.Text text] ? Duration(text.Value) : NoOverload("duration"),
        ["startsWith"] = a =>
            Texts(a) is [var text, var start]
                ? CelValue.Of(text.StartsWith(start, StringComparison.Ordinal))
                : NoOverload("startsWith"),
        ["contains"] = a =>
            Texts(a) is [var text, var part]
                ? CelValue.Of(text.Contains(part, StringComparison.Ordinal))
                : NoOverload("contains"),
        ["replace"] = a =>
            Texts(a) is [var text, { Length: > 0 } old, var now]
                ? new CelValue.Text(text.Replace(old, now, StringComparison.Ordinal))
                : NoOverload("replace"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <returns>Null where the function is not known.</returns>
    public static CelFunction? Find(string name) => ByName.GetValueOrDefault(name);

    private static CelValue.Error NoOverload(string name) => new CelValue.Error($"no such overload: {name}");

    /// <returns>Null where one of the values is not a text.</returns>
    private static string[]? Texts(ImmutableArray<CelValue> values) =>
        values.All(v => v is CelValue.Text) ? [.. values.Select(v => ((CelValue.Text)v).Value)] : null;

    private static CelValue Compare(ImmutableArray<CelValue> a, Func<int, bool> holds) =>
        (a[0], a[1]) switch
        {
            (CelValue.Int one, CelValue.Int other) => CelValue.Of(holds(one.Value.CompareTo(other.Value))),
            (CelValue.Span one, CelValue.Span other) => CelValue.Of(holds(one.Value.CompareTo(other.Value))),
            (CelValue.Text one, CelValue.Text other) => CelValue.Of(
                holds(string.CompareOrdinal(one.Value, other.Value))
            ),
            _ => NoOverload("<"),
        };

    private static CelValue IsIn(ImmutableArray<CelValue> a) =>
        a[1] switch
        {
            CelValue.List list => CelValue.Of(list.Items.Any(i => CelValue.AreEqual(i, a[0]))),
            CelValue.Map map when a[0] is CelValue.Text key => CelValue.Of(map.Fields.ContainsKey(key.Value)),
            _ => NoOverload("in"),
        };

    /// <summary>The size of a text is its number of code points.</summary>
    private static CelValue Size(ImmutableArray<CelValue> a) =>
        a switch
        {
            [CelValue.Text text] => new CelValue.Int(text.Value.EnumerateRunes().Count()),
            [CelValue.List list] => new CelValue.Int(list.Items.Length),
            [CelValue.Map map] => new CelValue.Int(map.Fields.Count),
            _ => NoOverload("size"),
        };

    /// <summary>Reads a duration as Go writes it, in whole hours, minutes and seconds.</summary>
    private static CelValue Duration(string text)
    {
        var total = TimeSpan.Zero;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (
                digits < 1
                || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || UnitOf(rest[digits]) is not { } unit
                || total.TotalSeconds + (number * unit.TotalSeconds) > int.MaxValue
            )
                return new CelValue.Error($"invalid duration \"{text}\"");
            total += number * unit;
            rest = rest[(digits + 1)..];
        }
        return text.Length == 0 ? new CelValue.Error("invalid duration \"\"") : new CelValue.Span(total);
    }

    private static TimeSpan? UnitOf(char letter) =>
        letter switch
        {
            'h' => TimeSpan.FromHours(1),
            'm' => TimeSpan.FromMinutes(1),
            's' => TimeSpan.FromSeconds(1),
            _ => null,
        };
}
