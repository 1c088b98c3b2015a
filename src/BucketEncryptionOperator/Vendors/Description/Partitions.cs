using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>
/// Which host names lead to the same buckets, as the operator's administrator says. Without an entry a vendor's hosts
/// are the vendor's partition, and any other endpoint is a partition of its own. An entry is <c>NAME=host[:port]</c>;
/// <c>*</c> stands for a part of one label, and without a port every port is meant.
/// </summary>
internal sealed partial class Partitions
{
    private const int LongestName = 253;

    private readonly IReadOnlyList<PartitionRule> _rules;

    /// <exception cref="FormatException">An entry is invalid; the message names it.</exception>
    public Partitions(IEnumerable<string> entries) => _rules = [.. entries.Select(Parse)];

    public static Partitions None { get; } = new([]);

    /// <summary>
    /// Returns the partition of the first entry that matches the endpoint; null where none does.
    /// </summary>
    public string? Of(Uri endpoint) =>
        _rules
            .FirstOrDefault(e =>
                (e.Port ?? endpoint.Port) == endpoint.Port && e.Host.Matches(endpoint.IdnHost.Trim('[', ']'))
            )
            ?.Name;

    public static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or ':' or '_' or '-');

    private static PartitionRule Parse(string text)
    {
        var match = EntryForm().Match(text);
        if (!match.Success || !IsName(match.Groups["name"].Value))
            throw Invalid(text);
        int? port = match.Groups["port"] is { Success: true } given
            ? int.Parse(given.Value, CultureInfo.InvariantCulture)
            : null;
        if (port is 0 or > 65535)
            throw Invalid(text);
        var host = match.Groups["host"].Value.Trim('[', ']');
        host = IPAddress.TryParse(host, out var address) ? address.ToString() : host; // as a URI spells it
        return new PartitionRule(match.Groups["name"].Value, new HostPattern(host), port);
    }

    private static FormatException Invalid(string text) =>
        new($"\"{text}\" is not NAME=host[:port], for example minio=minio.storage.svc:9000");

    [GeneratedRegex(
        @"^(?<name>[^=]+)=(?<host>[A-Za-z0-9*.-]+|\[[0-9A-Fa-f:.]+\])(:(?<port>[0-9]{1,5}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex EntryForm();

    private sealed record PartitionRule(string Name, HostPattern Host, int? Port);
}
