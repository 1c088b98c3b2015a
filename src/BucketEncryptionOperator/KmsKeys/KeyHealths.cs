using System.Collections.Immutable;
using System.Globalization;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.WorkQueues;

namespace BucketEncryptionOperator.KmsKeys;

/// <summary>
/// What is known about the KMS keys of policies. A policy follows its questions; each question is asked by
/// <see cref="KeyHealthReconciler"/>, at once when it is new and then once per interval, however many policies follow
/// it. A policy is enqueued when an answer differs from the one that it has reported. A question that no policy follows
/// is forgotten.
/// </summary>
/// <param name="ask">
/// Adds a question, by its name, to the queue of <see cref="KeyHealthReconciler"/> after a delay.
/// </param>
internal sealed class KeyHealths(Action<NamespacedName, TimeSpan> ask, TimeProvider time) : IInformer
{
    /// <summary>Maximum time that a write waits for an answer, unless the key service is known to be slow.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Time for which an answer counts while the key service gives no new one.</summary>
    internal static readonly TimeSpan KeptFor = TimeSpan.FromHours(3);

    private readonly Lock _gate = new();
    private readonly Dictionary<FollowedKey, Entry> _entries = [];
    private readonly Dictionary<NamespacedName, Entry> _byName = [];
    private readonly Dictionary<NamespacedName, ImmutableArray<Entry>> _byPolicy = [];

    /// <summary>
    /// Key services that let a write wait in vain, or have given no answer since: for each access key alone, because
    /// one that is throttled says nothing about another one.
    /// </summary>
    private readonly HashSet<(KeyServiceAddress Service, KeySource Credentials)> _slow = [];
    private long _names;
    private volatile Action<NamespacedName>? _enqueue;

    public bool IsSynced => true;

    public Task WhenSynced => Task.CompletedTask;

    public IReadOnlyList<Watchdog> Heartbeats => [];

    /// <summary>Names of the questions that policies follow.</summary>
    internal ImmutableArray<NamespacedName> Names
    {
        get
        {
            lock (_gate)
                return [.. _byName.Keys];
        }
    }

    /// <summary>Enqueues policies whose keys have another state than they have reported.</summary>
    public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
    {
        _enqueue = enqueue;
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        finally
        {
            _enqueue = null;
        }
    }

    /// <summary>The policy follows these questions and no others. New ones are asked at once.</summary>
    public void Follow(NamespacedName policy, IReadOnlyCollection<FollowedKey> questions)
    {
        var asked = new List<NamespacedName>();
        lock (_gate)
        {
            var before = _byPolicy.GetValueOrDefault(policy, []);
            if (before.Length == questions.Count && before.All(e => questions.Contains(e.Question)))
                return;
            ImmutableArray<Entry> now = [.. questions.Select(q => FindOrAdd(q, asked))];
            foreach (var entry in now)
                entry.Followers.TryAdd(policy, new Follower());
            foreach (var left in before.Except(now))
                Leave(policy, left);
            if (now.IsEmpty)
                _byPolicy.Remove(policy);
            else
                _byPolicy[policy] = now;
        }
        asked.ForEach(name => ask(name, TimeSpan.Zero));
    }

    /// <summary>Returns the questions that the policy follows.</summary>
    public ImmutableArray<FollowedKey> FollowedBy(NamespacedName policy)
    {
        lock (_gate)
            return [.. _byPolicy.GetValueOrDefault(policy, []).Select(e => e.Question)];
    }

    /// <summary>The policy is gone, is suspended, or has no key that can be asked for.</summary>
    public void Leave(NamespacedName policy) => Follow(policy, []);

