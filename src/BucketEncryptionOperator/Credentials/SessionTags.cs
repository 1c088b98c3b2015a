using System.Collections.Immutable;

namespace BucketEncryptionOperator.Credentials;

/// <summary>The tags of a role's session, in the order of their keys; equal by value.</summary>
internal sealed class SessionTags : IEquatable<SessionTags>
{
    private SessionTags(ImmutableArray<KeyValuePair<string, string>> pairs) => Pairs = pairs;

    public static SessionTags None { get; } = new([]);

    public ImmutableArray<KeyValuePair<string, string>> Pairs { get; }

    public static SessionTags Of(IEnumerable<KeyValuePair<string, string>>? tags) =>
        tags is null ? None : new([.. tags.OrderBy(t => t.Key, StringComparer.Ordinal)]);

    public bool Equals(SessionTags? other) => other is not null && Pairs.AsSpan().SequenceEqual(other.Pairs.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as SessionTags);

    public override int GetHashCode() =>
        Pairs.Aggregate(0, (hash, pair) => HashCode.Combine(hash, pair.Key, pair.Value));
}
