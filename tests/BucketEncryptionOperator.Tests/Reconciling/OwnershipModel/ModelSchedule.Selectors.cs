using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>Policies that select their buckets, and what people do to accounts. In every second schedule.</content>
internal sealed partial class ModelSchedule
{
    private const string Tag = "tier";
    private const string WantedTag = "gold";

    private readonly bool _selects;
    private readonly Dictionary<string, InMemoryAccount> _accounts;

    /// <summary>Keys that may not list.</summary>
    private readonly HashSet<(string Key, string Installation)> _listDenied = [];

    /// <summary>Buckets that the list leaves out for a key, although the key can read them.</summary>
    private readonly HashSet<(string Key, string Installation, string Bucket)> _hidden = [];

    /// <summary>
    /// Buckets that were made in another region where the list does not say so: what an answer says about a region is
    /// good for a day.
    /// </summary>
    private readonly HashSet<(string Installation, string Bucket)> _moved = [];

    private InMemoryAccount Account(string installation)
    {
        var account = new InMemoryAccount(_installations[installation]) { HidesPlaces = _selects && Chance(4) };
        account.Hides = (bucket, key) => _hidden.Contains((key.Id!, installation, bucket));
        if (_selects)
        {
            foreach (var bucket in _buckets)
                Retag(account, bucket);
        }
        return account;
    }

