using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class BucketEncryptionApiTests
{
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_message_that_repeats_the_token_is_not_passed_on(string vendor)
    {
        var key = Dialects.Temporary with { SecurityToken = "a-longer-token" };
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(
                403,
                $"<Error><Code>AccessDenied</Code><Message>{key.SecurityToken} may not</Message></Error>"
            )
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            Api(vendor).GetAsync(At(server), key, CancellationToken.None)
        );

        Assert.Equal(("AccessDenied", null), (thrown.Failure.Code, thrown.Failure.Message));
    }

    /// <summary>
    /// Real tokens are longer than any text that is kept: what is left of one in a text that was cut is a part of it.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task No_text_of_a_failure_repeats_the_key_whatever_the_endpoint_says(string vendor)
    {
        var key = new AccessKey(
            "AKIA-an-id",
            "a/secret+that-nobody/may=see",
            string.Concat(Enumerable.Range(1000, 200))
        );
        foreach (var said in new[] { key.Id, key.Secret, key.SecurityToken!, key.SecurityToken![100..] })
        {
            foreach (
                var body in new[]
                {
                    $"<Error><Code>AccessDenied</Code><Message>you said {said}, no</Message></Error>",
                    $"<Error><Code>{said}</Code></Error>",
                    $"<Error><Code>AccessDenied</Code><RequestId>{said}</RequestId><EC>{said}</EC></Error>",
                    "<Error><Code>PermanentRedirect</Code>"
                        + $"<Endpoint>{said[..Math.Min(said.Length, 60)].Replace("/", "", StringComparison.Ordinal)}"
                        + "</Endpoint></Error>",
                    "<Error><Code>AuthorizationHeaderMalformed</Code>"
                        + $"<Region>{said[..Math.Min(said.Length, 60)]}</Region></Error>",
                    "",
                }
            )
            {
                var header = $"{said[..Math.Min(said.Length, 500)]}";
                await using var server = new ScriptedServer(_ =>
                    ScriptedServer.Answer(
                        403,
                        body,
                        $"x-oss-request-id: {header}",
                        $"x-amz-request-id: {header}",
                        $"x-obs-request-id: {header}",
                        $"x-oss-ec: {header}",
                        $"x-amz-bucket-region: {header}"
                    )
                );

                var thrown = await Assert.ThrowsAsync<VendorException>(() =>
                    Api(vendor).GetAsync(At(server), key, CancellationToken.None)
                );

                AssertSaysNothing(key, thrown);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task An_answer_that_repeats_the_secrets_is_not_taken_for_what_a_bucket_has(string vendor)
    {
        var key = Dialects.Temporary;
        var bodies = SpellingsOf(key.SecurityToken ?? "")
            .Select(token =>
                Dialects.Document(
                    vendor,
                    $"<KMSMasterKeyID>{token}</KMSMasterKeyID><SSEAlgorithm>{Dialects.Kms(vendor)}</SSEAlgorithm>"
                )
            );
        string[] kept =
        [
            .. SpellingsOf(key.SecurityToken ?? "")
                .Take(2)
                .SelectMany(t => new[] { $"<Future x=\"{t}\"/>", $"<Future xmlns:x=\"{t}\" x:y=\"\"/>" }),
            string.Join("<KMSFuture/>", key.SecurityToken?.Chunk(5).Select(c => new string(c)) ?? []),
        ];
        bodies = bodies.Concat(
            kept.Select(k => Dialects.Document(vendor, $"<SSEAlgorithm>{Dialects.Kms(vendor)}</SSEAlgorithm>{k}"))
        );
        foreach (var answer in bodies.Append("not a document"))
        {
            await using var server = new ScriptedServer(_ =>
                ScriptedServer.Answer(
                    200,
                    answer,
                    $"x-oss-request-id: {key.Secret}",
                    $"x-amz-request-id: {key.Secret}",
                    $"x-obs-request-id: {key.Secret}"
                )
            );

            var thrown = await Assert.ThrowsAsync<VendorException>(() =>
                Api(vendor).GetAsync(At(server), key, CancellationToken.None)
            );

            Assert.Equal((FailureKind.Transient, "UnreadableAnswer"), (thrown.Failure.Kind, thrown.Failure.Code));
            AssertSaysNothing(key, thrown);
        }
    }

    /// <summary>What a reader of XML takes for the same text.</summary>
    internal static IEnumerable<string> SpellingsOf(string text)
    {
        yield return text;
        yield return string.Concat(text.Select(c => $"&#{(int)c};"));
        yield return string.Join("<!-- -->", text.Chunk(5).Select(c => new string(c)));
        yield return string.Concat(text.Chunk(5).Select(c => $"<![CDATA[{new string(c)}]]>"));
        yield return string.Concat(text.Chunk(5).Select(c => $"<a>{new string(c)}</a>"));
    }

    private static void AssertSaysNothing(AccessKey key, VendorException thrown)
    {
        var text = $"{thrown} {thrown.Failure}";
        Assert.DoesNotContain(key.Id, text, StringComparison.Ordinal);
        foreach (var hidden in new[] { key.Secret, key.SecurityToken! })
        {
            for (var i = 0; i + 16 <= hidden.Length; i++)
                Assert.DoesNotContain(hidden.Substring(i, 16), text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_failure_never_holds_key_or_token(string vendor)
    {
        await using var server = new ScriptedServer(r =>
            ScriptedServer.Answer(
                403,
                "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><StringToSign>"
                    + r.Replace("&", "", StringComparison.Ordinal)
                    + "</StringToSign></Error>"
            )
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            Api(vendor).GetAsync(At(server), Dialects.Temporary, CancellationToken.None)
        );

        var text = thrown + thrown.Failure.ToString();
        Assert.DoesNotContain("nobody-may-see", text, StringComparison.Ordinal);
        Assert.DoesNotContain("STS.key", text, StringComparison.Ordinal);
    }
}
