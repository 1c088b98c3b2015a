using System.Net;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>
/// The endpoints that signed requests may go to. A tenant chooses a store's endpoint: without this list it could direct
/// the operator, its keys' signatures and session tokens to any host. An entry is <c>[scheme://]host[:port]</c>; the
/// default scheme is https, the default port is the scheme's, and <c>*</c> stands for a part of one label, never for a
/// dot. <see cref="AddressRules"/> checks the addresses that a listed name resolves to.
/// </summary>
internal sealed partial class EndpointAllowList
{
    private readonly IReadOnlyList<AllowedEndpoint> _entries;
    private readonly IReadOnlyList<EndpointNames> _ofVendors;

    /// <param name="entries">The list, as an operator's flag gives it.</param>
    /// <param name="ofVendors">Endpoints of all vendors that the operator knows.</param>
    /// <exception cref="FormatException">An entry is invalid; the message names it.</exception>
    public EndpointAllowList(IEnumerable<string> entries, IReadOnlyList<EndpointNames> ofVendors) =>
        (_entries, _ofVendors) = ([.. entries.Select(e => Parse(e, ofVendors))], ofVendors);

    public bool Allows(Uri endpoint) =>
        _entries.Any(e => e.Scheme == endpoint.Scheme && e.Port == endpoint.Port && e.Host.Matches(endpoint.IdnHost));

    /// <summary>
    /// Returns how far the host of a request is trusted. A bucket may stand before a listed host, as one label; but not
    /// where a pattern allows the same name: the name may then also be the endpoint of a store, which a tenant
    /// chooses.
    /// </summary>
    public EndpointTrust TrustOf(Uri target)
    {
        var host = target.IdnHost;
        var dot = target.HostNameType == UriHostNameType.Dns ? host.IndexOf('.', StringComparison.Ordinal) : -1;
        var behindBucket = dot > 0 ? host[(dot + 1)..] : host;
        if (IsListedInFull(target, host) || (IsListedInFull(target, behindBucket) && !Allows(target)))
            return EndpointTrust.Operator;
        return _ofVendors.Any(v => v.Contain(host) || v.Contain(behindBucket))
            ? EndpointTrust.Vendor
            : EndpointTrust.Pattern;
    }

    /// <summary>
    /// The vendors' names are on the list by default, so the administrator has not chosen any of them.
    /// </summary>
    private bool IsListedInFull(Uri target, string host) =>
        _entries.Any(e =>
            e.Host.IsFullName
            && e.Scheme == target.Scheme
            && e.Port == target.Port
            && e.Host.Matches(host)
            && !e.IsDefault
        );

    private static AllowedEndpoint Parse(string text, IReadOnlyList<EndpointNames> ofVendors)
    {
        var match = EntryForm().Match(text);
        if (!match.Success)
            throw Invalid(text);
        var scheme = match.Groups["scheme"] is { Success: true } s ? s.Value : Uri.UriSchemeHttps;
        var port =
            match.Groups["port"] is { Success: true } p ? int.Parse(p.Value)
            : scheme == Uri.UriSchemeHttps ? 443
            : 80;
        if (port is 0 or > 65535)
            throw Invalid(text);
        var name = match.Groups["host"].Value.Trim('[', ']');
        // An address has many spellings, a URI knows one
        name = IPAddress.TryParse(name, out var address) ? address.ToString() : name;
        var isDefault = ofVendors.Any(v => v.Patterns.Contains(text, StringComparer.OrdinalIgnoreCase));
        return new AllowedEndpoint(scheme, new HostPattern(name), port, isDefault);
    }

    private static FormatException Invalid(string text) =>
        new($"\"{text}\" is not [scheme://]host[:port], for example oss-*.aliyuncs.com or http://127.0.0.1:9000");

    [GeneratedRegex(
        @"^((?<scheme>https?)://)?(?<host>[A-Za-z0-9*.-]+|\[[0-9A-Fa-f:.]+\])(:(?<port>[0-9]{1,5}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex EntryForm();

    /// <param name="IsDefault">The entry is one of a vendor's own patterns, which are on the list by default.</param>
    private sealed record AllowedEndpoint(string Scheme, HostPattern Host, int Port, bool IsDefault);
}
