using System.Text;
using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// AWS's STS, AssumeRoleWithWebIdentity (no signature) and AssumeRole in the query protocol: a form, and XML. Codes as
/// AWS's API reference lists them.
/// </summary>
internal sealed class AwsTokenService(World world)
{
    private static readonly XNamespace Space = "https://sts.amazonaws.com/doc/2011-06-15/";

    private const string Audience = "sts.amazonaws.com";

    private static readonly string[] Needed = ["RoleArn", "RoleSessionName"];

    private long _lastRequestId;

    public StoreAnswer Answer(StoreCall call)
    {
        ILookup<string, string> form = IdentityAnswers.Form(call.Request);
        bool isWeb = call.Operation == IdentityOperations.WebIdentity;
        if ((Check(form) ?? (isWeb ? CheckToken(form) : CheckRole(call, form))) is { } refusal)
        {
            return Refuse(refusal);
        }

        IssuedKey key = world.Identities.Issue("ASIA", form["RoleArn"].Single());
        return Xml(
            200,
            code: null,
            new XElement(
                Space + $"{call.Operation}Response",
                new XElement(
                    Space + $"{call.Operation}Result",
                    isWeb ? OfToken() : [],
                    new XElement(
                        Space + "AssumedRoleUser",
                        new XElement(Space + "Arn", form["RoleArn"].Single()),
                        new XElement(Space + "AssumedRoleId", $"AROA:{form["RoleSessionName"].Single()}")
                    ),
                    new XElement(
                        Space + "Credentials",
                        new XElement(Space + "SessionToken", key.SecurityToken),
                        new XElement(Space + "SecretAccessKey", key.Secret),
                        new XElement(Space + "Expiration", IdentityAnswers.Time(key.ExpiresAt)),
                        new XElement(Space + "AccessKeyId", key.AccessKeyId)
                    )
                ),
                new XElement(Space + "ResponseMetadata", new XElement(Space + "RequestId", NextRequestId()))
            )
        );
    }

    public StoreAnswer Refuse(StoreError error) =>
        Xml(
            error.Status,
            error.Code,
            new XElement(
                Space + "ErrorResponse",
                new XElement(
                    Space + "Error",
                    new XElement(Space + "Type", "Sender"),
                    new XElement(Space + "Code", error.Code),
                    new XElement(Space + "Message", error.Message)
                ),
                new XElement(Space + "RequestId", NextRequestId())
            )
        );

    private static XElement[] OfToken() =>
        [
            new(
                Space + "SubjectFromWebIdentityToken",
                "system:serviceaccount:bucket-encryption-operator:bucket-encryption-operator"
            ),
            new(Space + "Audience", Audience),
        ];

    private static StoreError? Check(ILookup<string, string> form)
    {
        string[] missing = [.. Needed.Where(name => string.IsNullOrEmpty(form[name].SingleOrDefault()))];
        return form["Version"].SingleOrDefault() != "2011-06-15"
            || form["Action"].SingleOrDefault() is not (IdentityOperations.WebIdentity or IdentityOperations.Role)
                ? new(400, "InvalidAction", "Could not find operation.")
            : missing.Length > 0 ? new(400, "ValidationError", $"1 validation error detected: {missing[0]}")
            : null;
    }

    private StoreError? CheckToken(ILookup<string, string> form) =>
        form["WebIdentityToken"].SingleOrDefault() is not { Length: > 0 } token
            ? new(400, "ValidationError", "1 validation error detected: WebIdentityToken")
            : WebTokens.Check(
                world,
                token,
                form["RoleArn"].Single(),
                Audience,
                new(400, "InvalidIdentityToken", $"The token is refused: {token}"),
                new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
            );

    private StoreError? CheckRole(StoreCall call, ILookup<string, string> form)
    {
        (string? principal, StoreError? refusal) = RoleRequests.CheckSigV4(call, world);
        return principal is null
            ? refusal
            : RoleRequests.Check(
                world,
                principal,
                form,
                form["Tags.member.1.Key"].Any(),
                new(403, "AccessDenied", $"User: {principal} is not authorized to perform: sts:AssumeRole")
            );
    }

    private StoreAnswer Xml(int status, string? code, XElement body) =>
        IdentityAnswers.Make(world, status, code, "text/xml", Encoding.UTF8.GetString(StoreXml.Bytes(body)));

    private string NextRequestId() => $"00000000-0000-0000-0000-{Interlocked.Increment(ref _lastRequestId):D12}";
}
