using System.Collections.Immutable;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>Who was answered: an access key at an endpoint.</summary>
internal readonly record struct Asker(ModelPlace Place, string Key);

/// <summary>
/// What the vendors have told each access key about its account since the process began. A reconcile may go by the
/// last answer before it began, or by any that has come since: the operator shares answers between policies.
/// </summary>
internal sealed class ModelLists
{
    private readonly Dictionary<Asker, List<Answer<ImmutableDictionary<string, BucketPlace>>>> _lists = [];
    private readonly Dictionary<(Asker, string), List<Answer<BucketPlace>>> _places = [];
    private readonly Dictionary<(Asker, string), List<Answer<ImmutableDictionary<string, string>>>> _tags = [];

    /// <summary>Number of answers so far: orders them.</summary>
    public int Clock { get; private set; }

    public void Forget()
    {
        _lists.Clear();
        _places.Clear();
        _tags.Clear();
    }

    public void Listed(ModelRun run, Asker asker, IEnumerable<ListedBucket> buckets)
    {
        var list = buckets.ToImmutableDictionary(b => b.Name, b => b.Place, StringComparer.Ordinal);
        Add(_lists, asker, list);
        run.OwnLists[asker] = list;
    }

    public void Located(Asker asker, string bucket, BucketPlace place) => Add(_places, (asker, bucket), place);

    public void Tagged(Asker asker, string bucket, ImmutableDictionary<string, string> tags) =>
        Add(_tags, (asker, bucket), tags);

    /// <summary>The complete lists that the reconcile may go by; none where the process has none of this key.</summary>
    public IReadOnlyList<ImmutableDictionary<string, BucketPlace>> ListsOf(ModelRun run, Asker asker) =>
        run.OwnLists.TryGetValue(asker, out var own) ? [own] : Of(_lists, run, asker);

    /// <summary>Whether the reconcile's list has the bucket; null where it may be either.</summary>
    public bool? Has(ModelRun run, Asker asker, string bucket)
    {
        var found = ListsOf(run, asker).Select(l => l.ContainsKey(bucket)).Distinct().ToList();
        if (found.Count == 0)
            return false;
        return found.Count == 1 && (run.OwnLists.ContainsKey(asker) || !run.ListFailed.Contains(asker))
            ? found[0]
            : null;
    }

    /// <summary>What the vendor has said about where the bucket is, in its list and when it was asked.</summary>
    public IReadOnlyList<BucketPlace> PlacesOf(ModelRun run, Asker asker, string bucket) =>
        [
            .. ListsOf(run, asker)
                .Where(l => l.ContainsKey(bucket))
                .Select(l => l[bucket])
                .Where(p => p != BucketPlace.Unknown),
            .. Of(_places, run, (asker, bucket)),
        ];

    public IReadOnlyList<ImmutableDictionary<string, string>> TagsOf(ModelRun run, Asker asker, string bucket) =>
        Of(_tags, run, (asker, bucket));

    private void Add<TKey, T>(Dictionary<TKey, List<Answer<T>>> to, TKey key, T what)
        where TKey : notnull =>
        (to.TryGetValue(key, out var answers) ? answers : to[key] = []).Add(new Answer<T>(++Clock, what));

    private static List<T> Of<TKey, T>(Dictionary<TKey, List<Answer<T>>> from, ModelRun run, TKey key)
        where TKey : notnull
    {
        if (!from.TryGetValue(key, out var answers))
            return [];
        var first = Math.Max(0, answers.FindLastIndex(a => a.At <= run.BeganAt));
        return [.. answers.Skip(first).Select(a => a.What)];
    }

    private sealed record Answer<T>(int At, T What);
}
