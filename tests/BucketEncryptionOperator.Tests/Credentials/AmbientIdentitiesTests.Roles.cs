using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Tests.Fakes;
using k8s.Models;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class AmbientIdentitiesTests
{
    private const string PodKeys = """
        {"AccessKeyId": "ASIAid", "SecretAccessKey": "hush-secret", "Token": "hush-sts", "AccountId": "123456789012",
        "Expiration": "2026-01-01T01:00:00Z"}
        """;

    [Fact]
    public async Task A_pod_identity_sends_the_raw_token_to_the_agent_and_reads_the_key()
    {
        _script = _ => ScriptedServer.Answer(200, PodKeys);

        var (key, lasts) = await FetchAsync(Pod);

        var request = Assert.Single(_server.Requests);
        Assert.StartsWith("GET /v1/credentials HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains("\r\nAuthorization: hush-token\r\n", request, StringComparison.Ordinal);
        Assert.Equal(
            ("ASIAid", "hush-secret", "hush-sts", "pod-identity", AlmostAnHour),
            (key.Id, key.Secret, key.SecurityToken, key.Principal, lasts)
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://agent.example.com/v1/credentials")]
    [InlineData("http://169.254.169.254/v1/credentials")]
    [InlineData("http://10.0.0.1/v1/credentials")]
    [InlineData("ftp://127.0.0.1/v1/credentials")]
    [InlineData("http://user@127.0.0.1/v1/credentials")]
    [InlineData("/v1/credentials")]
    public async Task The_token_of_the_pod_goes_in_clear_to_the_node_only(string address)
    {
        _environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = address;

        Assert.Equal("PodIdentityNotSetUp", (await FailAsync(Pod)).Code);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task A_service_account_gets_a_short_session_of_its_role()
    {
        _script = r => ScriptedServer.Answer(200, r.Contains("OIDC", StringComparison.Ordinal) ? OssKeys : IamKeys);

        var iam = await FetchAsync(Account);
        var ram = await FetchAsync(RamAccount);

        Assert.Equal((IamRole, RamRole), (iam.Key.Principal, ram.Key.Principal));
        Assert.EndsWith(
            $"&RoleSessionName=oss%40team&WebIdentityToken={TokenFor("sts.amazonaws.com")}&DurationSeconds=900",
            _server.Requests.First(),
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            $"&OIDCToken={TokenFor("sts.aliyuncs.com")}&RoleSessionName=oss%40team&DurationSeconds=900",
            _server.Requests.Last(),
            StringComparison.Ordinal
        );
    }

    /// <summary>The account, and its consent, are looked at with each renewal.</summary>
    [Fact]
    public async Task A_service_that_gives_a_longer_session_does_not_put_off_the_next_look_at_the_account()
    {
        _script = r => ScriptedServer.Answer(200, r.Contains("OIDC", StringComparison.Ordinal) ? OssKeys : IamKeys);

        var (iam, ram) = (await FetchAsync(Account), await FetchAsync(RamAccount));

        Assert.Equal((TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(15)), (iam.Lasts, ram.Lasts));
    }

    [Theory]
    [InlineData("no annotation", null)]
    [InlineData("an empty one", "")]
    [InlineData("of another store", "archive")]
    [InlineData("of stores whose names contain it", "oss-2,my-oss")]
    [InlineData("in capitals", "OSS")]
    [InlineData("of all, which is no word here", "*")]
    public async Task An_account_that_does_not_name_the_store_is_not_used(string sentence, string? stores)
    {
        _account = stores is null ? new V1ServiceAccount { Metadata = new V1ObjectMeta() } : Offering(stores);

        var failure = await FailAsync(Account);

        Assert.True(("ReadServiceAccount", "ServiceAccountNotOffered") == (failure.Operation, failure.Code), sentence);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task A_role_is_asked_for_with_the_key_of_who_assumes_it()
    {
        _script = _ => ScriptedServer.Answer(200, IamKeys.Replace("WithWebIdentity", "", StringComparison.Ordinal));

        var (key, lasts) = await FetchAsync(
            Assumed with
            {
                ExternalId = "team/oss",
                Tags = SessionTags.Of([new("team", "a b"), new("stage", "live")]),
            }
        );

        var request = Assert.Single(_server.Requests);
        Assert.StartsWith("POST / HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains(
            "Authorization: AWS4-HMAC-SHA256 Credential=basis-id/20260101/eu-west-1/sts/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=",
            request,
            StringComparison.OrdinalIgnoreCase
        );
        Assert.EndsWith(
            "\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr"
                + "&RoleSessionName=oss%40team&DurationSeconds=3600&ExternalId=team%2Foss"
                + "&Tags.member.1.Key=stage&Tags.member.1.Value=live"
                + "&Tags.member.2.Key=team&Tags.member.2.Value=a%20b",
            request,
            StringComparison.Ordinal
        );
        Assert.Equal(
            ("ASIAid", "hush-secret", "hush-sts", IamRole, AlmostAnHour),
            (key.Id, key.Secret, key.SecurityToken, key.Principal, lasts)
        );
    }

    [Fact]
    public async Task A_RAM_role_is_asked_for_in_a_form_and_signed_in_the_query()
    {
        _script = _ => ScriptedServer.Answer(200, OssKeys);

        var (key, _) = await FetchAsync(RamAssumed with { ExternalId = "team/oss" });

        var request = Assert.Single(_server.Requests);
        Assert.StartsWith(
            "POST /?AccessKeyId=basis-id&Action=AssumeRole&Format=JSON&SignatureMethod=HMAC-SHA1"
                + "&SignatureNonce=nonce-1&SignatureVersion=1.0&Timestamp=2026-01-01T00%3A00%3A00Z&Version=2015-04-01"
                + "&SecurityToken=hush-basis-token&Signature=",
            request,
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "\r\n\r\nRoleArn=acs%3Aram%3A%3A123%3Arole%2Fr&RoleSessionName=oss%40team&DurationSeconds=3600"
                + "&ExternalId=team%2Foss",
            request,
            StringComparison.Ordinal
        );
        Assert.Equal((RamRole, "STS.id"), (key.Principal, key.Id));
    }

    /// <summary>A key that is not good costs one call, whatever roles it should assume.</summary>
    [Theory]
    [InlineData("InvalidClientTokenId", 1)]
    [InlineData("SignatureDoesNotMatch", 1)]
    [InlineData("ExpiredTokenException", 1)]
    [InlineData("AccessDenied", 2)]
    public async Task A_rejected_key_is_not_tried_for_the_next_role(string code, int requests)
    {
        _script = Json(403, Refusal(code));

        await FailAsync(Assumed);
        var second = await FailAsync(Assumed with { RoleArn = IamRole + "-2" });

        Assert.Equal((code, requests), (second.Code, _server.Requests.Count));
        Assert.Equal(requests == 1, _breakers.IsRejected(Basis));
    }

    /// <summary>AWS says of a request that is late what it says of a wrong secret.</summary>
    [Fact]
    public async Task A_wrong_clock_of_the_node_rejects_no_key_and_the_next_request_is_in_time()
    {
        _time.ShiftWallClock(TimeSpan.FromHours(1));
        _script = _ =>
            ScriptedServer.Answer(403, Refusal("SignatureDoesNotMatch"), "Date: Thu, 01 Jan 2026 00:00:00 GMT");

        var failure = await FailAsync(Assumed);
        _script = _ => ScriptedServer.Answer(200, IamKeys, "Date: Thu, 01 Jan 2026 00:00:00 GMT");
        await FetchAsync(Assumed);

        Assert.True(failure.PassesByItself);
        Assert.False(_breakers.IsRejected(Basis));
        Assert.Contains("x-amz-date: 20260101T000000Z", _server.Requests.Last(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>No service decides for how long signatures are valid, nor stops the operator from signing.</summary>
    [Theory]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("Thu, 08 Jan 2026 00:00:00 GMT")]
    [InlineData("Mon, 01 Jan 0001 00:00:00 GMT")]
    public async Task A_service_that_gives_a_time_of_another_day_is_not_followed(string date)
    {
        _script = _ => ScriptedServer.Answer(403, Refusal("AccessDenied"), $"Date: {date}");
        await FailAsync(Assumed);
        _time.Advance(TimeSpan.FromSeconds(2));

        await FailAsync(Assumed);

        Assert.Contains("x-amz-date: 20260101T000002Z", _server.Requests.Last(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The id and the token are sent in clear: a service can repeat them in any text of its answer.</summary>
    [Theory]
    [InlineData("in its message", "AccessDenied", "basis-id is refused", "r-1")]
    [InlineData("in a message about the key", "InvalidAccessKeyId.NotFound", "basis-id is refused", "r-1")]
    [InlineData("in its code", "InvalidAccessKeyId.basis-id", "no", "r-1")]
    [InlineData("in the id of the request", "InvalidAccessKeyId.NotFound", "no", "basis-id")]
    [InlineData("the token in the id of the request", "InvalidAccessKeyId.NotFound", "no", "hush-basis-token")]
    public async Task A_service_that_repeats_the_key_is_not_repeated_now_nor_to_the_next_caller(
        string sentence,
        string code,
        string message,
        string request
    )
    {
        _script = Json(403, $$"""{"Code": "{{code}}", "Message": "{{message}}", "RequestId": "{{request}}"}""");

        foreach (var role in (AssumedRole[])[RamAssumed, RamAssumed with { RoleArn = RamRole + "-2" }])
        {
            var thrown = await Assert.ThrowsAsync<KeySourceException>(() => FetchAsync(role).Within());
            var text = $"{thrown} {thrown.Failure} {thrown.Said}";
            Assert.False(
                text.Contains("basis-id", StringComparison.Ordinal) || text.Contains("hush", StringComparison.Ordinal),
                $"{sentence}: {text}"
            );
        }
    }
}
