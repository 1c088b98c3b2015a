using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.TokenServices;

/// <summary>AWS's token service: a form of version 2011-06-15, with signature version 4 of the service sts.</summary>
internal sealed class QueryTokenService(AwsTokenEndpoint endpoint) : TokenService(endpoint.Address)
{
    private const string Form = "application/x-www-form-urlencoded";

    private static readonly SigV4Scheme Scheme = new("sts");

    private static readonly HashSet<string> KeyCodes = new(StringComparer.Ordinal)
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    };

    public override (string Id, string Secret, string Token) KeyNames =>
        ("AccessKeyId", "SecretAccessKey", "SessionToken");

    public override HttpRequestMessage Sign(AssumedRole role, AccessKey basis, DateTimeOffset now)
    {
        List<KeyValuePair<string, string>> form =
        [
            new("Action", RoleAssumer.Step),
            new("Version", "2011-06-15"),
            new("RoleArn", role.RoleArn),
            new("RoleSessionName", role.SessionName),
            new("DurationSeconds", RoleAssumer.Session),
        ];
        if (role.ExternalId is { } externalId)
            form.Add(new("ExternalId", externalId));
        for (var i = 0; i < role.Tags.Pairs.Length; i++)
        {
            var member = string.Create(CultureInfo.InvariantCulture, $"Tags.member.{i + 1}");
            form.Add(new(member + ".Key", role.Tags.Pairs[i].Key));
            form.Add(new(member + ".Value", role.Tags.Pairs[i].Value));
        }
        var body = Encoding.UTF8.GetBytes(
            string.Join('&', form.Select(f => $"{Uri.EscapeDataString(f.Key)}={Uri.EscapeDataString(f.Value)}"))
        );
        var date = SigV4Signer.FormatDate(now);
        List<KeyValuePair<string, string>> headers = [new(SigV4Signer.DateHeader, date)];
        if (basis.SecurityToken is { } token)
            headers.Add(new(SigV4Signer.TokenHeader, token));
        var input = new SigV4Input(
            "POST",
            "/",
            [],
            [.. headers, new("content-type", Form), new("host", Endpoint.Authority)],
            SigV4Signer.HashOf(body)
        );
        var request = new HttpRequestMessage(HttpMethod.Post, Endpoint) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Form);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            SigV4Signer.Authorize(input, basis, date, endpoint.Region, Scheme)
        );
        return request;
    }

    public override AnswerFields Read(string body) => AnswerFields.OfXml(body);

    public override bool RejectsKey(string code) => KeyCodes.Contains(code);
}
