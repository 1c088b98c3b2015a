using System.Collections.Immutable;
using System.Globalization;

namespace BucketEncryptionOperator.Cel;

/// <summary>
/// Parses an expression, loosest binding first: <c>?:</c>, <c>||</c>, <c>&amp;&amp;</c>, relations, <c>-</c>, <c>!</c>,
/// then fields, items and calls. A form that is not known is an error, not a guess.
/// </summary>
internal sealed class CelParser
{
    private static readonly string[] Relations = ["==", "!=", "<", "<=", ">", ">=", "in"];

    private readonly ImmutableArray<CelToken> _tokens;
    private int _next;

    private CelParser(ImmutableArray<CelToken> tokens) => _tokens = tokens;

    /// <exception cref="CelSyntaxException">It is not CEL, or has a form that is not known here.</exception>
    public static CelExpression Parse(string expression)
    {
        var parser = new CelParser(CelLexer.Read(expression));
        var parsed = parser.Expression();
        return parser.Current.Kind == CelTokenKind.End ? parsed : throw parser.Unexpected();
    }

    private CelToken Current => _tokens[_next];

    private CelExpression Expression()
    {
        var condition = Either();
        if (!Take("?"))
            return condition;
        var then = Either();
        Expect(":");
        return new CelExpression.Choice(condition, then, Expression());
    }

    private CelExpression Either()
    {
        var left = Both();
        while (Take("||"))
            left = new CelExpression.Logic(left, Both(), Decides: true);
        return left;
    }

    private CelExpression Both()
    {
        var left = Relation();
        while (Take("&&"))
            left = new CelExpression.Logic(left, Relation(), Decides: false);
        return left;
    }

    private CelExpression Relation()
    {
        var left = Difference();
        while (Relations.Contains(Current.Text, StringComparer.Ordinal) && Current.Kind != CelTokenKind.Text)
        {
            var name = Current.Text;
            _next++;
            left = Call(name, [left, Difference()]);
        }
        return left;
    }

    private CelExpression Difference()
    {
        var left = Unary();
        while (Take("-"))
            left = Call("-", [left, Unary()]);
        return left;
    }

    private CelExpression Unary() => Take("!") ? new CelExpression.Not(Unary()) : Member();

    private CelExpression Member()
    {
        var of = Primary();
        while (true)
        {
            if (Take("["))
            {
                of = new CelExpression.Index(of, Expression());
                Expect("]");
            }
            else if (Take("."))
            {
                var name = Name();
                of = Take("(") ? Method(of, name) : new CelExpression.Field(of, name);
            }
            else
                return of;
        }
    }

    private CelExpression Primary()
    {
        var token = Current;
        if (Take("("))
        {
            var inner = Expression();
            Expect(")");
            return inner;
        }
        if (Take("["))
            return new CelExpression.ListOf(List("]"));
        _next++;
        switch (token.Kind)
        {
            case CelTokenKind.Text:
                return new CelExpression.Literal(new CelValue.Text(token.Text));
            case CelTokenKind.Int:
                return new CelExpression.Literal(
                    new CelValue.Int(long.Parse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture))
                );
            case CelTokenKind.Name when token.Text is "true" or "false":
                return new CelExpression.Literal(CelValue.Of(token.Text == "true"));
            case CelTokenKind.Name when token.Text == "null":
                return new CelExpression.Literal(new CelValue.Null());
            case CelTokenKind.Name when !Take("("):
                return new CelExpression.Variable(token.Text);
            case CelTokenKind.Name when token.Text == "has":
                return List(")") is [CelExpression.Field field]
                    ? new CelExpression.Has(field)
                    : throw new CelSyntaxException("has() takes a field");
            case CelTokenKind.Name:
                return Call(token.Text, List(")"));
            default:
                _next--;
                throw Unexpected();
        }
    }

    private CelExpression Method(CelExpression of, string name) =>
        name switch
        {
            "filter" => Macro((variable, condition) => new CelExpression.Filter(of, variable, condition)),
            "all" => Macro((variable, condition) => new CelExpression.All(of, variable, condition)),
            "matches" => List(")") is [CelExpression.Literal { Value: CelValue.Text pattern }]
                ? new CelExpression.Matches(of, CelPattern.Compile(pattern.Value))
                : throw new CelSyntaxException("matches() takes a literal"),
            _ => Call(name, [of, .. List(")")]),
        };

    /// <summary>A method that evaluates its condition for each item, as a variable.</summary>
    private CelExpression Macro(Func<string, CelExpression, CelExpression> make)
    {
        var name = Name();
        Expect(",");
        var condition = Expression();
        Expect(")");
        return make(name, condition);
    }

    private ImmutableArray<CelExpression> List(string end)
    {
        var items = ImmutableArray.CreateBuilder<CelExpression>();
        while (!Take(end))
        {
            if (items.Count > 0)
                Expect(",");
            items.Add(Expression());
        }
        return items.ToImmutable();
    }

    private static CelExpression.Call Call(string name, ImmutableArray<CelExpression> arguments) =>
        new(CelFunctions.Find(name) ?? throw new CelSyntaxException($"function {name} is not known"), arguments);

    private string Name()
    {
        if (Current.Kind != CelTokenKind.Name)
            throw Unexpected();
        return _tokens[_next++].Text;
    }

    private bool Take(string symbol)
    {
        if (Current.Kind != CelTokenKind.Symbol || Current.Text != symbol)
            return false;
        _next++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Take(symbol))
            throw Unexpected();
    }

    private CelSyntaxException Unexpected() => new($"{Current.Text} is not expected here");
}
