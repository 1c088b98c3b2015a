using System.Collections.Immutable;
using System.Net;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using ObjectStoreSimulator;
using TestKit;
using SimulatedVendor = ObjectStoreSimulator.Vendor;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>One way to a vendor's store: who answers, and what a store's owner would declare.</summary>
/// <param name="Vendor">In <c>spec.vendor</c>'s words.</param>
/// <param name="Endpoint">
/// Plain http, so that the simulator can stand behind it as the proxy; null: the simulator's own address.
/// </param>
internal sealed record Place(
    SimulatedVendor Simulated,
    string Vendor,
    string? Endpoint,
    string Region,
    Addressing Addressing
)
{
    public string Bucket { get; init; } = "finance-archive";

    public string? SignatureVersion { get; init; }

    public string? CloudBoxId { get; init; }

    public bool IsCloudBox => CloudBoxId is not null;
}

/// <summary>
/// A simulated store, and the operator's own client of its vendor on the way to it, over real sockets and by the
/// vendor's real host names.
/// </summary>
internal sealed class SimulatedStore : IAsyncDisposable
{
    public static readonly AccessKey Key = new("ak", "sk", SecurityToken: null);

    private readonly SimulatorServer _server;
    private readonly VendorHttp _http;
    private readonly VendorLimits _limits = new(TimeProvider.System);
    private readonly Place _place;

    private SimulatedStore(Place place, SimulatorServer server)
    {
        _place = place;
        _server = server;
        _http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(20),
            TimeProvider.System,
            new VendorRoute { Proxy = new WebProxy(server.Url) }
        );
        Admin = new SimulatorAdmin(server.Url);
        var endpoint = place.Endpoint is null ? server.Url : new Uri(place.Endpoint);
        var vendor = VendorCatalog.Find(place.Vendor)!;
        var services = new VendorServices(_http, new ServerClocks(TimeProvider.System), _limits);
        Api = services.Connect(vendor.Dialect);
        AccountApi = services.ConnectAccount(vendor.Dialect);
        Traits = VendorCatalog.Bind(
            vendor,
            new StoreSettings(place.Region, endpoint)
            {
                ForVendor =
                [
                    .. Setting("signatureVersion", place.SignatureVersion),
                    .. Setting("cloudBoxId", place.CloudBoxId),
                ],
            }
        );
        Address = new BucketAddress(place.Bucket, endpoint, place.Region, place.Addressing, Traits.Options);
    }

    public SimulatorAdmin Admin { get; }

    public IBucketEncryptionApi Api { get; }

    public IAccountApi AccountApi { get; }

    public StoreTraits Traits { get; }

    public BucketAddress Address { get; }

    public static async Task<SimulatedStore> StartAsync(Place place)
    {
        var store = new SimulatedStore(
            place,
            await SimulatorServer.StartAsync(new SimulatorOptions { Vendor = place.Simulated })
        );
        await store.Admin.SetAccountAsync(Key.Id, new SimulatedAccount(Key.Secret));
        await store.SetBucketAsync(new SimulatedBucket());
        return store;
    }

    /// <summary>The place's bucket where the place says that it is, and otherwise as given.</summary>
    public Task SetBucketAsync(SimulatedBucket bucket) =>
        Admin.SetBucketAsync(
            _place.Bucket,
            bucket with
            {
                Region = _place.Region,
                CloudBoxId = _place.CloudBoxId,
                CustomDomain = _place.Addressing == Addressing.CName ? Address.Endpoint.Host : null,
            }
        );

    public Task<Observation> GetAsync(AccessKey? key = null, BucketAddress? address = null) =>
        Api.GetAsync(address ?? Address, key ?? Key, CancellationToken.None);

    public async Task PutAsync(BucketEncryption target, AccessKey? key = null) =>
        await Api.PutAsync(Address, key ?? Key, Api.Write(target, await GetAsync()));

    public Task<ImmutableArray<ListedBucket>> ListAsync(AccessKey? key = null) =>
        AccountApi.ListBucketsAsync(
            new StoreAddress(Address.Endpoint, Address.Region, Address.Addressing, Address.Options),
            key ?? Key,
            CancellationToken.None
        );

    public Task<BucketPlace> LocateAsync(BucketAddress? address = null) =>
        AccountApi.LocateAsync(address ?? Address, Key, CancellationToken.None);

    public Task<ImmutableDictionary<string, string>> GetTagsAsync() =>
        AccountApi.GetTagsAsync(Address, Key, CancellationToken.None);

    public Task DeleteAsync() => Api.DeleteAsync(Address, Key);

    private static IEnumerable<VendorSetting> Setting(string name, string? value) =>
        value is null ? [] : [new VendorSetting(name, "the test", value)];

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        _http.Dispose();
        _limits.Dispose();
        await _server.DisposeAsync();
    }
}
