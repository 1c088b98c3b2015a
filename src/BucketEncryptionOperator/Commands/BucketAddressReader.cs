using System.Collections.Immutable;
using System.Net;
using System.Text;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Reads where the bucket is. Endpoint: <c>-e</c>, else the config file's (a name or an endpoint of the bucket's own
/// before the common one), else the vendor's for the region. Region: <c>--region</c>, else the endpoint's own, else the
/// config file's, else the environment's. The user is the administrator, so there is no list of allowed endpoints, and
/// plain http is allowed with a warning.
/// </summary>
internal sealed class BucketAddressReader(
    CommandTarget target,
    BucketEncryptionArguments given,
    OssutilConfig config,
    Func<string, string?> environment
)
{
    private readonly ShellNames _shell = target.Vendor.Shell;
    private readonly EndpointNames _endpoints = target.Vendor.Endpoints;

    public (BucketAddress Address, StoreTraits Traits, ImmutableArray<string> Warnings) Read()
    {
        var asked = Region(given.Region, "--region");
        var settled = Region(config.Region, "region in the config file") ?? RegionOfEnvironment();
        var cname = given.Endpoint is null ? config.CnameOf(target.Bucket) : null;
        var endpoint = ReadEndpoint(cname, asked ?? settled);
        var region = asked ?? _endpoints.RegionOf(endpoint) ?? settled;
        if (region is not null && _endpoints.RegionMeant(region, endpoint) is { } meant)
            throw new UsageException($"{region} is not a region id: give {meant}");
        if (VendorRequest.ProblemOf(endpoint) is { } hostProblem)
            throw new UsageException($"endpoint {endpoint.Host} {hostProblem}");
        if (cname is null && VendorCatalog.BehindBucket(endpoint) is { } known)
        {
            var instead = known.Vendor.Endpoints.Instead(known.Host, endpoint.Scheme, region ?? "REGION");
            throw new UsageException($"endpoint {endpoint.Host}: the endpoint goes without the bucket: {instead}");
        }
        if (region is not null && _endpoints.IsOfAnotherRegion(endpoint, region))
            throw new UsageException($"endpoint {endpoint.Host} is not in region {region}: correct one of them");
        var warnings = ImmutableArray.CreateBuilder<string>();
        if (endpoint.Scheme == Uri.UriSchemeHttp && !endpoint.IsLoopback)
            warnings.Add(
                $"{endpoint.GetLeftPart(UriPartial.Authority)} is not encrypted: signatures and session tokens can be "
                    + "read on the way"
            );
        if (region is not null && _endpoints.IsSuperseded(endpoint.IdnHost))
        {
            var own = _endpoints.Default(region);
            warnings.Add($"{endpoint.Host} is not the endpoint of a region: if the request is refused, give {own}");
        }
        if (config.ProxyHost is not null)
            warnings.Add("proxyHost of the config file is not read: set HTTPS_PROXY (HTTP_PROXY for plain http)");
        var signature = ReadSignature(region, warnings);
        var traits = VendorCatalog.Bind(target.Vendor, Settings(region, endpoint, signature));
        var place = new StorePlace(
            endpoint,
            region ?? "",
            ReadAddressing(endpoint, cname is not null, traits),
            traits,
            RateLimit.Default
        );
        var address = place.Address(target.Bucket);
        CheckHost(address);
        return (address, traits, warnings.ToImmutable());
    }

    /// <summary>
    /// Checks the host. It may be valid in a URL and not as a name in DNS, by itself or with the bucket before it.
    /// </summary>
    private static void CheckHost(BucketAddress address)
    {
        try
        {
            var host = VendorRequest.Target(address, Resource.Encryption).IdnHost;
            var isName =
                Ascii.IsValid(host)
                && host.Length <= DnsName.MaxSubdomain
                && host.Split('.').All(label => label.Length is > 0 and <= DnsName.MaxLabel);
            if (isName || IPAddress.TryParse(host, out _))
                return;
        }
        catch (UriFormatException)
        {
            // As below.
        }
        throw new UsageException("invalid endpoint: its host, or the bucket and its host, cannot be a name in DNS");
    }

    private static string? Region(string? text, string where) => Label(text, where, "region");

    /// <summary>Reads a region or id, which is signed; a region is also a part of a host name.</summary>
    private static string? Label(string? text, string where, string what) =>
        string.IsNullOrEmpty(text) ? null
        : StoreSettings.IsLabel(text) ? text
        : throw new UsageException(
            $"{where} is no {what}: it has lower-case letters, digits and hyphens, for example "
                + (what == "region" ? "cn-hangzhou" : "cb-example")
        );

    private string? RegionOfEnvironment() =>
        _shell.RegionVariables.Select(v => Region(environment(v), v)).FirstOrDefault(r => r is not null);

    private Uri ReadEndpoint(string? cname, string? region)
    {
        var text = NullIfEmpty(given.Endpoint) ?? cname ?? config.EndpointOf(target.Bucket) ?? config.Endpoint;
        text ??= _endpoints.Default(
            region
                ?? throw new UsageException(
                    "invalid endpoint, endpoint is empty: give -e, --region, or endpoint in the config file"
                )
        );
        // ossutil takes http here; whoever wants it must say so.
        if (!text.Contains("://", StringComparison.Ordinal))
            text = "https://" + text;
        // Half of a surrogate pair is not UTF-16, and Uri throws.
        return
            text.EnumerateRunes().All(r => r != Rune.ReplacementChar)
            && Uri.TryCreate(text, UriKind.Absolute, out var endpoint)
            && endpoint.Scheme is "https" or "http"
            && endpoint.PathAndQuery == "/"
            && endpoint.Fragment.Length == 0
            && endpoint.UserInfo.Length == 0
            ? endpoint
            : throw new UsageException(
                "invalid endpoint: it must be a host, or scheme and host, for example "
                    + _endpoints.Default("cn-hangzhou")
            );
    }

    /// <returns>V1, V4, or null if there is no choice.</returns>
    private string? ReadSignature(string? region, ImmutableArray<string>.Builder warnings)
    {
        var asked =
            NullIfEmpty(given.SignVersion) ?? (_shell.Region == RegionUse.InSignature4 ? config.SignVersion : null);
        if (_shell.Region != RegionUse.InSignature4)
        {
            if (asked is not null || given.CloudBoxId is not null)
                throw new UsageException(
                    $"--sign-version and --cloudbox-id are not for {_shell.Scheme}:// buckets: leave them out"
                );
            return region is null && _shell.Region == RegionUse.InSignature
                ? throw new UsageException(NeedsRegion("the signature"))
                : null;
        }
        var canBe4 = region is not null || CloudBoxId() is not null;
        switch (asked?.ToUpperInvariant())
        {
            case "V4":
                return canBe4 ? "V4" : throw new UsageException(NeedsRegion("--sign-version v4"));
            case "V1":
                return "V1";
            case null:
                if (!canBe4)
                    warnings.Add(
                        "signed with version 1, for the endpoint names no region: give --region for version 4"
                    );
                return canBe4 ? "V4" : "V1";
            default:
                throw new UsageException("value of option --sign-version must be v1 or v4");
        }
    }

    private string NeedsRegion(string who)
    {
        var variable = _shell.RegionVariables.IsEmpty ? "" : $", or {_shell.RegionVariables[0]} in the environment";
        return $"{who} needs a region, and the endpoint names none: give --region{variable}";
    }

    /// <summary>Returns the settings. Both values were checked, and their messages name the option.</summary>
    private StoreSettings Settings(string? region, Uri endpoint, string? signature)
    {
        (string Name, string Option, string? Value)[] settings =
        [
            ("signatureVersion", "--sign-version", signature),
            ("cloudBoxId", "--cloudbox-id", CloudBoxId()),
        ];
        return new(region ?? "", endpoint)
        {
            ForVendor =
            [
                .. from setting in settings
                where setting.Value is not null
                select new VendorSetting(setting.Name, setting.Option, setting.Value),
            ],
        };
    }

    /// <summary>Returns the CloudBox id. The config file's counts only for the vendor of that file.</summary>
    private string? CloudBoxId() =>
        Label(given.CloudBoxId, "--cloudbox-id", "CloudBox id")
        ?? (
            _shell.Region == RegionUse.InSignature4
                ? Label(config.CloudBoxId, "cloudBoxId in the config file", "CloudBox id")
                : null
        );

    /// <summary>Reads the addressing. The name of a bucket cannot stand before an IP address.</summary>
    private Addressing ReadAddressing(Uri endpoint, bool isCname, StoreTraits traits)
    {
        var addressing =
            isCname ? Addressing.CName
            : given.ForcePathStyle || IPAddress.TryParse(endpoint.Host.Trim('[', ']'), out _) ? Addressing.Path
            : traits.Addressings[0];
        return traits.Addressings.Contains(addressing)
            ? addressing
            : throw new UsageException(
                addressing == Addressing.CName
                    ? $"{traits.Subject} takes no host name of the bucket's own"
                    : $"{traits.Subject} wants the bucket in the host: give an endpoint with a name, and no "
                        + "--force-path-style"
            );
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
