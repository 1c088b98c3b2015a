using System.Collections.Immutable;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Specs;

/// <summary>Decides which namespaces may use a cluster-scoped store. Pure; in doubt the answer is no.</summary>
internal static class NamespaceRules
{
    /// <param name="ns">Name of the namespace.</param>
    /// <param name="labels">
    /// Null where the namespace is not known (yet): a selector then selects nothing, not even with <c>DoesNotExist</c>.
    /// </param>
    public static bool Allows(
        AllowedNamespacesSpec? allowed,
        string ns,
        ImmutableArray<KeyValuePair<string, string>>? labels
    ) =>
        allowed is not null
        && (
            allowed.Names.Contains(ns, StringComparer.Ordinal)
            || (allowed.Selector is { } selector && labels is { } known && Selects(selector, known))
        );

    public static bool AllowsNobody(AllowedNamespacesSpec? allowed) => allowed is null or { Names: [], Selector: null };

    /// <summary>
    /// Returns whether the selector matches, as in Kubernetes: every part must match, and a selector without parts
    /// matches all.
    /// </summary>
    private static bool Selects(LabelSelectorSpec selector, ImmutableArray<KeyValuePair<string, string>> labels) =>
        (selector.MatchLabels is null || selector.MatchLabels.All(wanted => Value(labels, wanted.Key) == wanted.Value))
        && selector.MatchExpressions.All(wanted => IsMet(wanted, Value(labels, wanted.Key)));

    /// <summary>
    /// Returns whether one part matches. An absent label is in no list. An unknown operator does not match.
    /// </summary>
    private static bool IsMet(LabelRequirementSpec wanted, string? value) =>
        wanted.Operator switch
        {
            "In" => value is not null && wanted.Values.Contains(value, StringComparer.Ordinal),
            "NotIn" => value is null || !wanted.Values.Contains(value, StringComparer.Ordinal),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            _ => false,
        };

    private static string? Value(ImmutableArray<KeyValuePair<string, string>> labels, string key)
    {
        foreach (var (name, value) in labels)
        {
            if (name == key)
                return value;
        }
        return null;
    }
}
