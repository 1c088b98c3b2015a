using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Transport;

/// <summary>
/// Endpoints by which a store's owner would aim the operator at what only the operator can reach, on the whole way from
/// the store's spec to the socket. The names' addresses and the sockets are the test's: what would have been connected
/// to is on record.
/// </summary>
public sealed class HostileEndpointTests : IDisposable
{
    private const string Bucket = "finance-archive";
    private const string NotAllowed = "EndpointNotAllowed";
    private const string NoAddress = "AddressNotAllowed";
    private const string Spec = "InvalidSpec";

    /// <summary>
    /// As loose as a list can be, and still a list: any two labels, any address of four numbers, with and without TLS,
    /// and one name in full.
    /// </summary>
    private static readonly EndpointAllowList Loose = new(
        [
            "*.example",
            "http://*.example",
            "http://*.*.*.*",
            "https://*.*.*.*",
            "http://minio.corp.test:9000",
            "http://[::1]:9000",
            .. VendorCatalog.DefaultEndpointPatterns,
        ],
        VendorCatalog.Endpoints
    );

    private static readonly EndpointAllowList Default = new(
        VendorCatalog.DefaultEndpointPatterns,
        VendorCatalog.Endpoints
    );

    /// <summary>With the default list: what is not on it is not even resolved.</summary>
    public static TheoryData<string, string> Unlisted =>
        new()
        {
            { "http://169.254.169.254", NotAllowed },
            { "https://169.254.169.254", NotAllowed },
            { "http://2852039166", NotAllowed }, // decimal
            { "http://0xa9fea9fe", NotAllowed },
            { "http://0xa9.0xfe.0xa9.0xfe", NotAllowed },
            { "http://0251.0376.0251.0376", NotAllowed }, // octal
            { "http://169.254.43518", NotAllowed }, // three parts
            { "http://169.16689662", NotAllowed }, // two
            { "http://100.100.100.200", NotAllowed },
            { "http://[::ffff:169.254.169.254]", NotAllowed },
            { "http://[::ffff:a9fe:a9fe]", NotAllowed },
            { "http://[::169.254.169.254]", NotAllowed },
            { "http://[64:ff9b::a9fe:a9fe]", NotAllowed },
            { "http://[2002:a9fe:a9fe::1]", NotAllowed },
            { "http://[fd00:ec2::254]", NotAllowed },
            { "http://[fe80::1%25eth0]", NotAllowed },
            { "https://127.0.0.1", NotAllowed },
            { "https://127.1", NotAllowed },
            { "https://0", NotAllowed },
            { "https://[::1]", NotAllowed },
            { "https://localhost", NotAllowed },
            { "https://kubernetes.default.svc", NotAllowed },
            { "https://metadata.google.internal", NotAllowed },
            { "http://oss-cn-hangzhou.aliyuncs.com", NotAllowed }, // plain http
            { "https://oss-cn-hangzhou.aliyuncs.com:8443", NotAllowed },
            { "https://oss-cn-hangzhou.aliyuncs.com.", NotAllowed }, // a dot at the end
            { "https://oss-cn-hangzhou.aliyuncs.com.evil.example", NotAllowed },
            // An ideographic full stop is a dot
            { "https://oss-cn-hangzhou.aliyuncs.com\u3002evil.example", NotAllowed },
            { "https://oss-cn-hangzhou.aliyuncs\uff0ecom.evil.example", NotAllowed },
            { "https://evil.example\u2044oss-cn-hangzhou.aliyuncs.com", NotAllowed }, // a fraction slash
            // A Cyrillic letter: punycode, one label of the pattern; and another region than the store's
            { "https://oss-cn-h\u0430ngzhou.aliyuncs.com", "" },
            { "https://xn--oss-cn-hangzhou-.aliyuncs.com", NotAllowed },
            { "https://oss-cn-hangzhou.aliyuncs.com@evil.example", Spec }, // userinfo
            { "https://oss-cn-hangzhou.aliyuncs.com:443@evil.example", Spec },
            { "https://oss-cn-hangzhou.aliyuncs.com:pw@169.254.169.254", Spec },
            { "https://evil.example#@oss-cn-hangzhou.aliyuncs.com", Spec },
            { "https://evil.example?@oss-cn-hangzhou.aliyuncs.com", Spec },
            { "https://evil.example/oss-cn-hangzhou.aliyuncs.com", Spec },
            { "https://evil.example\\@oss-cn-hangzhou.aliyuncs.com", Spec },
            { "https://oss-cn-hangzhou.aliyuncs.com/../..", NoAddress }, // no path is left of it; the name leads inside
            { "gopher://169.254.169.254", Spec },
            { "file:///var/run/secrets", Spec },
            { "unix:///run/containerd.sock", Spec },
            { "//169.254.169.254", Spec },
        };

