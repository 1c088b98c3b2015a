using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.TokenServices;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;

// Sends put, get and delete of one bucket's encryption, and asks for the list, the tags and the place, with the
// operator's own client of a vendor, so that its requests can be laid beside those of the vendor's client:
//   operator-requests VENDOR ENDPOINT REGION ADDRESSING [key=KMS_KEY_ID] [bucketKey=true] [signature=V1]
//     [only=account] [bucket=NAME] [id=ACCESS_KEY_ID] [secret=SECRET] [kms=ENDPOINT] [project=PROJECT]
// The endpoint is a real name; http_proxy leads to the simulator. The key is the one of all interop tests, unless one
// is given. With only=account the encryption is left alone. Prints what the account has. With kms=ENDPOINT nothing but
// the key service there is asked, for the key, and its answer is printed.
//   operator-requests AssumeRole Query|Rpc ENDPOINT REGION ROLE_ARN
// assumes the role at a token service, with the same key.
if (args is ["AssumeRole", var protocol, var tokenService, var region, var role])
    return await AssumeAsync(Enum.Parse<TokenProtocol>(protocol), new Uri(tokenService), region, role);
if (
    args.Length < 4
    || VendorCatalog.Find(args[0]) is not { } vendor
    || !Enum.TryParse<Addressing>(args[3], out var addressing)
)
{
    Console.Error.WriteLine(
        "usage: operator-requests VENDOR ENDPOINT REGION ADDRESSING [key=KMS_KEY_ID] [bucketKey=true] [signature=V1] "
            + "[only=account] [bucket=NAME] [id=ACCESS_KEY_ID] [secret=SECRET] [kms=ENDPOINT] [project=PROJECT]"
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
var bucket = more.GetValueOrDefault("bucket", "interop-bucket");
var address = new BucketAddress(bucket, endpoint, args[2], addressing, traits.Options);
var key = new AccessKey(
    more.GetValueOrDefault("id", "interop-id"),
    more.GetValueOrDefault("secret", "interop-secret"),
    SecurityToken: null
);

using var http = new VendorHttp("bucket-encryption-operator/1.0", TimeSpan.FromSeconds(20), TimeProvider.System);
using var limits = new VendorLimits(TimeProvider.System);
var services = new VendorServices(http, new ServerClocks(TimeProvider.System), limits);
if (more.TryGetValue("kms", out var kms))
    return await DescribeAsync(new Uri(kms)) ? 0 : 1;
if (more.GetValueOrDefault("only") != "account" && !await EncryptAsync())
    return 1;

var account = services.ConnectAccounts([vendor])[vendor.Name];
var store = new StoreAddress(endpoint, args[2], addressing, traits.Options);
try
{
    var listed = await account.ListBucketsAsync(store, key, CancellationToken.None);
    var tags = await account.GetTagsAsync(address, key, CancellationToken.None);
    var place = await account.LocateAsync(address, key, CancellationToken.None);
    var sorted = tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}");
    Console.WriteLine(
        $"buckets: {string.Join(' ', listed.Select(b => b.Name))}; "
            + $"tags: {string.Join(' ', sorted)}; place: {place}"
    );
    return listed.Any(b => b.Name == bucket) && place == BucketPlace.Here ? 0 : 1;
}
catch (VendorException e)
{
    Console.WriteLine($"{e.Failure.Operation}: {e.Failure.Kind} {e.Failure.Code}");
    return 1;
}

async Task<bool> EncryptAsync()
{
    var target = new BucketEncryption.Kms(
        more.GetValueOrDefault("key"),
        DataCipher.Aes256,
        BucketKeyEnabled: more.ContainsKey("bucketKey")
    );
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
    if (read.Encryption != target)
        Console.Error.WriteLine($"put {target}, but read {read.Encryption}");
    return read.Encryption == target;
}

async Task<bool> DescribeAsync(Uri named)
{
    var place =
        vendor.KeyService.Find(settings, named) ?? throw new InvalidOperationException("the store has no key service");
    var service = new KeyServiceAddress(place.Endpoint, args[2], place.Options)
    {
        Limit = KeyServiceAddress.DefaultLimit,
    };
    var kmsKey = new KmsKeyName(more["key"], more.GetValueOrDefault("project"));
    try
    {
        var health = await services
            .ConnectKeyServices([vendor])[vendor.Name]
            .DescribeAsync(service, kmsKey, key, CancellationToken.None);
        Console.WriteLine(health is KeyHealth.Unusable bad ? $"{bad.Reason.Name} {bad.VendorState}" : "usable");
        return true;
    }
    catch (VendorException e)
    {
        Console.WriteLine($"{e.Failure.Operation}: {e.Failure.Kind} {e.Failure.Code} {e.Failure.Message}");
        return false;
    }
}

static async Task<int> AssumeAsync(TokenProtocol protocol, Uri service, string region, string role)
{
    var options = new IdentityOptions("bucket-encryption-operator/1.0", _ => null, service, Metadata: null);
    using var assumer = new RoleAssumer(
        options,
        new AccessKeyCircuitBreakers(TimeProvider.System),
        TimeProvider.System,
        () => Guid.NewGuid().ToString()
    );
    var by = new KeySource.FromSecret(new SecretSource(new NamespacedName("team", "keys")));
    var basis = new AccessKey("interop-id", "interop-secret", SecurityToken: null);
    try
    {
        await assumer.AssumeAsync(
            new AssumedRole(by, protocol, role, "oss@team", region),
            basis,
            CancellationToken.None
        );
        return 0;
    }
    catch (KeySourceException e)
    {
        Console.WriteLine($"{e.Message} {e.Said}");
        return 1;
    }
}
