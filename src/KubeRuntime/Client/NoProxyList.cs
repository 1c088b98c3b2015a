using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KubeRuntime.Client;

/// <summary>
/// What needs no proxy, as NO_PROXY lists it for curl and for Go's programs. Entries are separated by commas or blanks:
/// <c>*</c> is everything; <c>name</c> and <c>.name</c> are the name and all names below it, <c>*.name</c> only those
/// below it; an address is itself; <c>address/length</c> is a range. A name or address may have a port; IPv6 addresses
/// may have brackets. An entry that is none of these is passed over, as curl and Go do. A name is never resolved.
/// </summary>
/// <remarks>
/// Loopback addresses and <c>localhost</c> are always on the list, as in Go: another machine cannot reach them for us.
/// </remarks>
internal sealed class NoProxyList
{
    private static readonly Name Localhost = new("localhost", IsOnlyBelow: false, Port: null);

    private readonly bool _everything;
    private readonly List<Range> _ranges = [];
    private readonly List<Name> _names = [];

    private NoProxyList(IEnumerable<string> entries)
    {
        foreach (var entry in entries)
        {
            if (entry == "*")
                _everything = true;
            else if (ReadRange(entry) is { } range)
                _ranges.Add(range);
            else if (ReadName(entry) is { } name)
                _names.Add(name);
        }
    }

    /// <param name="text">Of the variable; null where it is absent.</param>
    public static NoProxyList Parse(string? text) =>
        new((text ?? "").Split([',', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries));

    public bool Contains(Uri target)
    {
        if (_everything)
            return true;
        var host = target.IdnHost.TrimEnd('.');
        if (!IPAddress.TryParse(host, out var parsed))
            return Localhost.Contains(host, target.Port) || _names.Exists(n => n.Contains(host, target.Port));
        var address = Plain(parsed);
        return IPAddress.IsLoopback(address) || _ranges.Exists(r => r.Contains(address, target.Port));
    }

    /// <summary>An address, a range, or an address with a port.</summary>
    private static Range? ReadRange(string entry)
    {
        if (ReadAddress(entry) is { } single)
            return new Range(single, AllBits(single), Port: null);
        var slash = entry.LastIndexOf('/');
        if (slash >= 0)
        {
            return
                ReadAddress(entry[..slash]) is { } network
                && ReadNumber(entry[(slash + 1)..]) is { } length
                && length <= AllBits(network)
                ? new Range(network, length, Port: null)
                : null;
        }
        var (host, port) = SplitPort(entry);
        return port is not null && ReadAddress(host) is { } address ? new Range(address, AllBits(address), port) : null;
    }

    private static Name? ReadName(string entry)
    {
        var (host, port) = SplitPort(entry);
        var isOnlyBelow = host.StartsWith("*.", StringComparison.Ordinal);
        var name = host.TrimStart('*').Trim('.');
        return
            Uri.TryCreate("http://" + name, UriKind.Absolute, out var uri)
            && uri.HostNameType == UriHostNameType.Dns
            && uri.Host.Equals(name, StringComparison.OrdinalIgnoreCase)
            ? new Name(uri.IdnHost, isOnlyBelow, port)
            : null;
    }

    private static (string Host, int? Port) SplitPort(string entry)
    {
        var colon = entry.LastIndexOf(':');
        return colon > 0 && ReadNumber(entry[(colon + 1)..]) is { } port ? (entry[..colon], port) : (entry, null);
    }

    private static int? ReadNumber(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>
    /// Of IPv4 only four numbers: the short forms, such as "10", are more likely a mistake. .NET's parser would take
    /// "[address]:port", and drop the port.
    /// </summary>
    private static IPAddress? ReadAddress(string text)
    {
        var bare = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        if (bare.StartsWith('[') || !IPAddress.TryParse(bare, out var address))
            return null;
        var isWhole = address.AddressFamily == AddressFamily.InterNetworkV6 || bare.Count(c => c == '.') == 3;
        return isWhole ? Plain(address) : null;
    }

    /// <summary>Without a zone, and IPv4 inside of IPv6 as IPv4.</summary>
    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());

    private static int AllBits(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    private sealed record Range(IPAddress Network, int Length, int? Port)
    {
        private readonly byte[] _network = Network.GetAddressBytes();

        /// <summary>Compares the leading bits; the others of the entry need not be zero.</summary>
        public bool Contains(IPAddress address, int port)
        {
            var bytes = address.GetAddressBytes();
            if (bytes.Length != _network.Length || (Port is { } only && only != port))
                return false;
            var whole = Length / 8;
            var rest = Length % 8;
            return bytes.AsSpan(0, whole).SequenceEqual(_network.AsSpan(0, whole))
                && (rest == 0 || (bytes[whole] ^ _network[whole]) >> (8 - rest) == 0);
        }
    }

    private sealed record Name(string Text, bool IsOnlyBelow, int? Port)
    {
        public bool Contains(string host, int port)
        {
            if (Port is { } only && only != port)
                return false;
            return host.EndsWith("." + Text, StringComparison.OrdinalIgnoreCase)
                || (!IsOnlyBelow && host.Equals(Text, StringComparison.OrdinalIgnoreCase));
        }
    }
}