    /// <summary>
    /// With the loose list, so that only the address stands between the request and what it is aimed at.
    /// </summary>
    public static TheoryData<string, string, string> Inside =>
        new()
        {
            { "http://169.254.169.254", "", "a cloud's metadata service" },
            { "http://2852039166", "", "a cloud's metadata service" },
            { "http://0xa9fea9fe", "", "a cloud's metadata service" },
            { "http://0251.0376.0251.0376", "", "a cloud's metadata service" },
            { "https://100.100.100.200", "", "a cloud's metadata service" },
            { "http://127.0.0.1", "", "a loopback address" },
            { "http://2130706433", "", "a loopback address" },
            { "http://0177.1", "", "a loopback address" },
            { "http://0.0.0.0", "", "an unspecified address" },
            { "https://10.96.0.1", "", "a private address" },
            { "https://oss.example", "127.0.0.1", "a loopback address" },
            { "https://oss.example", "::1", "a loopback address" },
            { "https://oss.example", "::ffff:127.0.0.1", "a loopback address" },
            { "https://oss.example", "10.0.0.1 192.168.0.1 fd12::1", "a private address" },
            { "https://oss.example", "169.254.169.254", "a cloud's metadata service" },
            { "https://oss.example", "::ffff:169.254.169.254", "a cloud's metadata service" },
            { "https://oss.example", "64:ff9b::a9fe:a9fe", "a cloud's metadata service" },
            { "https://oss.example", "2002:7f00:1::1", "a loopback address" },
            { "https://oss.example", "100.64.0.7", "a shared address" },
            { "https://oss.example", "0.0.0.0", "an unspecified address" },
            { "https://oss.example", "::", "an unspecified address" },
            { "https://oss.example", "224.0.0.1", "a multicast address" },
            { "https://oss.example", "fe80::1", "a link-local address" },
            { "https://OSS\u3002EXAMPLE", "127.0.0.1", "a loopback address" },
            { "https://xn--80ak6aa92e.example", "127.0.0.1", "a loopback address" },
            { "https://oss-cn-hangzhou.aliyuncs.com", "127.0.0.1", "a loopback address" },
            { "https://oss-cn-hangzhou-internal.aliyuncs.com", "10.0.0.1", "a private address" },
            { "https://oss-cn-hangzhou-internal.aliyuncs.com", "100.100.100.200", "a cloud's metadata service" },
            { "http://minio.corp.test:9000", "169.254.169.254", "a cloud's metadata service" },
            { "http://minio.corp.test:9000", "::ffff:100.100.100.200 fd00:ec2::254", "a cloud's metadata service" },
        };

    private readonly ManualTimeProvider _time = new();
    private readonly VendorLimits _limits;
    private readonly ConcurrentQueue<string> _connections = [];
    private readonly ConcurrentQueue<string> _names = [];

    public HostileEndpointTests() => _limits = new VendorLimits(_time);

    public void Dispose() => _limits.Dispose();

