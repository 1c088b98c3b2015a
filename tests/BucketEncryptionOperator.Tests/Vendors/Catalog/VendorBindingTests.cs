using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

/// <summary>A vendor's own settings: from a name and a value to the type that its dialect reads.</summary>
public sealed class VendorBindingTests
{
    public static TheoryData<string> Vendors => new(VendorCatalog.All.Select(v => v.Name));

    [Theory]
    [MemberData(nameof(Vendors))]
    public void A_dialect_signs_with_what_its_vendor_has_bound(string name)
    {
        var vendor = VendorCatalog.Find(name)!;
        var settings = new StoreSettings("region-1", new Uri("https://store.example"));
        var address = AddressWith(VendorCatalog.Bind(vendor, settings).Options);

        using var request = vendor.Dialect.Sign(
            new UnsignedRequest(HttpMethod.Get, address, Resource.Encryption, Dialects.Key, Body: null, Dialects.Now)
        );

        Assert.NotEmpty(request.Headers);
    }

    [Theory]
    [InlineData("AlibabaOSS")]
    [InlineData("S3")]
    public void Settings_of_another_vendor_are_a_bug_and_not_the_defaults(string name)
    {
        var address = AddressWith(name == "S3" ? OssOptions.Default : S3Options.Default);

        Assert.Throws<InvalidOperationException>(() =>
            VendorCatalog
                .Find(name)!
                .Dialect.Sign(
                    new UnsignedRequest(
                        HttpMethod.Get,
                        address,
                        Resource.Encryption,
                        Dialects.Key,
                        Body: null,
                        Dialects.Now
                    )
                )
        );
    }

    [Theory]
    [InlineData("AlibabaOSS", "signatureVersion", "v4", "use V4 or V1")]
    [InlineData("AlibabaOSS", "signatureVersion", "", "use V4 or V1")]
    [InlineData(
        "AlibabaOSS",
        "cloudBoxId",
        "CB/1",
        "use lower-case letters, digits and hyphens, at most 63 characters"
    )]
    [InlineData("S3", "expectedBucketOwner", "12345678901", "an account id has 12 digits")]
    [InlineData("S3", "expectedBucketOwner", "12345678901x", "an account id has 12 digits")]
    public void An_invalid_setting_is_refused_with_where_it_was_written(
        string vendor,
        string setting,
        string value,
        string advice
    )
    {
        var settings = new StoreSettings("region-1", new Uri("https://store.example"))
        {
            ForVendor = [new VendorSetting(setting, "spec.somewhere", value)],
        };

        var thrown = Assert.Throws<SettingException>(() => VendorCatalog.Bind(VendorCatalog.Find(vendor)!, settings));

        Assert.Equal($"spec.somewhere: \"{value}\" is not valid: {advice}.", thrown.Message);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public void A_vendor_ignores_the_settings_of_others(string name)
    {
        var settings = new StoreSettings("region-1", new Uri("https://store.example"))
        {
            ForVendor = [new VendorSetting("anotherVendors", "spec.somewhere", "?")],
        };

        var traits = VendorCatalog.Bind(VendorCatalog.Find(name)!, settings);

        Assert.Equal(
            VendorCatalog.Bind(VendorCatalog.Find(name)!, settings with { ForVendor = [] }).Options,
            traits.Options
        );
    }

    private static BucketAddress AddressWith(VendorOptions options) =>
        new("finance-archive", new Uri("https://store.example"), "region-1", Addressing.VirtualHost, options);
}
