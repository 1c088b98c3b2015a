using System.Text;
using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// AWS's STS, AssumeRoleWithWebIdentity in the query protocol: a form, no signature, XML. Codes as AWS's API reference
/// lists them.
/// </summary>
internal sealed class AwsTokenService(World world)
{
    private static readonly XNamespace Space = "https://sts.amazonaws.com/doc/2011-06-15/";

    private static readonly string[] Needed = ["RoleArn", "RoleSessionName", "WebIdentityToken"];

    private long _lastRequestId;

    public StoreAnswer Answer(StoreCall call)
    {
        ILookup<string, string> form = IdentityAnswers.Form(call.Request);
        if (Check(form) is { } refusal)
        {
            return Refuse(refusal);
        }

        IssuedKey key = world.Identities.Issue("ASIA");
        return Xml(
            200,
            code: null,
            new XElement(
                Space + "AssumeRoleWithWebIdentityResponse",
                new XElement(
                    Space + "AssumeRoleWithWebIdentityResult",
                    new XElement(
                        Space + "SubjectFromWebIdentityToken",
                        "system:serviceaccount:bucket-encryption-operator:bucket-encryption-operator"
                    ),
                    new XElement(Space + "Audience", "sts.amazonaws.com"),
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

    private StoreError? Check(ILookup<string, string> form)
    {
        IdentityValues known = world.Identities.Values;
        string[] missing = [.. Needed.Where(name => string.IsNullOrEmpty(form[name].SingleOrDefault()))];
        return form["Action"].SingleOrDefault() != IdentityOperations.WebIdentity
            || form["Version"].SingleOrDefault() != "2011-06-15"
                ? new(400, "InvalidAction", "Could not find operation.")
            : missing.Length > 0 ? new(400, "ValidationError", $"1 validation error detected: {missing[0]}")
            : form["WebIdentityToken"].Single() != known.OidcToken
                ? new(400, "InvalidIdentityToken", $"The token is refused: {form["WebIdentityToken"].Single()}")
            : form["RoleArn"].Single() != known.RoleArn
                ? new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
            : null;
    }

    private StoreAnswer Xml(int status, string? code, XElement body) =>
        IdentityAnswers.Make(world, status, code, "text/xml", Encoding.UTF8.GetString(StoreXml.Bytes(body)));

    private string NextRequestId() => $"00000000-0000-0000-0000-{Interlocked.Increment(ref _lastRequestId):D12}";
}
