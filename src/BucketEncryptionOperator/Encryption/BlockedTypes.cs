using System.Collections.Immutable;

namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// The encryption types that a bucket takes no uploads with: a set, which may be empty. S3 alone has it; its words are
/// those of specs, statuses, documents and output too.
/// </summary>
internal sealed record BlockedTypes
{
    /// <summary>The word for the empty set: a list that is not there says nothing at all.</summary>
    public const string Nothing = "NONE";

    /// <summary>Keys that an upload brings along: the one type that can be blocked (AWS's API reference).</summary>
    public const string CustomerKeys = "SSE-C";

    private readonly ImmutableSortedSet<string> _types;

    private BlockedTypes(ImmutableSortedSet<string> types) => _types = types;

    public bool IsEmpty => _types.IsEmpty;

    /// <summary>The set in words, in a fixed order: <see cref="Nothing"/>, or its members.</summary>
    public ImmutableArray<string> Words => IsEmpty ? [Nothing] : [.. _types];

    /// <param name="words">In any order; <see cref="Nothing"/> adds nothing to others.</param>
    public static BlockedTypes Of(params IEnumerable<string> words) =>
        new(words.Where(w => w != Nothing).ToImmutableSortedSet(StringComparer.Ordinal));

    /// <summary>Whether all that <paramref name="other"/> blocks is blocked here too.</summary>
    public bool Covers(BlockedTypes other) => other._types.IsSubsetOf(_types);

    public bool Equals(BlockedTypes? other) => other is not null && _types.SetEquals(other._types);

    public override int GetHashCode() => string.GetHashCode(ToString(), StringComparison.Ordinal);

    /// <summary>For people, and for fingerprints: a test pins it.</summary>
    public override string ToString() => string.Join('+', Words);
}
