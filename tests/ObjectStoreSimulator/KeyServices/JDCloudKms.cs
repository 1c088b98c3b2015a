using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// JD Cloud's KMS, <c>GET /v1/key/{id}</c>, signed with JDCLOUD2-HMAC-SHA256. States are numbers: 0 enabled, 1
/// disabled, 2 scheduled for deletion. Source: JD Cloud's SDK for Go (models and signer). The words of its errors are
/// UNCONFIRMED.
/// </summary>
internal sealed partial class JDCloudKms(World world) : IKeyService
{
    private static readonly StoreError Denied = new(403, "PERMISSION_DENIED", "No permission: kms:describeKey");

    private readonly JDCloudAuthorization _authorization = new(world);
    private long _lastRequestId;

    public HostRules Hosts { get; } = new([], ServiceHost(), PathsOnServiceHost: true);

    public StoreCall? Read(StoreRequest request, StoreAddress address)
    {
        Match path = ServicePath().Match(address.RawPath);
        if (!path.Success && !ServiceHost().IsMatch(address.HostName))
        {
            return null;
        }

        bool describes = request.Method == "GET" && path.Success;
        return new StoreCall(
            request,
            address,
            describes ? Operations.DescribeKey : Operations.UnknownOfKeyService,
            JDCloudAuthorization.ClaimOf(request)?.AccessKeyId
        )
        {
            KmsKey = describes ? Uri.UnescapeDataString(path.Groups["key"].Value) : null,
        };
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (Account? account, StoreError? refusal) = _authorization.Check(call);
        if (account is null)
        {
            return Refuse(refusal!);
        }

        if (call.Operation != Operations.DescribeKey)
        {
            return Refuse(new(404, "NOT_FOUND", "The API does not exist"));
        }

        if (world.DenyRules.Find(call) is { } rule)
        {
            return Refuse(rule.AsError(Denied, Denied));
        }

        if (world.KmsKeys.Find(call.KmsKey!) is not { } found || (found.IsSet && found.Key.Owner != account.Owner))
        {
            return Refuse(new(404, "NOT_FOUND", "Key not found"));
        }

        return KeyAnswers.MayDescribe(found, account, call.AccessKeyId) ? Describe(found) : Refuse(Denied);
    }

    public StoreAnswer Refuse(StoreError error) =>
        KeyAnswers.Json(
            world,
            error.Status,
            error.Code,
            "application/json;charset=utf-8",
            new JsonObject
            {
                ["requestId"] = NextRequestId(),
                ["error"] = new JsonObject
                {
                    ["code"] = error.Status,
                    ["status"] = error.Code,
                    ["message"] = error.Message,
                },
            }
        );

    private StoreAnswer Describe(FoundKey found)
    {
        KmsKey key = found.Key;
        int status = key.State switch
        {
            KmsKey.Enabled => 0,
            "Disabled" => 1,
            "PendingDeletion" => 2,
            var other => int.TryParse(other, CultureInfo.InvariantCulture, out int number) ? number : -1,
        };
        JsonObject info = new()
        {
            ["keyId"] = found.Id,
            ["keyName"] = key.Aliases.IsDefaultOrEmpty ? "simulated" : key.Aliases[0]["alias/".Length..],
            ["keyDesc"] = "",
            ["keyStatus"] = status,
            ["createTime"] = "2026-01-02 03:04:05",
            ["deleteTime"] = key.DeletionDate?.UtcDateTime.ToString(
                "yyyy-MM-dd HH:mm:ss",
                CultureInfo.InvariantCulture
            ),
            ["rotationCycle"] = 0,
        };
        return KeyAnswers.Json(
            world,
            200,
            code: null,
            "application/json;charset=utf-8",
            new JsonObject
            {
                ["requestId"] = NextRequestId(),
                ["result"] = new JsonObject { ["keyInfo"] = info },
            }
        );
    }

    private string NextRequestId() => $"jd-{Interlocked.Increment(ref _lastRequestId):D6}";

    [GeneratedRegex("^/v1/key/(?<key>[^/]+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ServicePath();

    [GeneratedRegex(
        @"^kms(\.(?<region>[a-z0-9-]+))?\.jdcloud-api\.com$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();
}
