using System.Text.Json;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;

namespace BucketEncryptionOperator.Tests.Planning;

public sealed class OfflineStoresTests
{
    /// <summary>
    /// The endpoint is listed, and so its certificates may be the file's; the vendor's key service is another host.
    /// </summary>
    [Theory]
    [InlineData("", false)]
    [InlineData("kms.cn-hangzhou.aliyuncs.com", true)]
    public void Certificates_of_a_file_count_only_for_hosts_that_the_caller_has_listed(string listed, bool count)
    {
        using var authority = new Fakes.TestAuthority("stranger");
        var files = new ManifestLoader("default", new StringReader(StoreWith(authority.Pem))).Load(["-"], false);
        string[] mine = listed.Length == 0 ? ["store.example.com"] : ["store.example.com", listed];
        var allowed = new EndpointAllowList(
            [.. new OperatorOptions().AllowedEndpoints, .. mine],
            VendorCatalog.Endpoints
        );
        var reader = new StoreReader(
            allowed,
            new Partitions(new OperatorOptions().Partitions),
            new KeySourceReader(new AmbientRules(new OperatorOptions().AmbientCredentialsInNamespacedStores, []))
        );
        var stores = new OfflineStores(
            OfflineObjects.StoresOf(files, reader),
            allowed,
            (_, _) => throw new InvalidOperationException("no key is asked for"),
            VendorCatalog.All.ToDictionary(v => v.Name, StringComparer.Ordinal)
        );

        var store = stores.Read(Assert.Single(files.Stores).Object).Value;

        Assert.Empty(files.Problems);
        Assert.NotNull(store?.Place.CaBundle);
        Assert.Equal("kms.cn-hangzhou.aliyuncs.com", store.KeyService?.Endpoint.Host);
        Assert.Equal(count, store.KeyService?.CaBundle is not null);
    }

    private static string StoreWith(string pem) =>
        "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketStore\nmetadata: {name: oss}\n"
        + "spec: {vendor: AlibabaOSS, region: cn-hangzhou, endpoint: 'https://store.example.com', "
        + $"kmsEndpoint: 'https://kms.cn-hangzhou.aliyuncs.com', caBundle: {JsonSerializer.Serialize(pem)}, "
        + "credentials: {secretRef: {name: k}}}\n";
}
