using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>Answers of something that is not the key service, or that means ill.</summary>
public sealed partial class KeyServiceApiTests
{
    /// <summary>Of an endless answer: 64 KiB, and what sockets keep in store.</summary>
    private const long MaxTaken = 32 * 1024 * 1024;

    private static readonly string[] Scraps =
    [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "null",
        "\\uD800",
        "\\u0000",
        "1e999",
        "-0",
        "\uFEFF",
        "<Error><Code>",
        "\"KeyState\":\"Enabled\"",
        "\0",
    ];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Nothing_but_the_services_own_answer_says_anything(string service)
    {
        var sample = KeyServices.All[service];
        var good = sample.Answer(sample.Enabled);
        (string Sentence, int Status, string Body)[] bad =
        [
            ("nothing", 200, ""),
            ("blanks", 200, " \n"),
            ("a page of a gateway", 200, "<html><body>Welcome</body></html>"),
            ("a page of a proxy", 502, "<html><body>Bad gateway</body></html>"),
            ("no object", 200, "[]"),
            ("a text", 200, "\"Enabled\""),
            ("an object with nothing", 200, "{}"),
            ("an object of somebody else", 200, "{\"status\": \"ok\", \"Enabled\": true}"),
            ("a description cut off", 200, good[..^3]),
            ("more after the end", 200, good + "{}"),
            ("a comment", 200, "/* */" + good),
            ("a member twice", 200, good.Replace("{", "{\"x\": 1, \"x\": 2, ", StringComparison.Ordinal)),
            ("a description in a redirect", 302, good),
            ("a description in an error", 500, good),
            ("an error with a good status", 200, sample.Error(sample.Denied.Code)),
            ("a denial without a refusal's status", 503, sample.Error(sample.Denied.Code)),
            ("an unknown code", 403, sample.Error("SomethingElse")),
            ("a gateway's denial", 403, "{\"message\": \"Forbidden\"}"),
            ("a gateway's denial with a code", 401, "{\"code\": \"Unauthorized\", \"error\": \"x\"}"),
            ("deep", 200, string.Concat(Enumerable.Repeat("{\"KeyMetadata\":", 4_000)) + new string('}', 4_000)),
            ("deep lists", 200, "{\"key_info\": " + new string('[', 30_000)),
        ];

        foreach (var (sentence, status, body) in bad)
        {
            Replies(status, sample, body);
            var failure = await FailureOfAsync(sample);

            Assert.True(
                failure is { Kind: FailureKind.Transient, Code: "KeyServiceFailed", IsVendorAnswer: false },
                $"{sentence}: {failure}"
            );
            Assert.Equal(status, failure.HttpStatus);
        }
    }

