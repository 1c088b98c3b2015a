using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>
/// One random schedule: a small world with much in common (few buckets, several policies on each), workers whose steps
/// alternate at random, and people, vendors and an API server that do at every step what they please. Then everything
/// calms down, and the end is judged.
/// </summary>
internal sealed partial class ModelSchedule : IDisposable
{
    private static readonly string[] Namespaces = ["team-amber", "team-birch", "team-cedar"];

    private static readonly ImmutableArray<ModelPlace> Places =
    [
        new("oss", "AlibabaOSS", null, "cn-hangzhou", "aliyuncs.com"),
        new("oss", "AlibabaOSS", null, "cn-beijing", "aliyuncs.com"),
        new("minio", "S3", "https://minio-a.store.test", "eu-1", "minio"),
        new("minio", "S3", "https://minio-b.store.test", "eu-1", "minio"),
        new("minio", "S3", "https://minio.front.test", "eu-1", "minio") { IsNamedByClusterStore = true },
        new("tenant", "S3", "https://objects.tenant.test", "eu-1", "objects.tenant.test:443"),
        new("outpost", "AlibabaOSS", "https://oss.outpost.test", "cn-hangzhou", "oss.outpost.test:443"),
    ];

    private static readonly EndpointAllowList Allowed = new(
        [
            .. VendorCatalog.DefaultEndpointPatterns,
            "https://*.store.test",
            "https://*.front.test",
            "https://*.tenant.test",
            "https://*.outpost.test",
        ],
        VendorCatalog.Endpoints
    );
    private static readonly Partitions Flag = new(["minio=minio-*.store.test"]);

    private readonly Random _random;
    private readonly StringBuilder _story = new();
    private StepScheduler _steps;
    private readonly Dictionary<string, InMemoryVendor> _installations;
    private readonly Dictionary<(string Namespace, string Name), ModelStore> _stores = [];
    private readonly Dictionary<NamespacedName, string> _secrets = [];
    private readonly HashSet<string> _revoked = new(StringComparer.Ordinal);
    private readonly HashSet<(string Key, string Installation, string Bucket, bool Write)> _denied = [];
    private readonly OwnershipOracle _oracle;
    private readonly Workbench _bench;
    private readonly List<(ModelRun Run, Task<ReconcileResult> Task)> _running = [];
    private readonly Dictionary<NamespacedName, DateTimeOffset> _due = [];
    private readonly Dictionary<NamespacedName, int> _attempts = [];
    private readonly string[] _buckets;
    private readonly ImmutableArray<ModelPlace> _places;
    private readonly int _workers;

    /// <summary>Of a hundred calls.</summary>
    private readonly int _vendorFaults;
    private readonly int _kubernetesFaults;
    private readonly bool _tracesStory;
    private bool _isCalm;
    private int _made;

    /// <param name="tracesStory">Keeps a story of what happens, for a person who has to understand a failure.</param>
    public ModelSchedule(int seed, bool tracesStory)
    {
        (Seed, _tracesStory) = (seed, tracesStory);
        _random = new Random(seed);
        _steps = new StepScheduler();
        _workers = _random.Next(2, 5);
        _selects = seed % 2 == 1;
        _buckets = [.. Enumerable.Range(0, _selects ? _random.Next(2, 6) : _random.Next(1, 4)).Select(Bucket)];
        _places = SomePlaces();
        (_vendorFaults, _kubernetesFaults) = (Pick(0, 0, 4, 12), Pick(0, 0, 3, 10));
        _oracle = new OwnershipOracle(new Clock(() => _bench!.Time))
        {
            Cache = () => _bench!.Policies.Snapshot(),
            StoreOf = StoreOf,
            KeysThere = s => _secrets.ContainsKey(s.Secret) && !_forbidden.Contains(s.Secret),
            MayWrite = () => _bench!.MayWrite,
        };
        _installations = Places
            .Select(p => p.Installation)
            .Distinct(StringComparer.Ordinal)
            .ToDictionary(i => i, Installation, StringComparer.Ordinal);
        _accounts = _installations.Keys.ToDictionary(i => i, Account, StringComparer.Ordinal);
        var accounts = new ModelAccounts(AccountOf, Refusal, (run, where) => Steps.StopAsync(run, where), _oracle);
        var vendors = new ModelVendors(InstallationOf, (run, where) => Steps.StopAsync(run, where), _oracle);
        _bench = new Workbench(
            new WorkbenchWorld(
                new Dictionary<string, IBucketEncryptionApi>(StringComparer.Ordinal)
                {
                    ["AlibabaOSS"] = vendors,
                    ["S3"] = vendors,
                },
                new Dictionary<string, IAccountApi>(StringComparer.Ordinal)
                {
                    ["AlibabaOSS"] = accounts,
                    ["S3"] = accounts,
                },
                Allowed,
                Flag,
                _random.Next(4) == 0 ? 2 : 1,
                () => $"{ModelRun.Current?.Policy.Metadata.Namespace}|"
            )
        )
        {
            Changed = Routed,
        };
        _bench.Kubernetes.Faults = KubernetesFault;
        _bench.Kubernetes.LostAnswers = LostAnswer;
        _bench.Kubernetes.Served = Served;
        Populate();
    }

