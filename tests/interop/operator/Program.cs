using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;

// Sends put, get and delete of one bucket's encryption, and asks for the list, the tags and the place, with the
// operator's own client of a vendor, so that its requests can be laid beside those of the vendor's client:
//   operator-requests VENDOR ENDPOINT REGION ADDRESSING [key=KMS_KEY_ID] [bucketKey=true] [signature=V1]
// The endpoint is a real name; http_proxy leads to the simulator. The key is the one of all interop tests.
if (
    args.Length < 4
    || VendorCatalog.Find(args[0]) is not { } vendor
    || !Enum.TryParse<Addressing>(args[3], out var addressing)
)
{
    Console.Error.WriteLine(
        "usage: operator-requests VENDOR ENDPOINT REGION ADDRESSING [key=KMS_KEY_ID] [bucketKey=true] [signature=V1]"
    );
    return 2;
}

var more = args.Skip(4).Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1], StringComparer.Ordinal);
var endpoint = new Uri(args[1]);
var settings = new StoreSettings(args[2], endpoint)
{
    ForVendor = more.TryGetValue("signature", out var version)
        ? [new VendorSetting("signatureVersion", "signature", version)]
        : [],
};
var traits = VendorCatalog.Bind(vendor, settings);
var address = new BucketAddress("interop-bucket", endpoint, args[2], addressing, traits.Options);
var key = new AccessKey("interop-id", "interop-secret", SecurityToken: null);
var target = new BucketEncryption.Kms(
    more.GetValueOrDefault("key"),
    DataCipher.Aes256,
    BucketKeyEnabled: more.ContainsKey("bucketKey")
);

using var http = new VendorHttp("bucket-encryption-operator/1.0", TimeSpan.FromSeconds(20), TimeProvider.System);
using var limits = new VendorLimits(TimeProvider.System);
var services = new VendorServices(http, new ServerClocks(TimeProvider.System), limits);
var api = services.Connect([vendor])[vendor.Name];
using (var put = await api.BeginWriteAsync(address, key, CancellationToken.None))
    await put.PutAsync(
        api.Write(target, new Observation(new BucketEncryption.None(), Document: null)),
        () => null,
        CancellationToken.None
    );
var read = await api.GetAsync(address, key, CancellationToken.None);
using (var delete = await api.BeginWriteAsync(address, key, CancellationToken.None))
    await delete.DeleteAsync(() => null, CancellationToken.None);

var account = services.ConnectAccounts([vendor])[vendor.Name];
var store = new StoreAddress(endpoint, args[2], addressing, traits.Options);
var listed = await account.ListBucketsAsync(store, key, CancellationToken.None);
var tags = await account.GetTagsAsync(address, key, CancellationToken.None);
var place = await account.LocateAsync(address, key, CancellationToken.None);

if (read.Encryption == target && listed.Any(b => b.Name == address.Bucket) && place == BucketPlace.Here)
    return 0;
Console.Error.WriteLine(
    $"put {target}, but read {read.Encryption}; {listed.Length} buckets in the list, {tags.Count} tags, {place}"
);
return 1;
