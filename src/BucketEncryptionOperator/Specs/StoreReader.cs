using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Specs;

/// <summary>A store that can be used.</summary>
/// <param name="Vendor">Name of a vendor in <see cref="VendorCatalog"/>.</param>
/// <param name="Keys">Source of the keys.</param>
/// <param name="Realm">Names where the vendor knows a key: see <see cref="Vendor.Realm"/>.</param>
internal sealed record Store(string Vendor, StorePlace Place, KeySource Keys, string Realm)
{
    /// <summary>
    /// Version of the object that the store was read from: another object, or a changed spec, has another version.
    /// </summary>
    public string Version { get; init; } = "";

    /// <summary>
    /// Patterns of the buckets that policies may select through the store, with <c>{namespace}</c> for the policy's;
    /// null: all, for the keys are the namespace's own.
    /// </summary>
    public ImmutableArray<string>? SelectableBuckets { get; init; }

    /// <summary>
    /// Where the store's KMS keys can be asked for; null where the vendor has no such service, or the store or the
    /// operator is set not to ask.
    /// </summary>
    public KeyServiceAddress? KeyService { get; init; }
}

/// <summary>Where a store's buckets are, and what the store can do.</summary>
internal sealed record StorePlace(
    Uri Endpoint,
    string Region,
    Addressing Addressing,
    StoreTraits Traits,
    RateLimit Limit
)
{
    /// <summary>
    /// Within it a bucket's name is one bucket, whichever stores lead there. It follows from the endpoint, unless
    /// the operator's administrator says otherwise: the vendor's own for a vendor's hosts, else the endpoint's host and
    /// port.
    /// </summary>
    public string Partition { get; init; } = Traits.Partition ?? $"{Endpoint.IdnHost}:{Endpoint.Port}";

    /// <inheritdoc cref="VendorAddress.CaBundle"/>
    public string? CaBundle { get; init; }

    public StoreAddress Store =>
        new(Endpoint, Region, Addressing, Traits.Options) { Limit = Limit, CaBundle = CaBundle };

    public BucketAddress Address(string bucket) => Store.Bucket(bucket);
}

/// <summary>Turns a store into an address for signed requests, or says what is wrong with it.</summary>
internal sealed class StoreReader(EndpointAllowList allowedEndpoints, Partitions partitions, KeySourceReader keySources)
{
    public const string ReadStore = "ReadStore";

    private readonly KeyServiceReader _keyServices = new(allowedEndpoints);

    /// <summary>Whether stores have a key service that is asked.</summary>
    public bool KeyChecks { get; init; } = true;

    // The API's words: literals, so that a rename of an enumeration's member does not change the API.
    private const string VirtualHost = "VirtualHost";
    private const string Path = "Path";
    private const string CName = "CName";

    /// <param name="subject">Name of the store, for messages.</param>
    /// <param name="scope">Where the store belongs, and the namespace of its Secret.</param>
    public Result<Store> Read(string subject, BucketStoreSpec spec, StoreScope scope)
    {
        if (VendorCatalog.Find(spec.Vendor) is not { } vendor)
            return Wrong($"spec.vendor: \"{spec.Vendor}\" is not known; allowed are {VendorCatalog.Names}.");
        // A region goes into the endpoint's host, and into what is signed.
        if (!StoreSettings.IsLabel(spec.Region))
            return Wrong(
                $"spec.region: \"{spec.Region}\" is not a region id: use lower-case letters, digits and hyphens, for "
                    + "example cn-hangzhou."
            );
        if (ReadEndpoint(spec.Endpoint ?? vendor.Endpoints.Default(spec.Region)) is not { } endpoint)
            return Wrong(
                $"spec.endpoint: \"{spec.Endpoint}\" must be scheme and host only, for example "
                    + $"{vendor.Endpoints.Default("cn-hangzhou")}."
            );
        if (vendor.Endpoints.RegionMeant(spec.Region, spec.Endpoint is null ? null : endpoint) is { } region)
            return Wrong($"spec.region: \"{spec.Region}\" is not a region id: give {region}.");
        if (VendorRequest.ProblemOf(endpoint) is { } hostProblem)
            return Wrong($"spec.endpoint: {endpoint.Host} {hostProblem}.");
        if (spec.Addressing != CName && VendorCatalog.BehindBucket(endpoint) is { } known)
        {
            var instead = known.Vendor.Endpoints.Instead(known.Host, endpoint.Scheme, spec.Region);
            return Wrong(
                $"spec.endpoint: {endpoint.Host} has a bucket in it; the endpoint goes without the bucket: {instead}."
            );
        }
        if (VendorCatalog.IsKeyService(endpoint))
            return Wrong($"spec.endpoint: {endpoint.Host} is a key service; give the object store's endpoint.");
        if (!allowedEndpoints.Allows(endpoint))
        {
            var refusal = Invalid(
                Reasons.EndpointNotAllowed,
                subject,
                $"spec.endpoint: {endpoint.GetLeftPart(UriPartial.Authority)} is not allowed."
            );
            var hint = vendor.Endpoints.IsSuperseded(endpoint.IdnHost)
                ? $"Give the region's own endpoint, {vendor.Endpoints.Default(spec.Region)}, or no spec.endpoint."
                : "Ask the operator's administrator to list it in --allowed-endpoints (plain http with its scheme).";
            return new(Value: null, refusal with { Hint = hint });
        }
        if (vendor.Endpoints.IsOfAnotherRegion(endpoint, spec.Region))
            return Wrong(
                $"spec.endpoint: {endpoint.Host} is not in region {spec.Region}, which spec.region names; correct one "
                    + "of them."
            );

        var settings = spec.Settings(endpoint);
        var (traits, wrongSetting) = Bind(vendor, settings);
        if (traits is null)
            return Wrong(wrongSetting);
        var (addressing, problem) = ReadAddressing(spec, endpoint, traits);
        if (problem is not null)
            return Wrong(problem);
        if (spec.Endpoint is null && (traits.NeedsEndpoint || addressing == Addressing.CName))
            return Wrong("spec.endpoint: must be given here, for it cannot be derived.");
        var named = (spec as ClusterBucketStoreSpec)?.Partition;
        if (named is not null && !Partitions.IsName(named))
            return Wrong(
                $"spec.partition: \"{named}\" is invalid; use letters, digits and any of \".:_-\", at most 253 "
                    + "characters."
            );
        if (spec.CaBundle is { } bundle && CaBundle.ProblemOf(bundle) is { } wrongBundle)
            return Wrong($"spec.caBundle: {wrongBundle}.");
        var (limit, wrongLimit) = ReadLimit(spec.RateLimit);
        if (limit is null)
            return Wrong(wrongLimit);
        var (keyService, wrongService) = _keyServices.Read(subject, vendor, spec, settings);
        if (wrongService is not null)
            return new(Value: null, wrongService);
        var (keys, wrongKeys) = keySources.Read(subject, spec, scope);
        if (keys is null)
            return new(Value: null, wrongKeys);
        var place = new StorePlace(endpoint, spec.Region, addressing, traits, limit) { CaBundle = spec.CaBundle };
        return new(
            new Store(
                spec.Vendor,
                place with
                {
                    Partition = named ?? partitions.Of(endpoint) ?? place.Partition,
                },
                keys,
                vendor.Realm(endpoint)
            )
            {
                KeyService = KeyChecks ? keyService : null,
                SelectableBuckets = spec is ClusterBucketStoreSpec shared
                    ? shared.AllowedNamespaces?.SelectableBuckets ?? []
                    : null,
            },
            Failure: null
        );

        Result<Store> Wrong(string message) => new(Value: null, Invalid(Reasons.InvalidSpec, subject, message));
    }

