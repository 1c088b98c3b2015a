using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>What people do: to policies, buckets, rights, keys and stores.</content>
internal sealed partial class ModelSchedule
{
    private readonly List<ModelStore> _gone = [];

    /// <summary>
    /// A change of a policy as a user makes it. The mirror mostly learns of it at once, and now and then later.
    /// </summary>
    private void Edit(BucketEncryptionPolicy policy, PolicySpec spec)
    {
        var next = (policy with { Spec = Consistent(spec) }).NextGeneration();
        var (meta, now) = (next.Metadata, next.Spec);
        Tell($"edit {meta.Key}@{meta.Generation}: {Buckets(now)}");
        var want = now.Encryption;
        Tell($"    {want.Algorithm} {want.KmsKey?.Id} suspend {now.Suspend} {now.Mode} {now.DeletionPolicy}");
        _bench.Kubernetes.Put(next);
    }

    private void WatchMaybe()
    {
        if (!Chance(4))
            Watch();
    }

    private void Disturb()
    {
        var live = _bench.Kubernetes.Policies.Where(p => p.Metadata.DeletionTimestamp is null).ToList();
        if (live.Count < 2)
        {
            MakePolicy();
            WatchMaybe();
            return;
        }
        if (_selects && Chance(3))
        {
            DisturbAccounts(live);
            WatchMaybe();
            return;
        }
        var policy = One(live);
        switch (_random.Next(28)) // what is not below changes a bucket
        {
            case 0 when live.Count < 8:
                MakePolicy();
                break;
            case 1:
                Delete(policy);
                break;
            case 2:
                Edit(policy, policy.Spec with { Suspend = policy.Spec.Suspend == true ? null : true });
                break;
            case 3:
                Edit(policy, policy.Spec with { Mode = policy.Spec.Mode == "Audit" ? "Enforce" : "Audit" });
                break;
            case 4:
                Edit(policy, policy.Spec with { Encryption = SomeEncryption(policy.Metadata.Namespace) });
                break;
            case 5:
                Edit(policy, policy.Spec with { AllowDowngrade = policy.Spec.AllowDowngrade == true ? null : true });
                break;
            case 6 when policy.Spec.BucketSelector is null:
                Edit(policy, policy.Spec with { Buckets = SomeBuckets() });
                break;
            case 7 when policy.Spec.BucketSelector is null:
                Edit(policy, policy.Spec with { DeletionPolicy = One(["Delete", "Restore", "Retain"]) });
                break;
            case 8 or 9 or 18 or 19:
                Move(policy, live);
                break;
            case 10 or 20: // a policy under another name, in one apply
                MakePolicy(policy);
                Delete(policy);
                break;
            case 11 or 12:
                ChangeBucket(policy);
                break;
            case 13 or 14:
                ChangeGrant();
                break;
            case 15:
                ChangeKeys();
                break;
            case 16 or 21 or 22:
                PointElsewhere();
                break;
            case 17:
                RemoveOrMakeStore();
                break;
            default:
                ChangeBucket(policy);
                break;
        }
        WatchMaybe();
    }

    private void Delete(BucketEncryptionPolicy policy)
    {
        Tell($"delete {policy.Metadata.Key}");
        _bench.Kubernetes.Delete(policy.Metadata.Key);
    }

    /// <summary>A bucket goes from one policy to another in one apply.</summary>
    private void Move(BucketEncryptionPolicy from, List<BucketEncryptionPolicy> live)
    {
        var others = live.Where(p => p.Metadata.Uid != from.Metadata.Uid && p.Spec.BucketSelector is null).ToList();
        if (from.Spec.Buckets.Length < 2 || others.Count == 0)
            return;
        var (bucket, to) = (from.Spec.Buckets[0], One(others));
        Edit(from, from.Spec with { Buckets = from.Spec.Buckets.RemoveAt(0) });
        if (!to.Spec.Buckets.Contains(bucket))
            Edit(to, to.Spec with { Buckets = to.Spec.Buckets.Add(bucket) });
    }

    /// <summary>Somebody else changes a bucket, removes it, or makes it; mostly one that a policy names.</summary>
    private void ChangeBucket(BucketEncryptionPolicy policy)
    {
        var store = StoreOf(policy);
        var name = (Chance(4) || store is null ? One(_places) : store.Place).Installation;
        var vendor = _installations[name];
        var bucket =
            Chance(4) || policy.Spec.BucketSelector is not null ? One(_buckets) : One(policy.Spec.Buckets).Name;
        vendor[bucket] = Chance(12) ? null : Found(name);
        if (vendor[bucket] is not null)
            _accounts[name].Elsewhere.Remove(bucket);
        Tell($"somebody makes {bucket} at {name} {vendor[bucket]}");
        foreach (var place in Places.Where(p => p.Installation == name))
            _oracle.ChangedByOthers(new BucketId(place.Partition, bucket));
    }

    /// <summary>A key may no longer, or again, read or write a bucket.</summary>
    private void ChangeGrant()
    {
        var store = One(_stores.Values.ToList());
        if (_secrets.GetValueOrDefault(store.Secret) is not { } key)
            return;
        var grant = (key, store.Place.Installation, One(_buckets), !Chance(2));
        if (!_denied.Remove(grant))
            _denied.Add(grant);
        Tell($"denied or not: {grant}");
    }

    private void ChangeKeys()
    {
        var secret = One(_stores.Values.ToList()).Secret;
        var old = _secrets.GetValueOrDefault(secret);
        if (old is not null && Chance(4))
        {
            _secrets.Remove(secret);
            _bench.Kubernetes.RemoveSecret(secret);
            Tell($"{secret} is gone");
        }
        else
        {
            NewKey(secret);
        }
        if (old is not null && Chance(2))
        {
            _revoked.Add(old);
            Tell($"{old} is revoked");
        }
    }

    private void PointElsewhere()
    {
        var store = One(_stores.Values.ToList());
        var place = One(
            _places.Where(p => p.Vendor == store.Vendor && (store.IsClusterStore || !p.IsNamedByClusterStore)).ToList()
        );
        if (place != store.Place)
            Put(store with { Place = place, Generation = store.Generation + 1 });
    }

    private void RemoveOrMakeStore()
    {
        var gone = _gone.Count > 0 && Chance(2);
        if (gone)
        {
            var back = One(_gone);
            _gone.Remove(back);
            Put(back with { Uid = $"uid-{_made++}" });
            return;
        }
        var store = One(_stores.Values.ToList());
        if (_stores.Count < 3 || _stores.Values.Count(s => s.Namespace == store.Namespace) < 2)
            return;
        _gone.Add(store);
        _stores.Remove((store.Namespace, store.Name));
        Tell($"store {store.Name} is gone");
        if (store.IsClusterStore)
            _bench.RemoveClusterStore(store.Name);
        else
            _bench.RemoveStore(new NamespacedName(store.Namespace, store.Name));
        StoreChanged(store.Namespace, store.Name);
    }
}
