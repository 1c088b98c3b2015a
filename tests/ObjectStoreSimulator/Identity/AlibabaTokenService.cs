using System.Globalization;
using System.Text.Json.Nodes;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// Alibaba Cloud's STS, AssumeRoleWithOIDC as its credential library sends it: <c>Action</c> and its like in the query,
/// the rest in a form, no signature. The codes of refused tokens, roles and providers are UNCONFIRMED.
/// </summary>
internal sealed class AlibabaTokenService(World world)
{
    private const int LeastDuration = 900;

    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private static readonly string[] Needed = ["RoleArn", "OIDCProviderArn", "OIDCToken", "RoleSessionName"];

    private long _lastRequestId;

    public StoreAnswer Answer(StoreCall call)
    {
        ILookup<string, string> query = IdentityAnswers.Query(call.Request);
        ILookup<string, string> form = IdentityAnswers.Form(call.Request);
        if ((CheckQuery(query) ?? CheckForm(form)) is { } refusal)
        {
            return Refuse(refusal);
        }

        IssuedKey key = world.Identities.Issue("STS.");
        return Json(
            200,
            code: null,
            new JsonObject
            {
                ["RequestId"] = NextRequestId(),
                ["AssumedRoleUser"] = new JsonObject
                {
                    ["AssumedRoleId"] = $"33157794895460****:{form["RoleSessionName"].Single()}",
                    ["Arn"] = $"{form["RoleArn"].Single()}/{form["RoleSessionName"].Single()}",
                },
                ["OIDCTokenInfo"] = new JsonObject
                {
                    ["Subject"] = "system:serviceaccount:bucket-encryption-operator:bucket-encryption-operator",
                    ["ClientIds"] = "sts.aliyuncs.com",
                },
                ["Credentials"] = new JsonObject
                {
                    ["AccessKeyId"] = key.AccessKeyId,
                    ["AccessKeySecret"] = key.Secret,
                    ["SecurityToken"] = key.SecurityToken,
                    ["Expiration"] = IdentityAnswers.Time(key.ExpiresAt),
                },
            }
        );
    }

    public StoreAnswer Refuse(StoreError error) =>
        Json(
            error.Status,
            error.Code,
            new JsonObject
            {
                ["RequestId"] = NextRequestId(),
                ["HostId"] = "sts.aliyuncs.com",
                ["Code"] = error.Code,
                ["Message"] = error.Message,
            }
        );

    private StoreError? CheckQuery(ILookup<string, string> query)
    {
        if (
            query["Action"].SingleOrDefault() != IdentityOperations.Oidc
            || query["Version"].SingleOrDefault() != "2015-04-01"
        )
        {
            return new(404, "InvalidAction.NotFound", "Specified api is not found.");
        }

        return query["Format"].SingleOrDefault() != "JSON"
                ? new(400, "InvalidParameter.Format", "This room speaks JSON.")
            : !DateTimeOffset.TryParseExact(
                query["Timestamp"].SingleOrDefault(),
                "yyyy-MM-dd'T'HH:mm:ss'Z'",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out DateTimeOffset time
            )
            || (time - world.Clock.UtcNow).Duration() > MaxSkew
                ? new(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
            : null;
    }

    private StoreError? CheckForm(ILookup<string, string> form)
    {
        IdentityValues known = world.Identities.Values;
        string[] missing = [.. Needed.Where(name => string.IsNullOrEmpty(form[name].SingleOrDefault()))];
        return missing.Length > 0 ? new(400, $"MissingParameter.{missing[0]}", "A parameter is missing.")
            : form["DurationSeconds"].SingleOrDefault() is { } duration
            && !(int.TryParse(duration, out int seconds) && seconds >= LeastDuration)
                ? new(400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
            : form["RoleArn"].Single() != known.RoleArn
                ? new(404, "EntityNotExist.Role", "The specified Role not exists.")
            : form["OIDCProviderArn"].Single() != known.OidcProviderArn
                ? new(404, "EntityNotExist.OIDCProvider", "The OIDC provider does not exist.")
            : form["OIDCToken"].Single() != known.OidcToken
                ? new(
                    400,
                    "AuthenticationFail.OIDCToken.Invalid",
                    $"This OIDC token is invalid: {form["OIDCToken"].Single()}"
                )
            : null;
    }

    private StoreAnswer Json(int status, string? code, JsonObject body) =>
        IdentityAnswers.Make(world, status, code, "application/json;charset=utf-8", body.ToJsonString());

    private string NextRequestId() => $"STS-{Interlocked.Increment(ref _lastRequestId):D6}";
}
