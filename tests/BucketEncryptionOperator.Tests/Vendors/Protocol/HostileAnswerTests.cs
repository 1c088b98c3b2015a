using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

/// <summary>
/// Whatever a store, or somebody in its place, sends: a value or the one declared exception, and little memory.
/// </summary>
public sealed partial class HostileAnswerTests(ITestOutputHelper output)
{
    private const int Cases = 100_000;

    /// <summary>Of an endless answer: 64 KiB, and what sockets keep in store.</summary>
    private const long MaxTaken = 32 * 1024 * 1024;

    /// <summary>Of the whole process, tests beside this one included; an answer announces twice as much.</summary>
    private const long MaxAllocated = 512 * 1024 * 1024;

    private static readonly string[] Scraps =
    [
        "<",
        ">",
        "&",
        "\"",
        "{",
        "}",
        "\\u",
        "\\uD800",
        " xmlns=\"\"",
        " xmlns:a=\"urn:a\"",
        " a:b=\"c\"",
        " xml:space=\"x\"",
        " xmlns:xml=\"y\"",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?p i?>",
        "&#0;",
        "&#xD800;",
        "&#x1F600;",
        "&lt;",
        "&x;",
        "<!DOCTYPE a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">",
        "\0",
        "\uFFFE",
        "<Rule/>",
        "<a><b><c>",
        "</Rule>",
        "<Error>",
    ];

    /// <summary>A billion laughs, an entity from outside, and depth without end.</summary>
    private static readonly string[] Bombs =
    [
        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
            + "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><Error><Code>&c;</Code></Error>",
        "<!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Error><Code>&a;</Code></Error>",
        string.Concat(Enumerable.Repeat("<a>", 9_000)) + string.Concat(Enumerable.Repeat("</a>", 9_000)),
        string.Concat(Enumerable.Repeat("<Error>", 4_000)) + string.Concat(Enumerable.Repeat("</Error>", 4_000)),
        string.Concat(Enumerable.Repeat("{\"Error\":", 7_000)) + string.Concat(Enumerable.Repeat("}", 7_000)),
        string.Concat(Enumerable.Repeat("[", 60_000)),
        "<a " + string.Concat(Enumerable.Range(0, 5_000).Select(i => $"a{i}=\"\" ")) + "/>",
    ];

    private static readonly string[] AccountSeeds =
    [
        "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets><Bucket><Name>b-one</Name><Region>cn-north-1"
            + "</Region><Location>oss-x</Location><BucketRegion>x</BucketRegion></Bucket></Buckets><IsTruncated>false"
            + "</IsTruncated></ListAllMyBucketsResult>",
        "<ListAllMyBucketsResult><Buckets/><IsTruncated>true</IsTruncated><NextMarker>m</NextMarker>"
            + "<ContinuationToken>&amp;</ContinuationToken></ListAllMyBucketsResult>",
        "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>",
        "<LocationConstraint>EU</LocationConstraint>",
        "<Location>cn-north-1</Location>",
        ErrorTableTests.Error("NoSuchTagSet"),
        "<html><body>Welcome</body></html>",
    ];

    public static TheoryData<string> Vendors => Dialects.Names;

    [GeneratedRegex("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?\\z")]
    internal static partial Regex Reason();

    /// <summary>
    /// A document reads as a value or as nothing; what can be read can be written, and what was written is XML that
    /// says so.
    /// </summary>
    [Fact]
    public void No_document_whatever_throws()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var documents = Dialects.All.Values.Select(d => d.Document).ToArray();
        string[] seeds = [.. Dialects.All.Keys.SelectMany(Seeds)];
        BucketEncryption target = new BucketEncryption.Kms("k-2", DataCipher.Aes256);

