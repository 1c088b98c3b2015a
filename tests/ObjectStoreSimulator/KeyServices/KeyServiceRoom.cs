using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// The vendor's key service on the store's own port, told apart by requests that no store gets, and by its host names.
/// Its requests are recorded, held, denied and made to fail like the store's, and counted apart from them.
/// </summary>
internal sealed class KeyServiceRoom(World world, Vendor vendor, IDialect store) : IDialect
{
    private readonly IKeyService _service = ServiceOf(vendor, world);

    public StoreCall Read(StoreRequest request)
    {
        StoreAddress address = StoreAddress.Parse(_service.Hosts, request.Host, request.RawTarget);
        return _service.Read(request, address with { Bucket = null }) ?? store.Read(request);
    }

    public StoreAnswer Answer(StoreCall call) => call.IsForKeyService ? _service.Answer(call) : store.Answer(call);

    public StoreAnswer Refuse(StoreCall call, StoreError error) =>
        call.IsForKeyService ? _service.Refuse(error) : store.Refuse(call, error);

    /// <summary>A key service tells an error in its body only.</summary>
    public StoreAnswer WithoutBody(StoreAnswer answer) =>
        answer.ErrorCode is not null
        && answer.Headers.Any(h => h.Key == "Content-Type" && h.Value.Contains("json", StringComparison.Ordinal))
            ? answer with
            {
                Body = ReadOnlyMemory<byte>.Empty,
            }
            : store.WithoutBody(answer);

    private static IKeyService ServiceOf(Vendor vendor, World world) =>
        vendor switch
        {
            Vendor.AlibabaOSS => new AlibabaKms(world),
            Vendor.HuaweiOBS => new HuaweiKms(world),
            Vendor.JDCloudOSS => new JDCloudKms(world),
            Vendor.S3 => new AwsKms(world),
            Vendor.MinIO => new MinioKms(world),
            _ => throw new ArgumentOutOfRangeException(nameof(vendor), vendor, "No key service."),
        };
}
