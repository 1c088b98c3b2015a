namespace KubeRuntime.WorkQueues;

/// <summary>
/// Counts the keys that workers have now, by tenant and by target. Not thread-safe: the queue's lock guards it.
/// </summary>
internal sealed class Holdings
{
    private readonly Dictionary<string, int> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _targets = new(StringComparer.Ordinal);

    public bool TenantHasLessThan(int limit, string? tenant) =>
        tenant is null || _tenants.GetValueOrDefault(tenant) < limit;

    public bool TargetHasLessThan(int limit, string? target) =>
        target is null || _targets.GetValueOrDefault(target) < limit;

    public void Add(WorkGroup group)
    {
        Add(_tenants, group.Tenant, 1);
        Add(_targets, group.Target, 1);
    }

    /// <returns>Whether the tenant or the target has just come below the limit.</returns>
    public bool Remove(WorkGroup group, int limit) =>
        Add(_tenants, group.Tenant, -1) == limit - 1 | Add(_targets, group.Target, -1) == limit - 1;

    private static int? Add(Dictionary<string, int> held, string? name, int change)
    {
        if (name is null)
            return null;
        var now = held.GetValueOrDefault(name) + change;
        if (now == 0)
            held.Remove(name);
        else
            held[name] = now;
        return now;
    }
}

