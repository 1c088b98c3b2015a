using System.Text.Json.Nodes;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// The agent of EKS Pod Identity on a node: a GET with the pod's raw token gives the keys of the associated role. The
/// code of a refused token is UNCONFIRMED.
/// </summary>
internal sealed class PodIdentityAgent(World world)
{
    public const string Path = "/v1/credentials";

    public StoreAnswer Answer(StoreCall call)
    {
        IdentityValues known = world.Identities.Values;
        if (known.OidcToken is null || call.Request.Header("authorization") != known.OidcToken)
        {
            return Refuse(new StoreError(400, "InvalidTokenException", "The token is refused."));
        }

        if (known.RoleArn is not { } role)
        {
            return Refuse(new StoreError(404, "ResourceNotFoundException", "There is no association."));
        }

        IssuedKey key = world.Identities.Issue("ASIA", role);
        return IdentityAnswers.Make(
            world,
            200,
            code: null,
            "application/json",
            new JsonObject
            {
                ["AccessKeyId"] = key.AccessKeyId,
                ["SecretAccessKey"] = key.Secret,
                ["Token"] = key.SecurityToken,
                ["AccountId"] = "123456789012",
                ["Expiration"] = IdentityAnswers.Time(key.ExpiresAt),
            }.ToJsonString()
        );
    }

    public StoreAnswer Refuse(StoreError error) =>
        IdentityAnswers.Make(
            world,
            error.Status,
            error.Code,
            "application/json",
            new JsonObject { ["code"] = error.Code, ["message"] = error.Message }.ToJsonString()
        );
}