        for (var i = 0; i < RandomSeed.Cases(Cases); i++)
        {
            var (document, text) = (documents[i % documents.Length], Spoil(random, Pick(random, seeds)));

            var thrown = Record.Exception(() =>
            {
                if (document.Read(text) is null)
                    return;
                var written = document.Write(target, text);
                new XmlDocument().LoadXml(written);
                Assert.True(document.Read(written) is BucketEncryption.Kms { KeyId: "k-2" });
            });

            Assert.True(thrown is null, $"case {i}: {thrown}\n{text}");
        }
    }

    /// <summary>
    /// Every error answer becomes a failure with bounded words and a reason that an API server takes.
    /// </summary>
    [Fact]
    public void No_error_answer_whatever_throws_or_gives_an_illegal_reason()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var tables = Dialects.All.Values.Select(d => d.Errors).ToArray();
        string[] seeds =
        [
            ErrorTableTests.Error("AccessDenied"),
            ErrorTableTests.Error("KMS.NotFoundException"),
            "<Error><Code>PermanentRedirect</Code><Endpoint>a.example</Endpoint><Region>eu-west-3</Region>"
                + "<EC>0002-1</EC></Error>",
            """{"Error": {"Code": "AccessDenied", "Message": "m", "RequestId": "r"}}""",
            """{"code": "x", "message": "\uD83D\uDE00"}""",
            "{\"code\": \"x\", \"message\": \"\uD836\"}",
        ];

        for (var i = 0; i < RandomSeed.Cases(Cases); i++)
        {
            var body = Spoil(random, Pick(random, seeds));
            var header =
                random.Next(2) == 0 ? Convert.ToBase64String(Encoding.UTF8.GetBytes(body)) : "=" + random.Next();
            var answer = ErrorTableTests.Answer(
                random.Next(300, 600),
                random.Next(2) == 0 ? body : "",
                ("x-oss-err", header),
                ("x-amz-bucket-region", body.ReplaceLineEndings(" "))
            );

            var failure = tables[i % tables.Length].Read(answer, new AnswerContext(AnswerContext.Get));

            Assert.True(
                failure is { Code.Length: > 0 and <= 128, Hint.Length: > 0 and <= 1024 }
                    && failure.Message is null or { Length: <= 256 }
                    && Reason().IsMatch(PolicyVerdict.ToReason(failure.Code, failure.HttpStatus)),
                $"case {i}: {failure.Code}\n{body}"
            );
        }
    }

    /// <summary>
    /// Bytes over the wire, as a body and as a whole answer: a value, or a <see cref="VendorException"/>.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task No_bytes_over_the_wire_throw_anything_else(string vendor)
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var time = new ManualTimeProvider(Dialects.Now);
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), time);
        string[] seeds = [.. Seeds(vendor), ErrorTableTests.Error("RequestTimeTooSkewed")];
        await using var server = new ScriptedServer(_ =>
        {
            lock (random)
            {
                var body = Spoil(random, Pick(random, seeds));
                var whole = (
                    (Reply.Bytes)
                        ScriptedServer.Answer(
                            random.Next(200, 600),
                            body,
                            $"Date: {Dialects.Now.AddHours(random.Next(-30, 30)):R}"
                        )
                ).Text;
                return new Reply.Bytes(random.Next(4) == 0 ? Spoil(random, whole) : whole);
            }
        });
        var address = new BucketAddress(
            "finance-archive",
            server.Address,
            "cn-north-1",
            Addressing.CName,
            VendorOptions.None
        );

        for (var i = 0; i < RandomSeed.Cases(2_000); i++)
        {
            // The clock stands still: what is asked to go slower once would wait forever
            using var limits = new VendorLimits(time);
            var api = new VendorServices(http, new ServerClocks(time), limits).Connect(Dialects.All[vendor]);
            var thrown = await Record.ExceptionAsync(() => api.GetAsync(address, Dialects.Key, CancellationToken.None));

            Assert.True(thrown is null or VendorException, $"case {i}: {thrown}");
        }
    }

    /// <summary>
    /// Lists and tags: a value, or a <see cref="VendorException"/>.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task No_bytes_about_an_account_throw_anything_else(string vendor)
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var time = new ManualTimeProvider(Dialects.Now);
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), time);
        await using var server = new ScriptedServer(_ =>
        {
            lock (random)
                return ScriptedServer.Answer(random.Next(200, 600), Spoil(random, Pick(random, AccountSeeds)));
        });
        var store = new StoreAddress(server.Address, "cn-north-1", Addressing.Path, VendorOptions.None);

        for (var i = 0; i < RandomSeed.Cases(2_000); i++)
        {
            // The clock stands still: what is asked to go slower once would wait forever
            using var limits = new VendorLimits(time);
            var api = new VendorServices(http, new ServerClocks(time), limits).ConnectAccount(Dialects.All[vendor]);
            var bucket = store.Bucket("finance-archive");
            var thrown = await Record.ExceptionAsync(() =>
                (i % 3) switch
                {
                    0 => api.ListBucketsAsync(store, Dialects.Key, CancellationToken.None),
                    1 => api.LocateAsync(bucket, Dialects.Key, CancellationToken.None),
                    _ => api.GetTagsAsync(bucket, Dialects.Key, CancellationToken.None),
                }
            );

            Assert.True(thrown is null or VendorException, $"case {i}: {thrown}");
        }
    }

    [Theory]
    [InlineData(
        "a gigabyte declared, and some of it sent",
        "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        true
    )]
    [InlineData(
        "a gigabyte declared, and nothing sent",
        "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        false
    )]
    [InlineData("no length, and no end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", true)]
    [InlineData("one chunk of a gigabyte", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n", true)]
    [InlineData("a header without end", "HTTP/1.1 200 OK\r\nx-oss-err: ", true)]
    [InlineData("an error without end", "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n<Error><Code>", true)]
    public async Task An_answer_without_end_takes_little_memory(string sentence, string head, bool endless)
    {
        var time = new ManualTimeProvider(Dialects.Now);
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), time);
        using var limits = new VendorLimits(time);
        var api = new VendorServices(http, new ServerClocks(time), limits).Connect(Dialects.All["s3"]);
        await using var server = new ScriptedServer(_ => endless ? new Reply.Endless(head) : new Reply.Bytes(head));
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var thrown = await Record.ExceptionAsync(() =>
            api.GetAsync(
                new BucketAddress(
                    "finance-archive",
                    server.Address,
                    "cn-north-1",
                    Addressing.CName,
                    VendorOptions.None
                ),
                Dialects.Key,
                CancellationToken.None
            )
        );

        Assert.True(
            thrown
                is VendorException
                {
                    Failure: { Kind: FailureKind.Transient, Code: "AnswerTooLarge" or "BrokenAnswer" }
                },
            $"{sentence}: {thrown}"
        );
        Assert.True(server.EndlessBytes < MaxTaken, $"{sentence}: {server.EndlessBytes} bytes taken");
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < MaxAllocated, sentence);
    }

    private static IEnumerable<string> Seeds(string vendor) =>
        [
            Dialects.Document(vendor, "<SSEAlgorithm>AES256</SSEAlgorithm>"),
            Dialects.Document(
                vendor,
                $"<SSEAlgorithm>{Dialects.Kms(vendor)}</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>"
                    + "<KMSDataEncryption>SM4</KMSDataEncryption><ProjectID>p</ProjectID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            Dialects.Document(
                vendor,
                "<SSEAlgorithm>new</SSEAlgorithm><a:New xmlns:a=\"urn:a\" a:x=\"1\"><Deep>&#x1F600;</Deep></a:New>",
                "<BlockedEncryptionTypes/>"
            ),
            ErrorTableTests.Error("NoSuchBucket"),
            "<html><body>Welcome</body></html>",
        ];

    /// <summary>Bombs are large, and a few go a long way.</summary>
    private static string Pick(Random random, string[] seeds) =>
        random.Next(200) == 0 ? Bombs[random.Next(Bombs.Length)] : seeds[random.Next(seeds.Length)];

    /// <summary>Some scraps in, some letters out, an end cut off; or nothing but random bytes.</summary>
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