    private Failure? Refusal(InMemoryAccount account, VendorCall call, AccessKey key)
    {
        var installation = _accounts.First(a => a.Value == account).Key;
        if (_revoked.Contains(key.Id!))
            return InMemoryVendor.Fail(FailureKind.Denied, "InvalidAccessKeyId", 403, call.Operation) with
            {
                ConcernsCredentials = true,
            };
        if (call.Operation == InMemoryAccount.List && _listDenied.Contains((key.Id!, installation)))
            return InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, call.Operation);
        if (_isCalm || _random.Next(100) >= _vendorFaults)
            return null;
        return _random.Next(4) switch
        {
            0 => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, call.Operation),
            1 => InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500, call.Operation),
            2 => InMemoryVendor.Fail(FailureKind.Transient, "HTTP_200", 200, call.Operation), // a list that was cut
            _ => NoAnswer(call),
        };
    }

    private BucketSelectorSpec SomeSelector() =>
        new()
        {
            MatchNames = One<ImmutableArray<string>>([
                ["*"],
                ["bucket-*"],
                ["bucket-?"],
                ["bucket-0", "*-1", "*-9"],
            ]),
            ExcludeNames = Chance(3) ? [One(_buckets)] : [],
            MatchTags = Chance(3) ? ImmutableDictionary<string, string>.Empty.Add(Tag, WantedTag) : null,
            MaxWrites = Chance(3) ? _random.Next(0, 3) : null,
        };

    private ImmutableArray<string> SomeSelectable() =>
        One<ImmutableArray<string>>([
            ["*"],
            ["bucket-*"],
            ["bucket-0", "{namespace}-*"],
            ["*-1"],
            [],
        ]);

    private PolicySpec Selecting(PolicySpec spec) =>
        spec with
        {
            Buckets = [],
            BucketSelector = SomeSelector(),
            Mode = spec.Mode ?? "Enforce",
            DeletionPolicy = "Retain",
        };

    private void Retag(InMemoryAccount account, string bucket) =>
        account.Tags[bucket] = _random.Next(4) switch
        {
            0 => ImmutableDictionary<string, string>.Empty,
            1 => ImmutableDictionary<string, string>.Empty.Add(Tag, "lead"),
            _ => ImmutableDictionary<string, string>.Empty.Add(Tag, WantedTag),
        };

    private void DisturbAccounts(List<BucketEncryptionPolicy> live)
    {
        var selectors = live.Where(p => p.Spec.BucketSelector is not null).ToList();
        var (store, bucket) = (One(_stores.Values.ToList()), One(_buckets));
        var (name, key) = (store.Place.Installation, _secrets.GetValueOrDefault(store.Secret));
        switch (_random.Next(12))
        {
            case 0 when selectors.Count > 0:
                var edited = One(selectors);
                Edit(edited, edited.Spec with { BucketSelector = SomeSelector() });
                break;
            case 1 when selectors.Count > 0:
                Exclude(One(selectors), bucket);
                break;
            case 2 when key is not null:
                Toggle(_listDenied, (key, name));
                break;
            case 3 or 4 when key is not null:
                Toggle(_hidden, (key, name, bucket));
                break;
            case 5 or 6:
                Retag(_accounts[name], bucket);
                Tell($"{bucket} at {name} has the tag {string.Join(",", _accounts[name].Tags[bucket].Values)}");
                break;
            case 7 when selectors.Count > 0:
                var lost = One(selectors);
                Tell($"{lost.Metadata.Key} loses its status");
                _bench.Kubernetes.LoseStatus(lost.Metadata.Key);
                _oracle.LostStatus(lost.Metadata.Uid);
                break;
            case 8:
                foreach (var shared in _stores.Values.Where(s => s.IsClusterStore).ToList())
                    Put(shared with { Selectable = SomeSelectable(), Generation = shared.Generation + 1 });
                break;
            case 9 when selectors.Count > 0:
                Annotate(One(selectors));
                break;
            case 10: // several buckets go at once
                foreach (var gone in _buckets.Where(_ => !Chance(3)))
                    Remake(name, gone, made: null);
                break;
            default:
                Remake(name, bucket, Chance(3) ? null : Found(name));
                break;
        }
    }

    private void Toggle<T>(HashSet<T> grants, T grant)
    {
        if (!grants.Remove(grant))
            grants.Add(grant);
        Tell($"listed or not: {grant}");
    }

    /// <summary>A store's key may list no more, and its buckets are not as declared.</summary>
    private void ForbidLists()
    {
        var store = One(_stores.Values.ToList());
        var installation = store.Place.Installation;
        if (_secrets.GetValueOrDefault(store.Secret) is { } key)
            _listDenied.Add((key, installation));
        Tell($"{store.Secret} may not list");
        foreach (var bucket in _buckets.Where(b => _installations[installation][b] is not null))
            Remake(installation, bucket, Found(installation));
    }

    private void Exclude(BucketEncryptionPolicy policy, string bucket)
    {
        var selector = policy.Spec.BucketSelector!;
        var names = selector.ExcludeNames;
        names = names.Contains(bucket) ? names.Remove(bucket) : names.Add(bucket);
        Edit(policy, policy.Spec with { BucketSelector = selector with { ExcludeNames = names } });
    }

    /// <summary>
    /// A person requests a reconcile, or confirms, for this generation or the last one, that many buckets may be
    /// written.
    /// </summary>
    private void Annotate(BucketEncryptionPolicy policy)
    {
        var meta = policy.Metadata;
        var (asked, confirmed) = Chance(2)
            ? ($"r{_made++}", meta.Annotations[RequestAnnotations.ConfirmedWrites])
            : (meta.Annotations[RequestAnnotations.RequestedAt], $"{meta.Generation - _random.Next(2)}");
        List<KeyValuePair<string, string>> annotations = [];
        if (asked is not null)
            annotations.Add(new(RequestAnnotations.RequestedAt, asked));
        if (confirmed is not null)
            annotations.Add(new(RequestAnnotations.ConfirmedWrites, confirmed));
        Tell($"{meta.Key} is annotated: {string.Join(", ", annotations)}");
        _bench.Kubernetes.Put(policy with { Metadata = meta with { Annotations = [.. annotations] } });
    }

    /// <summary>Somebody removes a bucket, which may be made again in another region, or makes it.</summary>
    private void Remake(string installation, string bucket, BucketEncryption? made)
    {
        var account = _accounts[installation];
        _installations[installation][bucket] = made;
        if (made is null && Chance(3))
        {
            account.Elsewhere.Add(bucket);
            if (account.HidesPlaces)
                _moved.Add((installation, bucket));
        }
        else
            account.Elsewhere.Remove(bucket);
        if (made is not null)
            Retag(account, bucket);
        Tell($"somebody makes {bucket} at {installation} {made}, elsewhere {account.Elsewhere.Contains(bucket)}");
        foreach (var place in Places.Where(p => p.Installation == installation))
            _oracle.ChangedByOthers(new BucketId(place.Partition, bucket));
    }
}
