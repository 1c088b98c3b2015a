using System.Collections.Immutable;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Discovery;

/// <summary>A bucket that a selector selects.</summary>
/// <param name="IsListed">The account's list has it.</param>
internal sealed record SelectedBucket(string Name, bool IsListed);

/// <summary>Numbers of buckets. Only those that the policy may select are counted.</summary>
internal sealed record SelectionCounts
{
    /// <summary>Selected, by name and tags.</summary>
    public int Matched { get; init; }

    /// <summary>Selected by <c>matchNames</c>, and excluded.</summary>
    public int Excluded { get; init; }

    /// <summary>Selected by name, in another region.</summary>
    public int OtherRegions { get; init; }

    /// <summary>They may be meant, and the policy does not have them.</summary>
    public int NotCovered { get; init; }

    /// <summary>Of those, the ones that are more than a policy takes.</summary>
    public int TooMany { get; init; }

    /// <summary>Buckets that the policy has, and the list has not.</summary>
    public int Missing { get; init; }
}

/// <summary>What is known of a listed bucket besides its name.</summary>
/// <param name="HasTags">
/// Whether its tags are those that the selector asks for; null where they could not be read.
/// </param>
internal readonly record struct ListedFacts(string Name, BucketPlace Place, bool? HasTags);

/// <summary>
/// Which buckets a policy has, from a complete list of the account and the buckets that the policy had before. Pure.
/// What is not known changes nothing: a bucket that the policy had stays where its tags or its region could not be
/// read, and where the list does not have it. (It goes when the vendor says NoSuchBucket besides.)
/// </summary>
/// <param name="Buckets">In ascending order of names; at most <see cref="BucketSelector.MaxBuckets"/>.</param>
internal sealed record Selection(ImmutableArray<SelectedBucket> Buckets, SelectionCounts Counts)
{
    /// <summary>Fewer missing buckets than this are an everyday change.</summary>
    private const int FewMissing = 3;

    /// <summary>
    /// More than half of the buckets that the policy had are missing: the list may be a shortened one, and nothing is
    /// concluded from it.
    /// </summary>
    public bool IsDoubtful { get; private init; }

    /// <summary>A person says that the list is right.</summary>
    public Selection Believed() => this with { IsDoubtful = false };

    /// <summary>Selects from a complete list.</summary>
    /// <param name="facts">Everything in the list whose name the selector matches, excluded or not.</param>
    /// <param name="known">Buckets that the policy had, as far as the selector still matches their names.</param>
    public static Selection From(
        BucketSelector selector,
        IReadOnlyCollection<ListedFacts> facts,
        IReadOnlyCollection<string> known
    )
    {
        var had = known.ToHashSet(StringComparer.Ordinal);
        var selected = new List<SelectedBucket>();
        var (matched, excluded, otherRegions, unclear) = (0, 0, 0, 0);
        foreach (var bucket in facts)
        {
            if (bucket.Place == BucketPlace.Elsewhere)
                otherRegions += selector.Match(bucket.Name) == NameMatch.Matched ? 1 : 0;
            else if (selector.Match(bucket.Name) == NameMatch.Excluded)
                excluded++;
            else if (
                bucket is { Place: BucketPlace.Here, HasTags: true }
                || had.Contains(bucket.Name) && !IsOut(bucket)
            )
            {
                matched++;
                selected.Add(new SelectedBucket(bucket.Name, IsListed: true));
            }
            else if (!IsOut(bucket))
                unclear++;
        }
        var listed = facts.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        var missing = had.Where(b => !listed.Contains(b)).ToList();
        selected.AddRange(missing.Select(b => new SelectedBucket(b, IsListed: false)));
        var taken = Limited(selected, had);
        return new Selection(
            taken,
            new SelectionCounts
            {
                Matched = matched,
                Excluded = excluded,
                OtherRegions = otherRegions,
                NotCovered = unclear + selected.Count - taken.Length,
                TooMany = selected.Count - taken.Length,
                Missing = missing.Count,
            }
        )
        {
            IsDoubtful = missing.Count >= FewMissing && missing.Count * 2 > had.Count,
        };

        static bool IsOut(ListedFacts bucket) => bucket.HasTags == false;
    }

    /// <summary>Where there is no complete list: the buckets that the policy had.</summary>
    public static Selection Of(IReadOnlyCollection<string> known)
    {
        ImmutableArray<SelectedBucket> buckets =
        [
            .. known.Order(StringComparer.Ordinal).Select(b => new SelectedBucket(b, IsListed: false)),
        ];
        return new Selection(buckets, new SelectionCounts());
    }

    /// <summary>
    /// Of too many buckets those stay that the policy had: they are enforced, and others must not move them.
    /// </summary>
    private static ImmutableArray<SelectedBucket> Limited(List<SelectedBucket> selected, HashSet<string> had) =>
        [
            .. selected
                .OrderByDescending(b => had.Contains(b.Name))
                .ThenBy(b => b.Name, StringComparer.Ordinal)
                .Take(BucketSelector.MaxBuckets)
                .OrderBy(b => b.Name, StringComparer.Ordinal),
        ];
}
