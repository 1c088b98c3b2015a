using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Specs;

/// <summary>Finds the key service of a store, or says what is wrong with what the store says of it.</summary>
internal sealed class KeyServiceReader(EndpointAllowList allowedEndpoints)
{
    // The API's words
    private const string Enabled = "Enabled";
    private const string Disabled = "Disabled";

    /// <param name="settings">What the vendor has bound.</param>
    /// <returns>
    /// The service; null where there is none to ask. One that follows from the region is not asked where the operator's
    /// administrator does not allow its endpoint; one that the store names must be allowed.
    /// </returns>
    public (KeyServiceAddress? Service, Failure? Wrong) Read(
        string subject,
        Vendor vendor,
        BucketStoreSpec spec,
        StoreSettings settings
    )
    {
        if (spec.KeyChecks is not (null or Enabled or Disabled))
            return Wrong($"spec.keyChecks: \"{spec.KeyChecks}\" is not known; allowed are {Enabled} and {Disabled}.");
        Uri? named = null;
        if (spec.KmsEndpoint is { } text)
        {
            named = StoreReader.ReadEndpoint(text);
            if (named is null)
                return Wrong(
                    $"spec.kmsEndpoint: \"{text}\" must be scheme and host only, for example "
                        + $"{vendor.KeyService.Endpoints.Default("cn-hangzhou")}."
                );
            if (ProblemOf(named, vendor, spec.Region) is { } problem)
                return Wrong($"spec.kmsEndpoint: {named.Host} {problem}.");
            if (!allowedEndpoints.Allows(named))
                return (
                    null,
                    StoreReader.Invalid(
                        Reasons.EndpointNotAllowed,
                        subject,
                        $"spec.kmsEndpoint: {named.GetLeftPart(UriPartial.Authority)} is not allowed."
                    ) with
                    {
                        Hint =
                            "Ask the operator's administrator to list it in --allowed-endpoints (plain http with its "
                            + "scheme).",
                    }
                );
        }
        var place = vendor.KeyService.Find(settings, named);
        if (place is null && named is not null)
            return Wrong("spec.kmsEndpoint: the store has no KMS keys; remove it.");
        return place is null || spec.KeyChecks == Disabled || !allowedEndpoints.Allows(place.Endpoint)
            ? (null, null)
            : (
                new KeyServiceAddress(place.Endpoint, spec.Region, place.Options)
                {
                    Limit = KeyServiceAddress.DefaultLimit,
                    CaBundle = spec.CaBundle,
                },
                null
            );

        (KeyServiceAddress? Service, Failure? Wrong) Wrong(string message) =>
            (null, StoreReader.Invalid(Reasons.InvalidSpec, subject, message));
    }

    /// <summary>
    /// Returns what is wrong with an endpoint, as words after its host; null if nothing is. The pattern of a key
    /// service is also that of a bucket called <c>kms</c>, which may be a stranger's.
    /// </summary>
    private static string? ProblemOf(Uri endpoint, Vendor vendor, string region)
    {
        if (VendorRequest.ProblemOf(endpoint) is { } wrongHost)
            return wrongHost;
        if (VendorCatalog.IsObjectStore(endpoint) || VendorCatalog.BehindBucket(endpoint) is not null)
            return "is an object store; give the key service's endpoint";
        return vendor.KeyService.Endpoints.IsOfAnotherRegion(endpoint, region)
            ? $"is not in region {region}, which spec.region names; correct one of them"
            : null;
    }
}
