using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace BucketEncryptionOperator.Cel;

/// <summary>The variables of an evaluation.</summary>
internal sealed class CelScope(string name, CelValue value, CelScope? outer = null)
{
    public CelValue? Find(string wanted) => wanted == name ? value : outer?.Find(wanted);
}

/// <summary>
/// A parsed expression. It knows the forms that crds/ uses: <c>== != &lt; &lt;= &gt; &gt;= ! &amp;&amp; || ?: in</c>,
/// fields, <c>has()</c>, lists, <c>map[key]</c>, <c>size matches startsWith contains replace duration</c>, and
/// <c>filter</c> and <c>all</c>. A test holds it against the API server.
/// </summary>
internal abstract record CelExpression
{
    private CelExpression() { }

    public abstract CelValue Evaluate(CelScope scope);

    /// <summary>Returns whether the expression reads the variable.</summary>
    public abstract bool Reads(string variable);

    public sealed record Literal(CelValue Value) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) => Value;

        public override bool Reads(string variable) => false;
    }

    public sealed record Variable(string Name) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            scope.Find(Name) ?? new CelValue.Error($"undeclared reference to '{Name}'");

        public override bool Reads(string variable) => Name == variable;
    }

    public sealed record Field(CelExpression Of, string Name) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            Of.Evaluate(scope) switch
            {
                CelValue.Error error => error,
                CelValue.Map map when map.Fields.TryGetValue(Name, out var value) => value,
                CelValue.Map => new CelValue.Error($"no such key: {Name}"),
                _ => new CelValue.Error($"no such overload: .{Name}"),
            };

        public override bool Reads(string variable) => Of.Reads(variable);
    }

    /// <summary><c>has(a.b)</c>: the field is there, whatever its value; an empty one too.</summary>
    public sealed record Has(Field Of) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            Of.Of.Evaluate(scope) switch
            {
                CelValue.Error error => error,
                CelValue.Map map => CelValue.Of(map.Fields.ContainsKey(Of.Name)),
                _ => new CelValue.Error("no such overload: has()"),
            };

        public override bool Reads(string variable) => Of.Reads(variable);
    }

    public sealed record Not(CelExpression Of) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            Of.Evaluate(scope) switch
            {
                CelValue.Error error => error,
                CelValue.Bool value => CelValue.Of(!value.Value),
                _ => new CelValue.Error("no such overload: !"),
            };

        public override bool Reads(string variable) => Of.Reads(variable);
    }

    /// <summary>
    /// <c>&amp;&amp;</c> and <c>||</c>: a side that decides alone does so, whatever the other one is.
    /// </summary>
    /// <param name="Decides">False for <c>&amp;&amp;</c>, true for <c>||</c>.</param>
    public sealed record Logic(CelExpression Left, CelExpression Right, bool Decides) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope)
        {
            var left = AsBool(Left.Evaluate(scope));
            if (left is CelValue.Bool { Value: var one } && one == Decides)
                return left;
            var right = AsBool(Right.Evaluate(scope));
            if (right is CelValue.Bool { Value: var other } && other == Decides)
                return right;
            return left is CelValue.Error ? left : right;
        }

        public override bool Reads(string variable) => Left.Reads(variable) || Right.Reads(variable);

        private static CelValue AsBool(CelValue value) =>
            value is CelValue.Bool or CelValue.Error ? value : new CelValue.Error("no such overload: && or ||");
    }

    public sealed record Choice(CelExpression If, CelExpression Then, CelExpression Else) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            If.Evaluate(scope) switch
            {
                CelValue.Error error => error,
                CelValue.Bool condition => (condition.Value ? Then : Else).Evaluate(scope),
                _ => new CelValue.Error("no such overload: ?:"),
            };

        public override bool Reads(string variable) =>
            If.Reads(variable) || Then.Reads(variable) || Else.Reads(variable);
    }

    public sealed record ListOf(ImmutableArray<CelExpression> Items) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope)
        {
            ImmutableArray<CelValue> items = [.. Items.Select(i => i.Evaluate(scope))];
            return items.FirstOrDefault(i => i is CelValue.Error) ?? new CelValue.List(items);
        }

        public override bool Reads(string variable) => Items.Any(i => i.Reads(variable));
    }

    /// <summary>A function or an operator whose arguments are all evaluated first.</summary>
    public sealed record Call(CelFunction Function, ImmutableArray<CelExpression> Arguments) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope)
        {
            ImmutableArray<CelValue> arguments = [.. Arguments.Select(a => a.Evaluate(scope))];
            return arguments.FirstOrDefault(a => a is CelValue.Error) ?? Function(arguments);
        }

        public override bool Reads(string variable) => Arguments.Any(a => a.Reads(variable));
    }

    /// <summary><c>text.matches(pattern)</c>, where the pattern is a literal.</summary>
    public sealed record Matches(CelExpression Of, Regex Pattern) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            Of.Evaluate(scope) switch
            {
                CelValue.Error error => error,
                CelValue.Text text => CelValue.Of(Pattern.IsMatch(text.Value)),
                _ => new CelValue.Error("no such overload: matches"),
            };

        public override bool Reads(string variable) => Of.Reads(variable);
    }

    /// <summary><c>list.filter(x, condition)</c>.</summary>
    public sealed record Filter(CelExpression List, string Name, CelExpression Condition) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope)
        {
            if (List.Evaluate(scope) is not CelValue.List list)
                return new CelValue.Error("no such overload: filter");
            var kept = ImmutableArray.CreateBuilder<CelValue>();
            foreach (var item in list.Items)
            {
                switch (Condition.Evaluate(new CelScope(Name, item, scope)))
                {
                    case CelValue.Bool { Value: true }:
                        kept.Add(item);
                        break;
                    case CelValue.Bool:
                        break;
                    case CelValue.Error error:
                        return error;
                    default:
                        return new CelValue.Error("no such overload: filter");
                }
            }
            return new CelValue.List(kept.ToImmutable());
        }

        public override bool Reads(string variable) =>
            List.Reads(variable) || (Name != variable && Condition.Reads(variable));
    }

    /// <summary>
    /// <c>list.all(x, condition)</c>, and the same for the keys of a map. An item for which it does not hold decides,
    /// whatever fails for another one.
    /// </summary>
    public sealed record All(CelExpression Items, string Name, CelExpression Condition) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope)
        {
            var of = Items.Evaluate(scope);
            if (of is CelValue.Error failed)
                return failed;
            IEnumerable<CelValue>? items = of switch
            {
                CelValue.List list => list.Items,
                CelValue.Map map => map.Fields.Keys.Select(k => new CelValue.Text(k)),
                _ => null,
            };
            if (items is null)
                return new CelValue.Error("no such overload: all");
            CelValue result = CelValue.Of(true);
            foreach (var item in items)
            {
                switch (Condition.Evaluate(new CelScope(Name, item, scope)))
                {
                    case CelValue.Bool { Value: false } no:
                        return no;
                    case CelValue.Bool:
                        break;
                    case CelValue.Error error:
                        result = error;
                        break;
                    default:
                        result = new CelValue.Error("no such overload: all");
                        break;
                }
            }
            return result;
        }

        public override bool Reads(string variable) =>
            Items.Reads(variable) || (Name != variable && Condition.Reads(variable));
    }

    /// <summary><c>map[key]</c> and <c>list[index]</c>.</summary>
    public sealed record Index(CelExpression Of, CelExpression Key) : CelExpression
    {
        public override CelValue Evaluate(CelScope scope) =>
            (Of.Evaluate(scope), Key.Evaluate(scope)) switch
            {
                (CelValue.Error error, _) => error,
                (_, CelValue.Error error) => error,
                (CelValue.Map map, CelValue.Text key) => map.Fields.TryGetValue(key.Value, out var value)
                    ? value
                    : new CelValue.Error($"no such key: {key.Value}"),
                (CelValue.List list, CelValue.Int { Value: var at }) => at >= 0 && at < list.Items.Length
                    ? list.Items[(int)at]
                    : new CelValue.Error($"index out of bounds: {at}"),
                _ => new CelValue.Error("no such overload: []"),
            };

        public override bool Reads(string variable) => Of.Reads(variable) || Key.Reads(variable);
    }
}
