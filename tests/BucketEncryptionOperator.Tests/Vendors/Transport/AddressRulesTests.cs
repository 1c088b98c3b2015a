using System.Net;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Tests.Vendors.Transport;

public sealed class AddressRulesTests
{
    /// <summary>
    /// For a name that a pattern lets through, for a vendor's own, and for one that whoever runs the operator has
    /// written in full.
    /// </summary>
    [Theory]
    [InlineData("8.8.8.8", null, null, null)]
    [InlineData("2606:4700::1111", null, null, null)]
    [InlineData("99.255.255.255", null, null, null)]
    [InlineData("100.128.0.1", null, null, null)]
    [InlineData("172.15.255.255", null, null, null)]
    [InlineData("172.32.0.1", null, null, null)]
    [InlineData("223.255.255.255", null, null, null)]
    [InlineData("64:ff9b::808:808", null, null, null)]
    [InlineData("2002:808:808::1", null, null, null)]
    [InlineData("100.64.0.1", "a shared address (100.64.0.0/10)", null, null)]
    [InlineData("100.118.28.44", "a shared address (100.64.0.0/10)", null, null)]
    [InlineData("100.127.255.255", "a shared address (100.64.0.0/10)", null, null)]
    [InlineData("::ffff:100.64.0.1", "a shared address (100.64.0.0/10)", null, null)]
    [InlineData("0.0.0.0", "an unspecified address", "an unspecified address", null)]
    [InlineData("0.1.2.3", "an unspecified address", "an unspecified address", null)]
    [InlineData("10.0.0.1", "a private address", "a private address", null)]
    [InlineData("127.0.0.1", "a loopback address", "a loopback address", null)]
    [InlineData("127.255.0.9", "a loopback address", "a loopback address", null)]
    [InlineData("169.254.0.1", "a link-local address", "a link-local address", null)]
    [InlineData("172.16.0.1", "a private address", "a private address", null)]
    [InlineData("172.31.255.255", "a private address", "a private address", null)]
    [InlineData("192.0.0.8", "a reserved address", "a reserved address", null)]
    [InlineData("192.0.2.1", "a documentation address", "a documentation address", null)]
    [InlineData("192.88.99.1", "a reserved address", "a reserved address", null)]
    [InlineData("192.168.1.1", "a private address", "a private address", null)]
    [InlineData("198.19.0.1", "a benchmarking address", "a benchmarking address", null)]
    [InlineData("198.51.100.1", "a documentation address", "a documentation address", null)]
    [InlineData("203.0.113.1", "a documentation address", "a documentation address", null)]
    [InlineData("224.0.0.1", "a multicast address", "a multicast address", null)]
    [InlineData("240.0.0.1", "a reserved address", "a reserved address", null)]
    [InlineData("255.255.255.255", "a reserved address", "a reserved address", null)]
    [InlineData("::", "an unspecified address", "an unspecified address", null)]
    [InlineData("::1", "a loopback address", "a loopback address", null)]
    [InlineData("::ffff:127.0.0.1", "a loopback address", "a loopback address", null)]
    [InlineData("::ffff:10.0.0.1", "a private address", "a private address", null)]
    [InlineData("::127.0.0.1", "a loopback address", "a loopback address", null)]
    [InlineData("64:ff9b::7f00:1", "a loopback address", "a loopback address", null)]
    [InlineData("2002:7f00:1::1", "a loopback address", "a loopback address", null)]
    [InlineData("2002:c0a8:101::1", "a private address", "a private address", null)]
    [InlineData("64:ff9b:1::7f00:1", "a reserved address", "a reserved address", null)]
    [InlineData("2001:0:7f00:1::", "a reserved address", "a reserved address", null)]
    [InlineData("2001:db8::1", "a documentation address", "a documentation address", null)]
    [InlineData("3fff::1", "a documentation address", "a documentation address", null)]
    [InlineData("fc00::1", "a private address", "a private address", null)]
    [InlineData("fd12:3456::1", "a private address", "a private address", null)]
    [InlineData("fe80::1%3", "a link-local address", "a link-local address", null)]
    [InlineData("fec0::1", "a private address", "a private address", null)]
    [InlineData("ff02::1", "a multicast address", "a multicast address", null)]
    [InlineData("100::1", "a reserved address", "a reserved address", null)]
    [InlineData("4000::1", "a reserved address", "a reserved address", null)]
    [InlineData("169.254.169.254", Metadata, Metadata, Metadata)]
    [InlineData("169.254.170.2", Metadata, Metadata, Metadata)]
    [InlineData("169.254.170.23", Metadata, Metadata, Metadata)]
    [InlineData("168.63.129.16", Metadata, Metadata, Metadata)]
    [InlineData("100.100.100.200", Metadata, Metadata, Metadata)]
    [InlineData("fd00:ec2::254", Metadata, Metadata, Metadata)]
    [InlineData("fd00:ec2::23", Metadata, Metadata, Metadata)]
    [InlineData("fd00:ec2::254%2", Metadata, Metadata, Metadata)]
    [InlineData("fd20:ce::254", Metadata, Metadata, Metadata)]
    [InlineData("::ffff:169.254.169.254", Metadata, Metadata, Metadata)]
    [InlineData("::ffff:6464:64c8", Metadata, Metadata, Metadata)]
    [InlineData("::169.254.169.254", Metadata, Metadata, Metadata)]
    [InlineData("2002:a9fe:a9fe::1", Metadata, Metadata, Metadata)]
    [InlineData("64:ff9b::a9fe:a9fe", Metadata, Metadata, Metadata)]
    public void An_address_may_be_connected_to_or_not(
        string address,
        string? byPattern,
        string? ofAVendor,
        string? listed
    )
    {
        var parsed = IPAddress.Parse(address);

        Assert.Equal(
            (byPattern, ofAVendor, listed),
            (
                AddressRules.ProblemOf(parsed, EndpointTrust.Pattern),
                AddressRules.ProblemOf(parsed, EndpointTrust.Vendor),
                AddressRules.ProblemOf(parsed, EndpointTrust.Operator)
            )
        );
    }

    private const string Metadata = "a cloud's metadata service";
}
