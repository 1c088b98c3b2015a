using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Informers;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class EndpointStateSourceTests : IAsyncLifetime
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
    ];

    private readonly ManualTimeProvider _time = new();
    private readonly EndpointCircuitBreakers _breakers;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _woken = [];
    private readonly Task _running;

    public EndpointStateSourceTests()
    {
        _breakers = new EndpointCircuitBreakers(_time);
        var (policies, stores) = (new ObjectCache<BucketEncryptionPolicy>(), new ObjectCache<BucketStore>());
        var elsewhere = Given.Store("AlibabaOSS", "cn-shanghai");
        stores.Apply(new WatchEvent<BucketStore>.Applied(Given.Store()));
        elsewhere = elsewhere with { Metadata = elsewhere.Metadata with { Name = "shanghai" } };
        stores.Apply(new WatchEvent<BucketStore>.Applied(elsewhere));
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
        var news = new EndpointStateSource(
            _breakers,
            policies,
            new Stores(stores, shared: null, reader),
            key => key.Name.StartsWith("failing", StringComparison.Ordinal) ? 1 : 0
        );
        _running = news.RunAsync(key => _woken.Add(key.Name), _stop.Token);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default).Within();
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
