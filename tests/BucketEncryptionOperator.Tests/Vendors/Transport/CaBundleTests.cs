using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Tests.Vendors.Transport;

public sealed class CaBundleTests : IDisposable
{
    private readonly TestAuthority _authority = new("Corp");
    private readonly TestAuthority _other = new("Other");

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Certificates_are_read_whatever_stands_between_them() =>
        Assert.Equal(
            ["CN=Corp", "CN=Other"],
            CaBundle.Read($"# ours\n{_authority.Pem}\n\n# theirs\n{_other.Pem}\n").Select(c => c.Subject)
        );

    [Fact]
    public void What_cannot_be_used_is_named_and_never_repeated()
    {
        var table = new (string Text, string Problem)[]
        {
            ("", "it has no certificate in PEM"),
            ("trust me", "it has no certificate in PEM"),
            (_authority.Pem[..^40], "it has no certificate in PEM"),
            (_authority.KeyPem, "it holds something that is no certificate; give certificates only"),
            (
                _authority.Pem + "\n" + _authority.KeyPem,
                "it holds something that is no certificate; give certificates only"
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                "it holds a certificate that cannot be read"
            ),
            (string.Join('\n', Enumerable.Repeat(_authority.Pem, 101)), "it has more than 100 certificates"),
            (new string(' ', 65_537), "it is longer than 65536 characters"),
        };

        Assert.Equal(table.Select(t => t.Problem), table.Select(t => CaBundle.ProblemOf(t.Text)));
        Assert.Null(CaBundle.ProblemOf(_authority.Pem));
    }
}
