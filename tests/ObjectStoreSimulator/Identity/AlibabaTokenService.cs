using System.Globalization;
using System.Text.Json.Nodes;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// Alibaba Cloud's STS, AssumeRoleWithOIDC (no signature) and AssumeRole as its credential library sends them:
/// <c>Action</c> and its like in the query, the rest in a form. The codes of refused tokens, roles and providers are
/// UNCONFIRMED.
/// </summary>
internal sealed class AlibabaTokenService(World world)
{
    private const int LeastDuration = 900;

    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private const string Audience = "sts.aliyuncs.com";

    private static readonly string[] OfRole = ["RoleArn", "RoleSessionName"];
    private static readonly string[] OfToken = ["RoleArn", "OIDCProviderArn", "OIDCToken", "RoleSessionName"];

    private long _lastRequestId;

    public StoreAnswer Answer(StoreCall call)
    {
        ILookup<string, string> query = IdentityAnswers.Query(call.Request);
        bool isOidc = call.Operation == IdentityOperations.Oidc;
        // The signature covers query and form alike, and clients put the role's parameters into either.
        ILookup<string, string> form = isOidc
            ? IdentityAnswers.Form(call.Request)
            : query
                .Concat(IdentityAnswers.Form(call.Request))
                .SelectMany(p => p.Select(v => (p.Key, v)))
                .ToLookup(p => p.Key, p => p.v, StringComparer.Ordinal);
        StoreError? wrong = CheckQuery(query) ?? CheckForm(form, isOidc ? OfToken : OfRole);
        if ((wrong ?? (isOidc ? CheckToken(form) : CheckRole(call, form))) is { } refusal)
        {
            return Refuse(refusal);
        }

        IssuedKey key = world.Identities.Issue("STS.", form["RoleArn"].Single());
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
            query["Action"].SingleOrDefault() is not (IdentityOperations.Oidc or IdentityOperations.Role)
            || query["Version"].SingleOrDefault() != "2015-04-01"
        )
        {
            return new(404, "InvalidAction.NotFound", "Specified api is not found.");
        }

        return !string.Equals(query["Format"].SingleOrDefault(), "JSON", StringComparison.OrdinalIgnoreCase)
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

    private static StoreError? CheckForm(ILookup<string, string> form, string[] needed)
    {
        string[] missing = [.. needed.Where(name => string.IsNullOrEmpty(form[name].SingleOrDefault()))];
        return missing.Length > 0 ? new(400, $"MissingParameter.{missing[0]}", "A parameter is missing.")
            : form["DurationSeconds"].SingleOrDefault() is { } duration
            && !(int.TryParse(duration, out int seconds) && seconds >= LeastDuration)
                ? new(400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
            : null;
    }

    private StoreError? CheckToken(ILookup<string, string> form)
    {
        IdentityValues known = world.Identities.Values;
        string role = form["RoleArn"].Single();
        return role != known.RoleArn && !known.Roles.Any(r => r.Arn == role)
                ? new(404, "EntityNotExist.Role", "The specified Role not exists.")
            : form["OIDCProviderArn"].Single() != known.OidcProviderArn
                ? new(404, "EntityNotExist.OIDCProvider", "The OIDC provider does not exist.")
            : WebTokens.Check(
                world,
                form["OIDCToken"].Single(),
                role,
                Audience,
                new(
                    400,
                    "AuthenticationFail.OIDCToken.Invalid",
                    $"This OIDC token is invalid: {form["OIDCToken"].Single()}"
                ),
                new(403, "AuthenticationFail.NoPermission", "The role does not trust the token's subject.")
            );
    }

    private StoreError? CheckRole(StoreCall call, ILookup<string, string> form)
    {
        (string? principal, StoreError? refusal) = RoleRequests.CheckRpc(call, world);
        return principal is null ? refusal
            : !world.Identities.Values.Roles.Any(r => r.Arn == form["RoleArn"].Single())
                ? new(404, "EntityNotExist.Role", "The specified Role not exists.")
            : RoleRequests.Check(
                world,
                principal,
                form,
                hasTags: false,
                new(403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM.")
            );
    }

    private StoreAnswer Json(int status, string? code, JsonObject body) =>
        IdentityAnswers.Make(world, status, code, "application/json;charset=utf-8", body.ToJsonString());

    private string NextRequestId() => $"STS-{Interlocked.Increment(ref _lastRequestId):D6}";
}
