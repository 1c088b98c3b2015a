using System.Net;
using System.Net.Sockets;

namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>
/// How far an endpoint's host name is trusted: the more is known about the name, the less its address matters.
/// </summary>
internal enum EndpointTrust
{
    /// <summary>A pattern allows the name; its owner is unknown.</summary>
    Pattern,

    /// <summary>The name is a vendor's own.</summary>
    Vendor,

    /// <summary>The operator's administrator listed the name in full.</summary>
    Operator,
}

/// <summary>
/// Which addresses signed requests may go to: pure. A tenant chooses the host name and what it resolves to, and in
/// clusters and clouds there are services that trust everyone who can reach them. An IPv4 address inside of an IPv6 one
/// (mapped, compatible, 6to4, NAT64) counts as the IPv4 address.
/// </summary>
/// <remarks>
/// Ranges: IANA's special-purpose address registries (RFC 6890 and successors); of IPv6 only 2000::/3 is given out for
/// the Internet.
/// </remarks>
internal static class AddressRules
{
    /// <summary>
    /// Services that give a machine's or a pod's own keys to every caller: AWS (also of tasks and pods), Azure, Google,
    /// Alibaba Cloud and others.
    /// </summary>
    private static readonly IPAddress[] MetadataServices =
    [
        .. (
            (string[])
                [
                    "169.254.169.254",
                    "169.254.170.2",
                    "169.254.170.23",
                    "100.100.100.200",
                    "168.63.129.16",
                    "fd00:ec2::254",
                    "fd00:ec2::23",
                    "fd20:ce::254",
                ]
        ).Select(IPAddress.Parse),
    ];

    private static readonly (IPNetwork Range, string Kind)[] NotGlobal =
    [
        .. new (string Range, string Kind)[]
        {
            ("0.0.0.0/8", "an unspecified address"),
            ("10.0.0.0/8", "a private address"),
            ("127.0.0.0/8", "a loopback address"),
            ("169.254.0.0/16", "a link-local address"),
            ("172.16.0.0/12", "a private address"),
            ("192.0.0.0/24", "a reserved address"),
            ("192.0.2.0/24", "a documentation address"),
            ("192.88.99.0/24", "a reserved address"),
            ("192.168.0.0/16", "a private address"),
            ("198.18.0.0/15", "a benchmarking address"),
            ("198.51.100.0/24", "a documentation address"),
            ("203.0.113.0/24", "a documentation address"),
            ("224.0.0.0/4", "a multicast address"),
            ("240.0.0.0/4", "a reserved address"),
            ("::/128", "an unspecified address"),
            ("::1/128", "a loopback address"),
            ("fc00::/7", "a private address"),
            ("fe80::/10", "a link-local address"),
            ("fec0::/10", "a private address"),
            ("ff00::/8", "a multicast address"),
            ("2001::/23", "a reserved address"), // Teredo, too, which has an IPv4 address inside
            ("2001:db8::/32", "a documentation address"),
            ("3fff::/20", "a documentation address"),
        }.Select(r => (IPNetwork.Parse(r.Range), r.Kind)),
    ];

    private static readonly IPNetwork Shared = IPNetwork.Parse("100.64.0.0/10");
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");

    /// <returns>Why the address is not allowed, as words after "is"; null if it is allowed.</returns>
    public static string? ProblemOf(IPAddress given, EndpointTrust trust)
    {
        var address = Unwrap(given);
        if (MetadataServices.Contains(address))
            return "a cloud's metadata service";
        if (trust == EndpointTrust.Operator)
            return null;
        // Alibaba Cloud's internal endpoints have such addresses; so have machines of others, behind a carrier's or a
        // cluster's NAT.
        if (address.AddressFamily == AddressFamily.InterNetwork && Shared.Contains(address))
            return trust == EndpointTrust.Vendor ? null : "a shared address (100.64.0.0/10)";
        foreach (var (range, kind) in NotGlobal)
        {
            if (range.BaseAddress.AddressFamily == address.AddressFamily && range.Contains(address))
                return kind;
        }
        return address.AddressFamily == AddressFamily.InterNetworkV6 && !GlobalUnicast.Contains(address)
            ? "a reserved address"
            : null;
    }

    public static bool IsMetadataService(IPAddress address) => MetadataServices.Contains(Unwrap(address));

    /// <summary>
    /// Returns the IPv4 address inside of an IPv6 one, where there is one; and drops the zone, which only this machine
    /// knows.
    /// </summary>
    private static IPAddress Unwrap(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        var plain = new IPAddress(bytes);
        if (plain.IsIPv4MappedToIPv6)
            return plain.MapToIPv4();
        if (
            Nat64.Contains(plain)
            || (Compatible.Contains(plain) && !plain.Equals(IPAddress.IPv6Loopback) && !plain.Equals(IPAddress.IPv6Any))
        )
            return new IPAddress(bytes.AsSpan(12, 4));
        return SixToFour.Contains(plain) ? new IPAddress(bytes.AsSpan(2, 4)) : plain;
    }
}