    /// <returns>Null for a text that is anything but scheme and host.</returns>
    public static Uri? ReadEndpoint(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var endpoint)
        && (endpoint.Scheme is "https" or "http")
        && endpoint.PathAndQuery == "/"
        && endpoint.Fragment.Length == 0
        && endpoint.UserInfo.Length == 0
            ? endpoint
            : null;

    public static Failure Invalid(FailureReason reason, string subject, string message) =>
        new(reason, ReadStore) { Message = $"{subject}, {message}" };

    /// <summary>Reads the addressing. The name of a bucket cannot stand before an IP address.</summary>
    private static (Addressing Addressing, string? Problem) ReadAddressing(
        BucketStoreSpec spec,
        Uri endpoint,
        StoreTraits traits
    )
    {
        Addressing? addressing = spec.Addressing switch
        {
            null => traits.Addressings[0],
            VirtualHost => Addressing.VirtualHost,
            Path => Addressing.Path,
            CName => Addressing.CName,
            _ => null,
        };
        if (addressing is not { } declared || !traits.Addressings.Contains(declared))
            return (
                default,
                $"spec.addressing: \"{spec.Addressing}\" is not for {traits.Subject}; allowed are "
                    + $"{string.Join(", ", traits.Addressings.Select(WordOf))}."
            );
        if (
            declared != Addressing.VirtualHost
            || endpoint.HostNameType is not (UriHostNameType.IPv4 or UriHostNameType.IPv6)
        )
            return (declared, null);
        return traits.Addressings.Contains(Addressing.Path)
            ? (Addressing.Path, null)
            : (
                default,
                $"spec.endpoint: {endpoint.Host} is an IP address; {traits.Subject} wants the bucket in the host, so "
                    + "give a name."
            );
    }

    private static string WordOf(Addressing addressing) =>
        addressing switch
        {
            Addressing.VirtualHost => VirtualHost,
            Addressing.Path => Path,
            _ => CName,
        };

    private static (StoreTraits? Traits, string Problem) Bind(Vendor vendor, StoreSettings settings)
    {
        try
        {
            return (VendorCatalog.Bind(vendor, settings), "");
        }
        catch (SettingException e)
        {
            return (null, e.Message);
        }
    }

    private static (RateLimit? Limit, string Problem) ReadLimit(RateLimitSpec? spec)
    {
        var given = RateLimit.Default;
        var limit = new RateLimit(
            spec?.RequestsPerSecond ?? given.RequestsPerSecond,
            spec?.Burst ?? given.Burst,
            spec?.MaxConcurrency ?? given.MaxConcurrency
        );
        return limit.RequestsPerSecond is < 1 or > 1000
                ? (null, $"spec.rateLimit.requestsPerSecond: {limit.RequestsPerSecond} is not from 1 to 1000.")
            : limit.Burst is < 1 or > 1000 ? (null, $"spec.rateLimit.burst: {limit.Burst} is not from 1 to 1000.")
            : limit.MaxConcurrency is < 1 or > 64
                ? (null, $"spec.rateLimit.maxConcurrency: {limit.MaxConcurrency} is not from 1 to 64.")
            : (limit, "");
    }
}
