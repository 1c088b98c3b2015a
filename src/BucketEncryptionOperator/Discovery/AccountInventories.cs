using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Discovery;

/// <summary>A policy that selects buckets, and where it looks for them.</summary>
/// <param name="Policy">Its key.</param>
/// <param name="Store">The store that is asked.</param>
/// <param name="Key">Whose buckets are listed.</param>
internal sealed record InventoryUser(NamespacedName Policy, BucketSelector Selector, StoreAddress Store, AccessKey Key);

/// <summary>
/// The inventories in use, one per store address and access key, secret included: a policy sees only what its own keys
/// list. The policy that has asked for the last list asks for the next one, one interval later (it is the maker). When
/// that list shows other buckets than the last one, the other policies that mean them are enqueued; so a new bucket is
/// under each policy within one interval, and the vendor is asked once per interval.
/// </summary>
/// <param name="enqueue">Adds another policy to the work queue.</param>
internal sealed class AccountInventories(TimeProvider time, Action<NamespacedName> enqueue)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<InventoryKey, Shared> _inventories = [];
    private readonly Dictionary<NamespacedName, InventoryKey> _byPolicy = [];

    /// <summary>Number of inventories in use.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _inventories.Count;
        }
    }

    /// <summary>Returns the inventory of a policy, which leaves the one that it had before.</summary>
    public AccountInventory Join(InventoryUser user, IAccountApi api)
    {
        var key = new InventoryKey(user.Store, user.Key.Id, user.Key.Secret, user.Key.SecurityToken);
        NamespacedName? successor = null;
        AccountInventory inventory;
        lock (_gate)
        {
            if (_byPolicy.TryGetValue(user.Policy, out var before) && before != key)
                successor = LeaveLocked(user.Policy);
            if (!_inventories.TryGetValue(key, out var shared))
                _inventories[key] = shared = new Shared(new AccountInventory(api, user.Store, user.Key, time));
            shared.Users[user.Policy] = user.Selector;
            _byPolicy[user.Policy] = key;
            inventory = shared.Inventory;
        }
        Enqueue(successor);
        return inventory;
    }

    /// <summary>Returns whether the policy asks for the next list; where nobody does, it does from now on.</summary>
    public bool IsMaker(NamespacedName policy)
    {
        lock (_gate)
            return Find(policy) is { } shared && (shared.Maker ??= policy) == policy;
    }

    /// <summary>
    /// A reconcile of the policy has made a new list: it is the maker now, and others may have more buckets.
    /// </summary>
    /// <param name="before">The list before; null for the first one.</param>
    public void Made(NamespacedName policy, AccountList? before, AccountList now)
    {
        ImmutableArray<NamespacedName> others = [];
        lock (_gate)
        {
            if (Find(policy) is not { } shared)
                return;
            shared.Maker = policy;
            var changed = Changed(before, now);
            others =
            [
                .. shared
                    .Users.Where(u =>
                        u.Key != policy && (before is null || changed.Any(b => u.Value.Match(b) != NameMatch.None))
                    )
                    .Select(u => u.Key),
            ];
        }
        foreach (var other in others)
            enqueue(other);
    }

    /// <summary>The policy is gone, is suspended, or selects nothing any more.</summary>
    public void Leave(NamespacedName policy)
    {
        NamespacedName? successor;
        lock (_gate)
            successor = LeaveLocked(policy);
        Enqueue(successor);
    }

    /// <returns>A policy that asks for the next list instead; null where that is not needed.</returns>
    private NamespacedName? LeaveLocked(NamespacedName policy)
    {
        if (!_byPolicy.Remove(policy, out var key))
            return null;
        var shared = _inventories[key];
        shared.Users.Remove(policy);
        if (shared.Users.Count == 0)
            _inventories.Remove(key);
        if (shared.Maker != policy)
            return null;
        shared.Maker = null;
        return shared.Users.Count == 0 ? null : shared.Users.Keys.First();
    }

    private Shared? Find(NamespacedName policy) =>
        _byPolicy.TryGetValue(policy, out var key) ? _inventories[key] : null;

    private void Enqueue(NamespacedName? policy)
    {
        if (policy is { } other)
            enqueue(other);
    }

    private static HashSet<string> Changed(AccountList? before, AccountList now)
    {
        var changed = now.Buckets.ToHashSet();
        changed.SymmetricExceptWith(before?.Buckets ?? []);
        return changed.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>With the secret: somebody who knows only an account's key id must not see its buckets.</summary>
    private sealed record InventoryKey(StoreAddress Store, string Id, string Secret, string? Token)
    {
        public override string ToString() => Id;
    }

    private sealed class Shared(AccountInventory inventory)
    {
        public AccountInventory Inventory => inventory;

        public Dictionary<NamespacedName, BucketSelector> Users { get; } = [];

        /// <summary>Null until there is a list, and after the maker has left: who comes next is the maker.</summary>
        public NamespacedName? Maker { get; set; }
    }
}
