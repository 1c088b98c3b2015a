using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Informers;
using Microsoft.Extensions.Logging.Abstractions;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class RecoverySourceTests : IAsyncLifetime
{
    private static readonly BucketAddress Here = new(
        "finance-archive",
        new Uri("https://oss-cn-hangzhou.aliyuncs.com"),
        "cn-hangzhou",
        Addressing.VirtualHost,
        VendorOptions.None
    );

    private static readonly (string Name, string Store)[] Policies =
    [
        ("failing-1", "hangzhou"),
        ("failing-2", "hangzhou"),
        ("healthy", "hangzhou"),
        ("failing-elsewhere", "shanghai"),
        ("failing-without-store", "none"),
        ("failing-with-role", "role"),
        ("healthy-with-role", "role"),
    ];

    private readonly ManualTimeProvider _time = new();
    private readonly EndpointCircuitBreakers _breakers;
    private readonly AccessKeyCircuitBreakers _keyBreakers;
    private readonly TemporaryKeys _keys;
    private readonly Stores _stores;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _woken = [];
    private readonly Task _running;
    private bool _hasKey;

    public RecoverySourceTests()
    {
        _breakers = new EndpointCircuitBreakers(_time);
        var (policies, stores) = (new ObjectCache<BucketEncryptionPolicy>(), new ObjectCache<BucketStore>());
        var elsewhere = Given.Store("AlibabaOSS", "cn-shanghai");
        stores.Apply(new WatchEvent<BucketStore>.Applied(Given.Store()));
        elsewhere = elsewhere with { Metadata = elsewhere.Metadata with { Name = "shanghai" } };
        stores.Apply(new WatchEvent<BucketStore>.Applied(elsewhere));
        var withRole = elsewhere with
        {
            Metadata = elsewhere.Metadata with { Name = "role" },
            Spec = elsewhere.Spec with
            {
                Credentials = elsewhere.Spec.Credentials with
                {
                    AssumeRole = [new AssumeRoleSpec { RoleArn = "acs:ram::1:role/r" }],
                },
            },
        };
        stores.Apply(new WatchEvent<BucketStore>.Applied(withRole));
        foreach (var (name, store) in Policies)
        {
            var policy = Given.Policy();
            policies.Apply(
                new WatchEvent<BucketEncryptionPolicy>.Applied(
                    policy with
                    {
                        Metadata = policy.Metadata with { Name = name, Uid = name },
                        Spec = policy.Spec with { StoreRef = policy.Spec.StoreRef with { Name = store } },
                    }
                )
            );
        }
        var reader = new StoreReader(
            new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints),
            Partitions.None,
            new KeySourceReader(AmbientRules.None)
        );
        _stores = new Stores(stores, shared: null, reader);
        _keyBreakers = new AccessKeyCircuitBreakers(_time);
        _keys = new TemporaryKeys(
            (_, _, _) =>
                _hasKey
                    ? Task.FromResult(new TemporaryKey(new AccessKey("id", "secret", "token"), TimeSpan.FromHours(1)))
                    : throw new KeySourceException(new Failure(FailureKind.Transient, "AssumeRole", "Timeout")),
            _keyBreakers,
            _time,
            NullLogger<TemporaryKeys>.Instance
        );
        var news = new RecoverySource(
            _breakers,
            _keys,
            policies,
            _stores,
            key => key.Name.StartsWith("failing", StringComparison.Ordinal) ? 1 : 0
        );
        _running = news.RunAsync(key => _woken.Add(key.Name), _stop.Token);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default).Within();
        _keys.Dispose();
        _breakers.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public void When_an_endpoint_answers_again_its_failing_policies_are_woken_and_no_others()
    {
        Open();
        _time.Advance(EndpointCircuitBreakers.ShortestPause);
        _woken.Clear();

        using (var probe = _breakers.Enter(Here, "Get"))
            probe.Answered();

        Assert.Equal(["failing-1", "failing-2"], _woken.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void While_it_does_not_one_of_them_after_the_other_is_woken_to_ask()
    {
        Open();

        var asked = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            _time.Advance(EndpointCircuitBreakers.ShortestPause + TimeSpan.FromMilliseconds(1));
            asked.Add(Assert.Single(_woken));
            _woken.Clear();
        }

        Assert.Equal(asked[..2], asked[2..]);
        Assert.Equal(["failing-1", "failing-2"], asked[..2].Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task When_an_identity_has_a_key_again_the_failing_policies_of_its_stores_are_woken()
    {
        var store = _stores.Find(new StoreReference { Kind = "BucketStore", Name = "role" }, Given.Namespace).Value;
        var identity = Assert.IsType<KeySource.FromIdentity>(store?.Keys).Identity;
        await GetAsync();
        Assert.Empty(_woken);

        _hasKey = true;
        await GetAsync();
        Assert.Equal(["failing-with-role"], _woken);
        await GetAsync();
        Assert.Single(_woken); // a renewal that nobody has waited for wakes nobody

        _keys.TakeBack(identity); // what it stands on was refused
        Assert.Null(_keys.UsableOf(identity));
        await GetAsync();
        Assert.Equal(["failing-with-role", "failing-with-role"], _woken);

        async Task GetAsync()
        {
            _time.Advance(TimeSpan.FromMinutes(55));
            await _keys.GetAsync(identity, basis: null, CancellationToken.None);
        }
    }

    [Fact]
    public async Task Who_has_stopped_is_told_nothing()
    {
        Open();
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default).Within();

        _time.Advance(EndpointCircuitBreakers.ShortestPause + TimeSpan.FromMilliseconds(1));

        Assert.Empty(_woken);
    }

    private void Open()
    {
        for (var i = 0; i < EndpointCircuitBreakers.OpensAt; i++)
        {
            using var pass = _breakers.Enter(Here, "Get");
            pass.Failed(new Failure(FailureKind.Transient, "Get", "Timeout"));
        }
    }
}