/// <summary>
/// Waiting keys in a fair order: target after target, within one target tenant after tenant, within one tenant first
/// in, first out. Targets that
/// nobody works on go first, so that who comes anew need not wait for a round of all that wait already; after
/// <see cref="NewInARow"/> of them goes one
/// of the others.
/// <para>
/// <see cref="TryTakeWithin"/> sets a target aside that has nothing within the share. It is looked at again when a
/// tenant or a target has come below
/// the share (<see cref="ReturnSetAside"/>), or when nothing else waits (<see cref="TryTakeBeyond"/>). A take costs a
/// few steps, however many keys
/// wait: of one target's tenants only those are passed over that hold their share already, and they are as few as the
/// workers.
/// </para>
/// Not thread-safe: the queue's lock guards it.
/// </summary>
internal sealed class FairQueue<TKey>(Holdings holdings)
    where TKey : struct
{
    public const int NewInARow = 8;

    private readonly Dictionary<TKey, (Flow Flow, LinkedListNode<TKey> Place)> _places = [];
    private readonly Dictionary<string, Target> _targets = new(StringComparer.Ordinal);

    /// <summary>The target of keys that have none.</summary>
    private readonly Target _none = new(name: null);

    /// <summary>Targets without a worker, none of whose keys was taken since the target came.</summary>
    private readonly LinkedList<Target> _new = new();
    private readonly LinkedList<Target> _known = new();
    private readonly LinkedList<Target> _aside = new();
    private int _newInARow;

    public int Count => _places.Count;

    /// <summary>Adds a key behind its tenant's others. It must not be waiting already.</summary>
    public void Add(TKey key, WorkGroup group)
    {
        var target = TargetOf(group.Target);
        if (target.Flows.Count == 0)
            (holdings.TargetHasLessThan(1, target.Name) ? _new : _known).AddLast(target.Place);
        if (!target.ByTenant.TryGetValue(group.Tenant ?? "", out var flow))
        {
            target.ByTenant[group.Tenant ?? ""] = flow = new Flow(target, group.Tenant);
            target.Flows.AddLast(flow.Place);
            if (target.Place.List == _aside) // the new tenant may be within its share
                Move(target, _known);
        }
        _places.Add(key, (flow, flow.Keys.AddLast(key)));
    }

    /// <returns>False if it does not wait here.</returns>
    public bool Remove(TKey key)
    {
        if (!_places.Remove(key, out var waits))
            return false;
        waits.Flow.Keys.Remove(waits.Place);
        DropEmpty(waits.Flow);
        return true;
    }

    /// <summary>Takes the next key whose tenant and target hold less than the share.</summary>
    public bool TryTakeWithin(int share, out TKey key)
    {
        var (first, second) = _newInARow < NewInARow ? (_new, _known) : (_known, _new);
        return TryTakeFrom(first, share, out key) || TryTakeFrom(second, share, out key);
    }

    /// <summary>
    /// Takes the next key whose tenant and target hold their share, and less than the most. Nothing within the share
    /// waits.
    /// </summary>
    public bool TryTakeBeyond(int most, out TKey key)
    {
        for (var place = _aside.First; place is not null; place = place.Next)
        {
            if (!TryTakeOf(place.Value, most, out key))
                continue;
            if (place.List is not null)
                Move(place.Value, _aside);
            return true;
        }
        key = default;
        return false;
    }

    /// <summary>Called when a tenant or a target has come below the share.</summary>
    public void ReturnSetAside()
    {
        while (_aside.Last is { } last)
        {
            _aside.RemoveLast();
            _known.AddFirst(last);
        }
    }

    public void Clear()
    {
        _places.Clear();
        _targets.Clear();
        _none.Flows.Clear();
        _none.ByTenant.Clear();
        _new.Clear();
        _known.Clear();
        _aside.Clear();
    }

    private Target TargetOf(string? name)
    {
        if (name is null)
            return _none;
        if (!_targets.TryGetValue(name, out var target))
            _targets[name] = target = new Target(name);
        return target;
    }

    private bool TryTakeFrom(LinkedList<Target> targets, int share, out TKey key)
    {
        while (targets.First is { } first)
        {
            if (TryTakeOf(first.Value, share, out key))
            {
                _newInARow = targets == _new ? _newInARow + 1 : 0;
                if (first.List is not null)
                    Move(first.Value, _known);
                return true;
            }
            Move(first.Value, _aside);
        }
        key = default;
        return false;
    }

    private bool TryTakeOf(Target target, int limit, out TKey key)
    {
        key = default;
        if (!holdings.TargetHasLessThan(limit, target.Name))
            return false;
        for (var place = target.Flows.First; place is not null; place = place.Next)
        {
            var flow = place.Value;
            if (!holdings.TenantHasLessThan(limit, flow.Tenant) || flow.Keys.First is not { } first)
                continue;
            key = first.Value;
            flow.Keys.RemoveFirst();
            _places.Remove(key);
            target.Flows.Remove(place);
            target.Flows.AddLast(place);
            DropEmpty(flow);
            return true;
        }
        return false;
    }

    private void DropEmpty(Flow flow)
    {
        if (flow.Keys.Count > 0)
            return;
        var target = flow.Target;
        target.Flows.Remove(flow.Place);
        target.ByTenant.Remove(flow.Tenant ?? "");
        if (target.Flows.Count > 0)
            return;
        target.Place.List?.Remove(target.Place);
        if (target.Name is not null)
            _targets.Remove(target.Name);
    }

    private static void Move(Target target, LinkedList<Target> to)
    {
        target.Place.List?.Remove(target.Place);
        to.AddLast(target.Place);
    }

    private sealed class Target
    {
        public Target(string? name) => (Name, Place) = (name, new LinkedListNode<Target>(this));

        public string? Name { get; }

        public LinkedListNode<Target> Place { get; }

        /// <summary>The tenants of the target that have waiting keys.</summary>
        public LinkedList<Flow> Flows { get; } = new();

        public Dictionary<string, Flow> ByTenant { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>The keys of one tenant with one target.</summary>
    private sealed class Flow
    {
        public Flow(Target target, string? tenant) =>
            (Target, Tenant, Place) = (target, tenant, new LinkedListNode<Flow>(this));

        public Target Target { get; }

        public string? Tenant { get; }

        public LinkedListNode<Flow> Place { get; }

        public LinkedList<TKey> Keys { get; } = new();
    }
}
