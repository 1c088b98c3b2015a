using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// MinIO's <c>GET /minio/kms/v1/key/status?key-id=…</c>, signed as S3 has it. MinIO encrypts and decrypts with the key;
/// it answers 200 and tells what failed in fields that are left out otherwise. Needs <c>kms:KeyStatus</c>; 501 without
/// a KMS. Without a key id it is about the default key. Source: MinIO, cmd/kms-handlers.go.
/// </summary>
internal sealed partial class MinioKms(World world) : IKeyService
{
    private const string Root = "/minio/kms/v1/";

    private const string DefaultKey = "minio-default-key";

    private long _lastRequestId;

    /// <summary>MinIO has no names of its own.</summary>
    public HostRules Hosts { get; } = new([], NoHost(), PathsOnServiceHost: true);

    public StoreCall? Read(StoreRequest request, StoreAddress address)
    {
        if (!address.RawPath.StartsWith(Root, StringComparison.Ordinal))
        {
            return null;
        }

        bool describes = request.Method == "GET" && address.RawPath == Root + "key/status";
        return new StoreCall(
            request,
            address,
            describes ? Operations.DescribeKey : Operations.UnknownOfKeyService,
            SigV4Claim.Parse(request.Header("authorization"))?.AccessKeyId
        )
        {
            KmsKey = describes ? address.Value("key-id") ?? DefaultKey : null,
        };
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (Account? account, StoreError? refusal) = SigV4Authorization.Check(call, region: null, world);
        if (account is null)
        {
            return Refuse(refusal!);
        }

        if (call.Operation != Operations.DescribeKey)
        {
            return Refuse(new(404, "XMinioInvalidAPI", "This API is not known here."));
        }

        if (world.DenyRules.Find(call) is { } rule)
        {
            return Refuse(rule.AsError(SigV4Errors.Denied, SigV4Errors.Denied));
        }

        if (!account.KmsEnabled)
        {
            return Refuse(new(501, "NotImplemented", "Server side encryption specified but KMS is not configured"));
        }

        FoundKey? found = world.KmsKeys.Find(call.KmsKey!);
        return found is null || KeyAnswers.MayDescribe(found, account, call.AccessKeyId)
            ? Status(call.KmsKey!, found?.Key)
            : Refuse(SigV4Errors.Denied);
    }

    public StoreAnswer Refuse(StoreError error)
    {
        string id = $"{Interlocked.Increment(ref _lastRequestId):X16}";
        return KeyAnswers
            .Json(
                world,
                error.Status,
                error.Code,
                "application/json",
                new JsonObject
                {
                    ["Code"] = error.Code,
                    ["Message"] = error.Message,
                    ["Resource"] = Root + "key/status",
                    ["RequestId"] = id,
                    ["HostId"] = "simulated",
                }
            )
            .With("x-amz-request-id", id);
    }

    private StoreAnswer Status(string id, KmsKey? key)
    {
        JsonObject status = new() { ["key-id"] = id };
        string? encryption =
            key is null ? "key with given key ID does not exist"
            : key.EncryptionError is not null ? key.EncryptionError
            : key.State != KmsKey.Enabled ? $"key is not usable: {key.State}"
            : null;
        if (encryption is not null)
        {
            status["encryption-error"] = encryption;
        }
        else if (key!.DecryptionError is not null)
        {
            status["decryption-error"] = key.DecryptionError;
        }

        return KeyAnswers.Json(world, 200, code: null, "application/json", status);
    }

    [GeneratedRegex("$^", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NoHost();
}
