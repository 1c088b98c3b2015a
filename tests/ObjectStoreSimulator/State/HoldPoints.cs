using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Points at which requests are parked until they are released or their connection dies, so that a test can kill a
/// client at a known point. A request parked <see cref="HoldPhase.Before"/> whose connection dies has done nothing; one
/// parked <see cref="HoldPhase.After"/> has done all.
/// </summary>
internal sealed class HoldPoints
{
    private readonly Lock _lock = new();
    private readonly List<HoldRule> _rules = [];
    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal);
    private readonly List<(HeldRequest Request, TaskCompletionSource Released)> _held = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiters = [];
    private int _lastId;

    public ImmutableArray<HoldRule> Rules
    {
        get
        {
            lock (_lock)
            {
                return [.. _rules];
            }
        }
    }

    public ImmutableArray<HeldRequest> Held
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Select(held => held.Request)];
            }
        }
    }

    public HoldRule Add(HoldRule rule)
    {
        lock (_lock)
        {
            HoldRule added = rule with { Id = $"hold-{++_lastId}" };
            _rules.Add(added);
            _taken[added.Id] = 0;
            return added;
        }
    }

    /// <summary>Goes on at once if no rule wants this request here.</summary>
    /// <exception cref="OperationCanceledException">The connection died, or the simulator stops.</exception>
    public async Task PassAsync(
        StoreCall call,
        HoldPhase phase,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        (HeldRequest Request, TaskCompletionSource Released) held;
        lock (_lock)
        {
            if (
                _rules.Find(rule => rule.Phase == phase && rule.Matches(call) && HasRoom(rule))
                is not { Id: { } ruleId }
            )
            {
                return;
            }

            _taken[ruleId]++;
            HeldRequest request = new(
                $"held-{++_lastId}",
                ruleId,
                phase,
                call.Bucket,
                call.Operation,
                call.AccessKeyId,
                now
            );
            held = (request, new(TaskCreationOptions.RunContinuationsAsynchronously));
            _held.Add(held);
            WakeWaiters();
        }

        try
        {
            await held.Released.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (_lock)
            {
                _held.Remove(held);
            }
        }
    }

    /// <summary>
    /// Releases what the rule holds and, unless it is to be kept, removes the rule. Null: no such rule.
    /// </summary>
    public int? Release(string ruleId, bool keepRule)
    {
        lock (_lock)
        {
            if (!_taken.ContainsKey(ruleId))
            {
                return null;
            }

            if (!keepRule)
            {
                _rules.RemoveAll(rule => rule.Id == ruleId);
                _taken.Remove(ruleId);
            }

            return ReleaseWhere(request => request.HoldId == ruleId);
        }
    }

    public bool ReleaseOne(string heldId)
    {
        lock (_lock)
        {
            return ReleaseWhere(request => request.Id == heldId) > 0;
        }
    }

    /// <summary>Removes all rules and lets everything go on.</summary>
    public void ReleaseAll()
    {
        lock (_lock)
        {
            _rules.Clear();
            _taken.Clear();
            ReleaseWhere(_ => true);
        }
    }

    /// <summary>Completes as soon as <paramref name="count"/> requests are parked.</summary>
    public async Task WhenHeldAsync(int count, CancellationToken cancellationToken)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiters.Add((count, reached));
            WakeWaiters();
        }

        await reached.Task.WaitAsync(cancellationToken);
    }

    private bool HasRoom(HoldRule rule) => rule.Times is not { } times || _taken[rule.Id!] < times;

    /// <summary>
    /// Released requests leave the list at once, so that a listing after a release does not show them.
    /// </summary>
    private int ReleaseWhere(Predicate<HeldRequest> wanted)
    {
        foreach ((HeldRequest request, TaskCompletionSource released) in _held)
        {
            if (wanted(request))
            {
                released.TrySetResult();
            }
        }

        return _held.RemoveAll(held => held.Released.Task.IsCompleted);
    }

    private void WakeWaiters()
    {
        foreach ((int count, TaskCompletionSource reached) in _waiters)
        {
            if (_held.Count >= count)
            {
                reached.TrySetResult();
            }
        }

        _waiters.RemoveAll(waiter => waiter.Reached.Task.IsCompleted);
    }
}

internal enum HoldPhase
{
    /// <summary>After the request has been read, before anything is done.</summary>
    [JsonStringEnumMemberName("before")]
    Before,

    /// <summary>After the operation, before the first byte of the answer.</summary>
    [JsonStringEnumMemberName("after")]
    After,
}

internal sealed record HoldRule : RequestMatch
{
    public string? Id { get; set; }

    public HoldPhase Phase { get; set; }

    /// <summary>How many requests it parks in all. Null: every one.</summary>
    public int? Times { get; set; }
}

internal sealed record HeldRequest(
    string Id,
    string HoldId,
    HoldPhase Phase,
    string? Bucket,
    string Operation,
    string? AccessKeyId,
    DateTimeOffset Since
);