    /// <summary>Returns what is known now, and remembers that the policy reports it.</summary>
    /// <returns>Null while there is no answer.</returns>
    public KeyHealth? Report(NamespacedName policy, FollowedKey question)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(question, out var entry))
                return null;
            if (entry.Followers.TryGetValue(policy, out var follower))
                follower.Reported(entry.Health);
            return entry.Health;
        }
    }

    /// <summary>
    /// Asks again, so that the next answer is one to a question from now on: at once, or when the last answer is as old
    /// as <paramref name="spacing"/>. However many policies want it, the key service gets one question per spacing.
    /// </summary>
    public void AskAgain(FollowedKey question, TimeSpan spacing)
    {
        NamespacedName name;
        TimeSpan delay;
        lock (_gate)
        {
            if (!_entries.TryGetValue(question, out var entry))
                return;
            name = entry.Name;
            delay = IsYounger(entry, spacing) ? spacing - time.GetElapsedTime(entry.At) : TimeSpan.Zero;
        }
        ask(name, delay);
    }

    /// <summary>
    /// Returns what a write may rely on. It waits for an answer no longer than <see cref="Patience"/>, and not at all
    /// while the key service is slow: trouble of a key service must not delay buckets.
    /// </summary>
    /// <param name="maxAge">Maximum age of an answer that says that the key is dead; any other counts as it is.</param>
    /// <returns>Null where nobody knows in time.</returns>
    public async Task<KeyHealth?> GetAsync(FollowedKey question, TimeSpan maxAge, CancellationToken cancellationToken)
    {
        Task<KeyHealth> next;
        NamespacedName name;
        bool isSlow;
        bool isAsked;
        lock (_gate)
        {
            if (!_entries.TryGetValue(question, out var entry))
                return null;
            if (
                entry.Health is { } known
                && (known is not KeyHealth.Unusable { IsDead: true } || IsYounger(entry, maxAge))
            )
                return known;
            (next, name, isSlow) = (entry.Next.Task, entry.Name, _slow.Contains(WhereOf(question)));
            (isAsked, entry.IsAsked) = (entry.IsAsked, true);
        }
        if (!isAsked)
            ask(name, TimeSpan.Zero);
        if (isSlow)
            return null;
        try
        {
            return await next.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            lock (_gate)
                _slow.Add(WhereOf(question));
            return null;
        }
    }

    /// <summary>
    /// Returns how questions share the workers: no access key and no key service has more than its share.
    /// </summary>
    public WorkGroup GroupOf(NamespacedName name) => new(Find(name)?.Credentials.ToString(), name.Namespace);

    /// <returns>Null where no policy follows the question any more.</returns>
    internal FollowedKey? Find(NamespacedName name)
    {
        lock (_gate)
            return _byName.GetValueOrDefault(name)?.Question;
    }

    /// <summary>
    /// Takes in an answer, and enqueues the policies that have reported another one. A failure that passes by itself
    /// does not replace what is known, until that is old.
    /// </summary>
    internal void Record(NamespacedName name, KeyHealth answer)
    {
        List<NamespacedName> changed;
        TaskCompletionSource<KeyHealth> waiting;
        lock (_gate)
        {
            if (!_byName.TryGetValue(name, out var entry))
                return;
            var passes = answer is KeyHealth.Unknown { Failure.PassesByItself: true };
            if (passes)
                _slow.Add(WhereOf(entry.Question));
            else
                _slow.Remove(WhereOf(entry.Question));
            if (!passes || !IsYounger(entry, KeptFor))
                (entry.Health, entry.At) = (answer, time.GetTimestamp());
            (waiting, entry.Next, entry.IsAsked) = (entry.Next, NewAnswer(), false);
            changed = [.. entry.Followers.Where(f => f.Value.HasReportedOther(entry.Health)).Select(f => f.Key)];
        }
        waiting.TrySetResult(answer);
        if (_enqueue is { } enqueue)
            changed.ForEach(enqueue);
    }

    private Entry FindOrAdd(FollowedKey question, List<NamespacedName> asked)
    {
        if (_entries.TryGetValue(question, out var known))
            return known;
        // For logs and traces; the number tells two access keys apart
        var name = new NamespacedName(
            question.Service.Endpoint.IdnHost,
            string.Create(CultureInfo.InvariantCulture, $"{question.Key.Id}~{++_names}")
        );
        var entry = new Entry(question, name) { IsAsked = true };
        _entries[question] = entry;
        _byName[name] = entry;
        asked.Add(name);
        return entry;
    }

    private void Leave(NamespacedName policy, Entry entry)
    {
        entry.Followers.Remove(policy);
        if (entry.Followers.Count > 0)
            return;
        _entries.Remove(entry.Question);
        _byName.Remove(entry.Name);
        var where = WhereOf(entry.Question);
        if (_slow.Contains(where) && !_entries.Keys.Any(q => WhereOf(q) == where))
            _slow.Remove(where);
    }

    private static (KeyServiceAddress Service, KeySource Credentials) WhereOf(FollowedKey question) =>
        (question.Service, question.Credentials);

    private bool IsYounger(Entry entry, TimeSpan maxAge) =>
        entry.Health is not null && time.GetElapsedTime(entry.At) < maxAge;

    private static TaskCompletionSource<KeyHealth> NewAnswer() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Entry(FollowedKey question, NamespacedName name)
    {
        public FollowedKey Question => question;

        public NamespacedName Name => name;

        public Dictionary<NamespacedName, Follower> Followers { get; } = [];

        /// <summary>Null until there is an answer.</summary>
        public KeyHealth? Health { get; set; }

        /// <summary>Timestamp of the answer.</summary>
        public long At { get; set; }

        /// <summary>Its first question, or one that a write waits for, has no answer yet.</summary>
        public bool IsAsked { get; set; }

        /// <summary>Completed by the next answer.</summary>
        public TaskCompletionSource<KeyHealth> Next { get; set; } = NewAnswer();
    }

    /// <summary>What a policy has reported of a key. One that has reported nothing yet is about to.</summary>
    private sealed class Follower
    {
        private bool _hasReported;
        private KeyHealth? _health;

        public void Reported(KeyHealth? health) => (_hasReported, _health) = (true, health);

        public bool HasReportedOther(KeyHealth? health) =>
            _hasReported && !(health is null ? _health is null : health.SaysTheSameAs(_health));
    }
}
