using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Transport;

public sealed class VendorClientsTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestAuthority _authority = new("Corp");
    private readonly VendorClients _clients;
    private int _opened;

    public VendorClientsTests() =>
        _clients = new VendorClients(
            _ =>
            {
                _opened++;
                return new HttpClient();
            },
            _time
        );

    public void Dispose()
    {
        _clients.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void Equal_bundles_share_their_connections_and_others_do_not()
    {
        using var system = _clients.Rent(null);
        using var a = _clients.Rent(_authority.Pem);
        using var b = _clients.Rent(new string(_authority.Pem));
        using var c = _clients.Rent(_authority.Pem + "\n");

        Assert.Same(a.Client, b.Client);
        Assert.NotSame(a.Client, c.Client);
        Assert.NotSame(a.Client, system.Client);
        Assert.Equal(3, _opened);
    }

    [Fact]
    public void A_bundle_that_nobody_has_used_for_an_hour_is_closed_and_one_in_use_is_not()
    {
        var old = _clients.Rent(_authority.Pem);
        _clients.Rent(_authority.Pem + "\n").Dispose();
        _time.Advance(TimeSpan.FromMinutes(61));

        _clients.Rent(_authority.Pem + "\n\n").Dispose();
        var inUse = _clients.Count;
        old.Dispose();
        _time.Advance(TimeSpan.FromMinutes(61));
        _clients.Rent(_authority.Pem + "\n\n\n").Dispose();

        Assert.Equal((2, 1), (inUse, _clients.Count));
    }

    /// <summary>A store's author may edit the bundle as often as he likes.</summary>
    [Fact]
    public void Bundles_without_end_have_clients_with_an_end_and_none_in_use_is_closed()
    {
        using var used = _clients.Rent(_authority.Pem);
        for (var i = 0; i < 500; i++)
            _clients.Rent(_authority.Pem + new string('\n', i + 1)).Dispose();

        using var again = _clients.Rent(_authority.Pem);

        Assert.InRange(_clients.Count, 1, 64);
        Assert.Same(used.Client, again.Client);
    }

    [Fact]
    public void What_was_used_last_is_kept()
    {
        var often = _clients.Rent(_authority.Pem);
        often.Dispose();
        for (var i = 0; i < 500; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _clients.Rent(_authority.Pem + new string('\n', i + 1)).Dispose();
            _clients.Rent(_authority.Pem).Dispose();
        }

        using var again = _clients.Rent(_authority.Pem);

        Assert.Same(often.Client, again.Client);
    }
}