    [Theory]
    [MemberData(nameof(Unlisted))]
    public async Task An_endpoint_that_is_not_on_the_list_is_never_connected_to(string endpoint, string code)
    {
        var failure = await LookAsync(Default, endpoint, "AlibabaOSS", "169.254.169.254");

        Assert.Empty(_connections);
        Assert.NotNull(failure);
        if (code.Length > 0)
            Assert.Equal(code, failure.Code);
        if (code == NotAllowed)
            Assert.Empty(_names);
    }

    [Theory]
    [MemberData(nameof(Inside))]
    public async Task An_endpoint_that_leads_inside_is_never_connected_to(
        string endpoint,
        string addresses,
        string kind
    )
    {
        var failure = await LookAsync(
            Loose,
            endpoint,
            endpoint.Contains("aliyuncs", StringComparison.Ordinal) ? "AlibabaOSS" : "S3",
            addresses.Split(' ')
        );

        Assert.Empty(_connections);
        Assert.Equal((FailureKind.Refused, NoAddress), (failure?.Kind, failure?.Code));
        Assert.Contains(kind, failure?.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// The other side: the same way leads to those that may be reached, in their order, and to no other address of the
    /// name.
    /// </summary>
    [Theory]
    [InlineData("a public address", "https://oss.example", "8.8.8.8", "8.8.8.8:443")]
    [InlineData(
        "only the public ones of a name",
        "https://oss.example",
        "127.0.0.1 8.8.8.8 ::1 2606:4700::1111 10.0.0.1",
        "8.8.8.8:443 [2606:4700::1111]:443"
    )]
    [InlineData(
        "a vendor's internal endpoint",
        "https://oss-cn-hangzhou-internal.aliyuncs.com",
        "100.118.28.44",
        "100.118.28.44:443"
    )]
    [InlineData(
        "a name that is listed in full, wherever it is",
        "http://minio.corp.test:9000",
        "10.0.0.5 127.0.0.1",
        "10.0.0.5:9000 127.0.0.1:9000"
    )]
    [InlineData(
        "but not at a metadata service",
        "http://minio.corp.test:9000",
        "169.254.169.254 10.0.0.5",
        "10.0.0.5:9000"
    )]
    [InlineData("an address that is listed in full", "http://[::1]:9000", "", "[::1]:9000")]
    public async Task What_may_be_reached_is_reached_by_the_address_that_was_looked_at(
        string sentence,
        string endpoint,
        string addresses,
        string expected
    )
    {
        var failure = await LookAsync(
            Loose,
            endpoint,
            endpoint.Contains("aliyuncs", StringComparison.Ordinal) ? "AlibabaOSS" : "S3",
            addresses.Split(' ')
        );

        Assert.Equal("Unreachable", failure?.Code);
        Assert.True(expected == string.Join(' ', _connections), $"{sentence}: {string.Join(' ', _connections)}");
        Assert.True(_names.Count <= 1, "a name is resolved once, so that it cannot change between look and connection");
    }

    [Fact]
    public async Task A_redirect_to_the_inside_is_not_followed()
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(307, "", "Location: http://169.254.169.254/latest/meta-data")
        );

        var failure = await LookAsync(Loose, "http://oss.example", "S3", ["8.8.8.8"], () => DialAsync(server.Address));

        Assert.Equal(["8.8.8.8:80"], _connections);
        Assert.Equal(307, failure?.HttpStatus);
    }

    /// <summary>
    /// Behind a proxy a name's addresses are the proxy's matter; an address in the URL can still be read.
    /// </summary>
    [Theory]
    [InlineData("http://169.254.169.254", NoAddress, "")]
    [InlineData("http://127.0.0.1", NoAddress, "")]
    [InlineData("https://100.100.100.200", NoAddress, "")]
    [InlineData("http://oss.example", "Unreachable", "10.0.0.3:3128")]
    [InlineData("https://oss.example", "Unreachable", "10.0.0.3:3128")]
    public async Task Through_a_proxy_only_an_address_in_the_URL_can_be_refused(
        string endpoint,
        string code,
        string connections
    )
    {
        var failure = await LookAsync(
            Loose,
            endpoint,
            "S3",
            ["127.0.0.1"],
            proxy: new WebProxy("http://10.0.0.3:3128")
        );

        Assert.Equal((code, connections), (failure?.Code, string.Join(' ', _connections)));
    }

