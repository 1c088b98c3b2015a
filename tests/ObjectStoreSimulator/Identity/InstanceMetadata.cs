using System.Text;
using System.Text.Json.Nodes;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// An ECS instance's metadata, as far as its RAM role goes. Version 2 wants a session's token, which a PUT gives;
/// version 1 nothing. The statuses of refusals are UNCONFIRMED.
/// </summary>
internal sealed class InstanceMetadata(World world)
{
    public const string TokenPath = "/latest/api/token";
    public const string RolesPath = "/latest/meta-data/ram/security-credentials/";

    private const int MaxTtl = 21600;

    private static readonly StoreError NotFound = new(404, "NotFound", "404 - Not Found");
    private static readonly StoreError Forbidden = new(403, "Forbidden", "403 - Forbidden");

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _sessions = new(StringComparer.Ordinal);

    public StoreAnswer Answer(StoreCall call)
    {
        IdentityValues known = world.Identities.Values;
        if (call.Operation == IdentityOperations.MetadataToken)
        {
            return !known.MetadataVersion2 ? Refuse(NotFound)
                : int.TryParse(call.Request.Header("x-aliyun-ecs-metadata-token-ttl-seconds"), out int ttl)
                && ttl is > 0 and <= MaxTtl
                    ? Text(NewSession(TimeSpan.FromSeconds(ttl)))
                : Refuse(new StoreError(400, "BadRequest", "400 - Bad Request"));
        }

        if (!MayRead(call.Request.Header("x-aliyun-ecs-metadata-token"), known))
        {
            return Refuse(Forbidden);
        }

        if (known.EcsRole is not { } role)
        {
            return Refuse(NotFound);
        }

        return call.Operation == IdentityOperations.RoleName ? Text(role)
            : call.Address.RawPath[RolesPath.Length..] == role ? Keys(world.Identities.OfInstance("STS."))
            : Refuse(NotFound);
    }

    public static StoreAnswer Refuse(StoreError error) =>
        new(
            error.Status,
            error.Code,
            [new("Content-Type", "text/html")],
            Encoding.UTF8.GetBytes($"<html>{error.Message}</html>")
        );

    private bool MayRead(string? session, IdentityValues known)
    {
        lock (_lock)
        {
            return session is null
                ? known.MetadataVersion1
                : _sessions.TryGetValue(session, out DateTimeOffset end) && world.Clock.UtcNow < end;
        }
    }

    private string NewSession(TimeSpan life)
    {
        lock (_lock)
        {
            string session = $"{world.Identities.Values.SecretMark}session-{_sessions.Count + 1}";
            _sessions[session] = world.Clock.UtcNow + life;
            return session;
        }
    }

    private StoreAnswer Keys(IssuedKey key) =>
        IdentityAnswers.Make(
            world,
            200,
            code: null,
            "text/plain",
            new JsonObject
            {
                ["AccessKeyId"] = key.AccessKeyId,
                ["AccessKeySecret"] = key.Secret,
                ["Expiration"] = IdentityAnswers.Time(key.ExpiresAt),
                ["SecurityToken"] = key.SecurityToken,
                ["LastUpdated"] = IdentityAnswers.Time(key.IssuedAt),
                ["Code"] = "Success",
            }.ToJsonString()
        );

    private StoreAnswer Text(string body) => IdentityAnswers.Make(world, 200, code: null, "text/plain", body);
}