    public int Seed { get; }

    public int Writes => _oracle.Writes;

    public int Denials => _oracle.Denials;

    public int Kills { get; private set; }

    public int Reconciles { get; private set; }

    /// <summary>What happened, for whoever has to understand a failure.</summary>
    public string Story => _story.ToString();

    private StepScheduler Steps => _steps;

    private DateTimeOffset Now => _bench.Time.GetUtcNow();

    public void Play()
    {
        var steps = _random.Next(80, 200);
        for (var i = 0; i < steps; i++)
        {
            Step();
            Check();
        }
        CalmDown();
    }

    public void Dispose() => _bench.DisposeAsync().AsTask().GetAwaiter().GetResult(); // nothing of it waits

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 55 when _steps.Gates.Count > 0:
                Open(_steps.Gates[_random.Next(_steps.Gates.Count)]);
                break;
            case < 80 when _running.Count < _workers && NextKey() is { } key:
                Begin(key);
                break;
            case < 88:
                Advance(TimeSpan.FromMilliseconds(Pick(20, 100, 400, 900, 1100, 2500, 3100)));
                break;
            case < 90 when _running.Count == 0:
                Advance(TimeSpan.FromMinutes(Pick(1, 2, 5, 11)));
                break;
            case < 93:
                Watch();
                break;
            case 93:
                Cancel();
                break;
            case 94 when _random.Next(3) == 0:
                Kill();
                break;
            case 95 when _random.Next(3) == 0:
                _bench.MayWrite = !_bench.MayWrite;
                Tell($"lease {_bench.MayWrite}");
                break;
            default:
                Disturb();
                break;
        }
    }

    private void Open(StepScheduler.Gate gate, Exception? failure = null)
    {
        Tell($"    {gate.Who} {gate.Where}{(failure is null ? "" : " cut off")}");
        _steps.Open(gate, failure);
        Drain();
    }

    private void Drain()
    {
        _steps.Drain();
        foreach (var ended in _running.Where(r => r.Task.IsCompleted).ToList())
        {
            _running.Remove(ended);
            End(ended.Run, ended.Task);
        }
        while (_bench.Woken.TryDequeue(out var woken))
            _due[woken] = Now;
    }

    private NamespacedName? NextKey()
    {
        var idle = _bench
            .Policies.Snapshot()
            .Select(p => p.Metadata.Key)
            .Where(k => _running.All(r => r.Run.Key != k))
            .ToList();
        var due = idle.Where(k => _due.TryGetValue(k, out var at) && at <= Now).ToList();
        var from = due.Count > 0 && _random.Next(5) > 0 ? due : idle;
        return from.Count == 0 ? null : from[_random.Next(from.Count)];
    }

    private void Begin(NamespacedName key)
    {
        _due.Remove(key);
        if (_bench.Policies.Find(key) is not { } policy)
            return;
        var run = new ModelRun(policy, StoreOf(policy), Now);
        Tell(
            $"begin {run} ({policy.Spec.Encryption.Algorithm} {policy.Spec.Encryption.KmsKey?.Id}, "
                + $"{policy.Spec.Mode ?? "Enforce"}, {policy.Spec.DeletionPolicy}, suspend {policy.Spec.Suspend}, "
                + $"consent {policy.Spec.AllowDowngrade}, store {run.Store?.Name} {run.Store?.Place.Partition}, "
                + $"buckets {Buckets(policy.Spec)}, deleted "
                + $"{policy.Metadata.DeletionTimestamp:HH:mm:ss})"
        );
        _oracle.Began(run);
        Reconciles++;
        var bench = _bench;
        var attempt = _attempts.GetValueOrDefault(key);
        _running.Add(
            (
                run,
                _steps.Start(() =>
                {
                    ModelRun.Current = run;
                    return bench.ReconcileAloneAsync(key, attempt, run.Stop.Token);
                })
            )
        );
        Drain();
    }

    private void End(ModelRun run, Task<ReconcileResult> task)
    {
        run.Stop.Dispose();
        if (task.IsFaulted || task.IsCanceled)
        {
            OwnershipOracle.CutOff(run);
            Assert.True(
                task.IsCanceled || task.Exception?.InnerException is OperationCanceledException,
                $"{Where}: {run} ended with {task.Exception}"
            );
            Tell($"cut off {run}");
            _due[run.Key] = Now;
            return;
        }
        _oracle.Ended(run);
        var requeue = task.Result;
        Tell($"end {run}: {requeue} {Summary(run.Key)}");
        _attempts[run.Key] = requeue is ReconcileResult.Retry ? _attempts.GetValueOrDefault(run.Key) + 1 : 0;
        switch (requeue)
        {
            case ReconcileResult.Retry retry:
                _due[run.Key] = Now + retry.AtLeast + TimeSpan.FromSeconds(1);
                break;
            case ReconcileResult.After after:
                _due[run.Key] = Now + after.Delay;
                break;
        }
        if (run.HadKubernetesFault)
            return;
        if (_bench.Kubernetes.Find(run.Key) is { } stored && IsStillOf(run, stored))
            _oracle.Reported(run, stored);
        CheckClaims(run);
    }

    /// <summary>
    /// A claim changes only by the vendor's own answers: what a status says is what the model has seen.
    /// </summary>
    private void CheckClaims(ModelRun run)
    {
        if (
            _bench.Kubernetes.Find(run.Key) is not { } stored
            || !IsStillOf(run, stored)
            || stored.Spec.Suspend == true
            || _bench.Policies.Find(run.Key)?.Metadata.ResourceVersion != stored.Metadata.ResourceVersion
            || run.Store is not { } store
            || StoreOf(stored)?.Version != run.StoreVersion
        )
        {
            return;
        }
        var partition = store.Place.Partition;
        foreach (var row in stored.Status?.Buckets ?? [])
        {
            var id = new BucketId(partition, row.Name);
            if (row.Partition != partition || !run.Looked.Contains(row.Name) || !_oracle.MayClaim(stored, id))
                continue;
            var possible = _oracle.Claims.Of(new ClaimKey(stored.Metadata.Uid, id));
            if (!possible.Contains(ModelClaims.InRow(row)))
            {
                _oracle.Violations.Add(
                    $"{run} says of its claim on {row.Name}: {ModelClaims.InRow(row)}, "
                        + $"and the vendor's answers make it {string.Join(" or ", possible)}"
                );
            }
        }
    }

    private void Advance(TimeSpan by)
    {
        Tell($"  +{by.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        _bench.Time.Advance(by);
        Drain();
    }

    private void Watch()
    {
        _bench.WatchAll();
        Drain();
    }

    private void Routed(Change<BucketEncryptionPolicy> change, IReadOnlyCollection<NamespacedName> others)
    {
        if (Predicates.IsMoreThanStatus(change))
        {
            _due[change.Key] = Now;
            foreach (var other in others)
                _due[other] = Now;
        }
        _oracle.CacheChanged();
        if (change.New is { } now)
            _oracle.Learned(now);
    }

    private void Cancel()
    {
        if (_running.Count == 0)
            return;
        var run = _running[_random.Next(_running.Count)].Run;
        Tell($"cancel {run}");
        run.Stop.Cancel();
        foreach (var gate in _steps.Gates.Where(g => g.Who == run).ToList())
            Open(gate, new OperationCanceledException(run.Stop.Token));
        Drain();
    }

    private void Kill()
    {
        Kills++;
        Tell($"kill");
        _steps = new StepScheduler();
        _running.Clear();
        _attempts.Clear();
        _due.Clear();
        _forbidden.Clear();
        _oracle.ForgetWriting();
        _bench.Restart();
        _oracle.Restarted(_bench.Kubernetes.Policies);
        foreach (var key in _bench.Kubernetes.Keys)
            _due[key] = Now;
        if (_selects && Chance(2))
            ForbidLists();
        Drain();
    }

    private void Check()
    {
        while (_bench.Events.All.TryDequeue(out var note))
            Leaks($"{note.Reason} {note.Note}", note.Subject.Key.Namespace, "an event");
        while (_bench.Logs.TryDequeue(out var line))
        {
            var at = line.IndexOf('|', StringComparison.Ordinal);
            Leaks(line[(at + 1)..], line[..at], "the log");
        }
        if (_oracle.Violations.Count == 0)
            return;
        Assert.Fail($"{Where}\n{string.Join('\n', _oracle.Violations)}");
    }

    private static bool IsStillOf(ModelRun run, BucketEncryptionPolicy stored) =>
        (stored.Metadata.Uid, stored.Metadata.Generation) == (run.Policy.Metadata.Uid, run.Policy.Metadata.Generation);

    private int Pick(params ReadOnlySpan<int> of) => of[_random.Next(of.Length)];

    private bool Chance(int of) => _random.Next(of) == 0;

    private T One<T>(IReadOnlyList<T> of) => of[_random.Next(of.Count)];
}