    [Fact]
    public async Task A_real_listener_on_loopback_sees_no_connection_when_a_pattern_lets_its_name_through()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var byPattern = new EndpointAllowList([$"http://local*:{port}"], VendorCatalog.Endpoints);
        var inFull = new EndpointAllowList([$"http://localhost:{port}"], VendorCatalog.Endpoints);

        using var http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(10),
            TimeProvider.System,
            new VendorRoute
            {
                Proxy = new WebProxy(),
                Dialer = new Dialer(byPattern.TrustOf, new StaggeredConnector(TimeProvider.System)),
            }
        );
        var failure = await LookAsync(http, byPattern, $"http://localhost:{port}", "S3");
        var seen = listener.Pending();
        using var vouched = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(10),
            TimeProvider.System,
            new VendorRoute
            {
                Proxy = new WebProxy(),
                Dialer = new Dialer(inFull.TrustOf, new StaggeredConnector(TimeProvider.System)),
            }
        );
        var second = LookAsync(vouched, inFull, $"http://localhost:{port}", "S3");
        using (await listener.AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System))
        {
            listener.Stop(); // it does see who is let through: it is not deaf
        }

        Assert.Equal(NoAddress, failure?.Code);
        Assert.False(seen);
        Assert.NotEqual(NoAddress, (await second)?.Code);
    }

    private Task<Failure?> LookAsync(
        EndpointAllowList list,
        string endpoint,
        string vendor,
        params string[] addresses
    ) =>
        LookAsync(
            list,
            endpoint,
            vendor,
            addresses,
            () => throw new SocketException((int)SocketError.ConnectionRefused)
        );

    private async Task<Failure?> LookAsync(
        EndpointAllowList list,
        string endpoint,
        string vendor,
        string[] addresses,
        Func<Task<Stream>>? connect = null,
        IWebProxy? proxy = null
    )
    {
        var connector = new StaggeredConnector(
            _time,
            (name, _) =>
            {
                _names.Enqueue(name);
                return Task.FromResult(addresses.Where(a => a.Length > 0).Select(IPAddress.Parse).ToArray());
            },
            (address, _) =>
            {
                _connections.Enqueue(address.ToString());
                return connect?.Invoke() ?? throw new SocketException((int)SocketError.ConnectionRefused);
            }
        );
        var dialer = new Dialer(list.TrustOf, connector);
        using var http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(10),
            _time,
            new VendorRoute { Proxy = proxy ?? new WebProxy(), Dialer = dialer }
        );
        return await LookAsync(http, list, endpoint, vendor);
    }

    /// <summary>As the operator does: the store is read, and if it can be used its bucket is.</summary>
    private async Task<Failure?> LookAsync(VendorHttp http, EndpointAllowList list, string endpoint, string vendor)
    {
        var spec = Given.Store(vendor, "cn-hangzhou").At(endpoint, vendor == "S3" ? "Path" : null).Spec;
        var (store, failure) = new StoreReader(list, Partitions.None, new KeySourceReader(AmbientRules.None)).Read(
            "store",
            spec,
            new StoreScope(Given.Namespace, IsNamespaced: true, "oss")
        );
        if (store is null)
            return failure;
        var api = new VendorServices(http, new ServerClocks(_time), _limits).Connect(
            VendorCatalog.Find(vendor)!.Dialect
        );
        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            api.GetAsync(
                store.Place.Address(Bucket),
                new AccessKey("id", "secret", SecurityToken: null),
                CancellationToken.None
            )
        );
        return thrown.Failure;
    }

    private static async Task<Stream> DialAsync(Uri address)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, address.Port);
        return new NetworkStream(client, ownsSocket: true);
    }
}
