using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.TokenServices;

/// <summary>
/// Alibaba Cloud's token service, version 2015-04-01: what concerns the role is in a form, the rest and the signature
/// in the query, as its credential library sends it.
/// </summary>
internal sealed class RpcTokenService(Uri endpoint, Func<string> nonce) : TokenService(endpoint)
{
    private const string OfKey = "InvalidAccessKeyId";
    private const string OfToken = "InvalidSecurityToken";

    public override (string Id, string Secret, string Token) KeyNames =>
        ("AccessKeyId", "AccessKeySecret", "SecurityToken");

    public override HttpRequestMessage Sign(AssumedRole role, AccessKey basis, DateTimeOffset now)
    {
        List<KeyValuePair<string, string>> form =
        [
            new("RoleArn", role.RoleArn),
            new("RoleSessionName", role.SessionName),
            new("DurationSeconds", RoleAssumer.Session),
        ];
        if (role.ExternalId is { } externalId)
            form.Add(new("ExternalId", externalId));
        var query = RpcSigner.Query(
            [new("Action", RoleAssumer.Step), new("Format", "JSON"), new("Version", "2015-04-01")],
            form,
            basis,
            now,
            nonce()
        );
        var target = string.Join(
            '&',
            query.Select(q => $"{Uri.EscapeDataString(q.Key)}={Uri.EscapeDataString(q.Value)}")
        );
        return new HttpRequestMessage(HttpMethod.Post, new Uri(Endpoint, "/?" + target))
        {
            Content = new FormUrlEncodedContent(form),
        };
    }

    public override AnswerFields Read(string body) => AnswerFields.OfJson(body);

    public override bool RejectsKey(string code) =>
        code is "SignatureDoesNotMatch" or OfKey or OfToken
        || code.StartsWith(OfKey + ".", StringComparison.Ordinal)
        || code.StartsWith(OfToken + ".", StringComparison.Ordinal);
}