    [Theory]
    [InlineData("alibaba", "KeyState")]
    [InlineData("alibaba", "KeyId")]
    [InlineData("aws", "KeyState")]
    [InlineData("aws", "KeyId")]
    [InlineData("huawei", "key_state")]
    [InlineData("huawei", "key_id")]
    [InlineData("jdcloud", "keyStatus")]
    [InlineData("jdcloud", "keyId")]
    [InlineData("minio", "key-id")]
    [InlineData("minio", "encryption-error")]
    public async Task A_field_of_another_type_is_not_read(string service, string field)
    {
        var sample = KeyServices.All[service];
        var asText = service == "jdcloud" && field == "keyStatus";
        foreach (var value in new[] { "null", "true", "[]", "{}", "1.5", asText ? "\"0\"" : "0" })
        {
            Replies(200, sample, With(sample.Answer(sample.Enabled), $"\"{field}\": {value}"));

            Assert.Equal("KeyServiceFailed", (await FailureOfAsync(sample)).Code);
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task An_error_without_a_request_id_may_be_anybodys(string service)
    {
        if (service == "huawei") // its codes are like no others
            return;
        var sample = KeyServices.All[service];
        _replies.Enqueue(
            ScriptedServer.Answer(
                403,
                sample.Error(sample.Denied.Code).Replace("equestI", "equest-I", StringComparison.Ordinal)
            )
        );

        Assert.True((await FailureOfAsync(sample)) is { Code: "KeyServiceFailed", IsForeign: true });
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task A_gateway_that_asks_to_go_slower_is_obeyed(string service)
    {
        var sample = KeyServices.All[service];
        _replies.Enqueue(ScriptedServer.Answer(429, "slow", "Retry-After: 7"));

        var failure = await FailureOfAsync(sample);

        Assert.Equal(
            (FailureKind.Throttled, "KeyServiceFailed", TimeSpan.FromSeconds(7)),
            (failure.Kind, failure.Code, failure.RetryAfter)
        );
    }

    [Theory]
    [InlineData("a gigabyte declared", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")]
    [InlineData("no length, and no end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")]
    [InlineData("one chunk of a gigabyte", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n")]
    [InlineData("an error without end", "HTTP/1.1 400 Oops\r\nConnection: close\r\n\r\n{\"__type\": \"")]
    public async Task An_answer_without_end_is_cut_off(string sentence, string head)
    {
        foreach (var sample in KeyServices.All.Values)
        {
            _replies.Enqueue(new Reply.Endless(head));
            var failure = await FailureOfAsync(sample);

            Assert.True(
                failure is { Kind: FailureKind.Transient, Code: "AnswerTooLarge" or "BrokenAnswer" },
                $"{sentence}: {failure}"
            );
        }
        Assert.True(_server.EndlessBytes < MaxTaken, $"{sentence}: {_server.EndlessBytes} bytes taken");
    }

    /// <summary>Nobody waits for a key service as long as for an object store.</summary>
    [Fact]
    public async Task A_question_takes_five_seconds_at_most()
    {
        var sample = KeyServices.All["alibaba"];
        _replies.Enqueue(new Reply.Silence());
        var asked = FailureOfAsync(sample);
        await Waiting.UntilAsync(() => _server.Requests.Count == 1);

        _time.Advance(KeyServiceApi.MaxTime);

        Assert.Equal(("Timeout", FailureKind.Transient), ((await asked).Code, (await asked).Kind));
    }

    /// <summary>Bytes over the wire: a state, or a <see cref="VendorException"/>.</summary>
    [Theory]
    [MemberData(nameof(Services))]
    public async Task No_bytes_whatever_throw_anything_else(string service)
    {
        var random = RandomSeed.NewRandom(_output.WriteLine);
        var sample = KeyServices.All[service];
        string[] seeds = [sample.Answer(sample.Enabled), sample.Answer("3"), sample.Error(sample.Denied.Code)];

        for (var i = 0; i < RandomSeed.Cases(2_000); i++)
        {
            using var message = new HttpResponseMessage((System.Net.HttpStatusCode)random.Next(200, 600));
            foreach (var header in sample.Headers)
                message.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);
            var body = Spoil(random, seeds[random.Next(seeds.Length)]);
            var context = new AnswerContext(sample.Operation) { Now = Dialects.Now };

            var thrown = Record.Exception(() =>
            {
                var read = sample.Vendor.KeyService.Dialect.Read(
                    sample.Question,
                    new VendorResponse(message.StatusCode, body, message.Headers),
                    context
                );
                Assert.True((read.Health is null) != (read.Failure is null));
                Assert.True(read.Failure is null or { Hint.Length: > 0, Code.Length: > 0 });
            });

            Assert.True(thrown is null, $"case {i}: {thrown}\n{body}");
        }
    }

    /// <summary>
    /// The secret and the token are marked, and each text of every answer repeats them: none of them is passed on.
    /// </summary>
    [Theory]
    [MemberData(nameof(Services))]
    public async Task No_text_repeats_a_marked_secret_whatever_the_service_says(string service)
    {
        var sample = KeyServices.All[service];
        var key = new AccessKey("AKIA-an-id", "m4rkedSecretThatNobodyMaySee", "m4rkedTokenThatNobodyMaySee");
        string[] codes = [sample.Denied.Code, "SomethingElse", key.Secret];
        // An escape hides nothing from a reader of JSON
        var bodies = new[]
        {
            key.Secret,
            key.SecurityToken!,
            key.SecurityToken!.Replace("m4", "\\u006d4", StringComparison.Ordinal),
            string.Concat(key.SecurityToken!.Select(c => $"\\u{(int)c:x4}")),
        }
            .SelectMany(said =>
                codes
                    .Select(c =>
                        (403, sample.Error(c).Replace("\"m\"", $"\"{said} is no good\"", StringComparison.Ordinal))
                    )
                    .Append((403, sample.Error(sample.Denied.Code).Replace("r-1", said, StringComparison.Ordinal)))
                    .Append((200, sample.Answer(said)))
                    .Append((200, With(sample.Answer(sample.Enabled), $"\"KeyUsage\": \"{said}\"")))
                    .Append((200, With(sample.Answer(sample.Enabled), $"\"Arn\": \"arn:aws:kms:{said}:1:key/k\"")))
                    .Append((200, With(sample.Answer(sample.Enabled), $"\"encryption-error\": \"{said}\"")))
                    .Append((500, said))
            )
            .ToList();

        foreach (var (status, body) in bodies)
        {
            Replies(status, sample, body);
            KeyHealth? health = null;
            var thrown = await Record.ExceptionAsync(async () => health = await AskAsync(sample, key: key));
            var said = $"{health} {thrown} {(thrown as VendorException)?.Failure}";

            Assert.DoesNotContain("m4rked", said, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(
                Convert.ToBase64String(Encoding.UTF8.GetBytes("m4rked")),
                said,
                StringComparison.Ordinal
            );
            Assert.True(health is not null || thrown is VendorException, said);
        }
    }

    /// <summary>The token goes where the vendor wants it; the secret goes nowhere.</summary>
    [Theory]
    [MemberData(nameof(Services))]
    public async Task The_secret_is_in_no_request(string service)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(sample.Enabled));

        await AskAsync(sample, key: Dialects.Temporary);

        var request = Assert.Single(_server.Requests);
        Assert.DoesNotContain(Dialects.Temporary.Secret, request, StringComparison.Ordinal);
        Assert.Contains(Dialects.Temporary.SecurityToken!, request, StringComparison.Ordinal);
    }

    private static string Spoil(Random random, string text)
    {
        if (random.Next(8) == 0)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            text = Encoding.UTF8.GetString(bytes);
        }
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var at = random.Next(text.Length + 1);
            text = random.Next(5) switch
            {
                0 => text[..at],
                1 or 2 => text.Insert(at, Scraps[random.Next(Scraps.Length)]),
                3 => text.Insert(at, ((char)random.Next(1, 0x300)).ToString()),
                _ => text.Length == 0 ? text : text.Remove(at == text.Length ? at - 1 : at, 1),
            };
        }
        return text;
    }
}
