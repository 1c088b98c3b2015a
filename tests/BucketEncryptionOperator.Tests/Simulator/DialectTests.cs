using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Tests.Fakes;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// What holds for every dialect: who may use whom, and that nothing that a client sends is too odd for it.
/// </summary>
public sealed partial class DialectTests(ITestOutputHelper output)
{
    private const string Root = "tests/ObjectStoreSimulator";

    private static readonly string[] Dialects = ["Alibaba", "Huawei", "JDCloud", "S3"];

    private static readonly string[] Snippets =
    [
        "OSS ak:",
        "OSS4-HMAC-SHA256 ",
        "OBS ak:",
        "AWS ak:",
        "AWS4-HMAC-SHA256 ",
        "Credential=ak/20261121/",
        "/s3/aws4_request",
        "SignedHeaders=",
        "Signature=",
        ",",
        ";",
        "=",
        "/",
        "?",
        "&",
        "%",
        "%zz",
        "encryption",
        "b-one",
        ".oss-",
        ".obs.",
        ".s3.",
        "cn-north-1",
        ".aliyuncs.com",
        ".amazonaws.com",
        ":",
        "[::1]",
        "127.0.0.1",
        "Sat, 21 Nov 2026 01:47:57 GMT",
        "20261121T014757Z",
        "\u00e9",
        " ",
        "<ServerSideEncryptionConfiguration>",
        "<Rule>",
        "<ApplyServerSideEncryptionByDefault>",
        "<SSEAlgorithm>",
        "aws:kms",
        "</",
        ">",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "&b;",
        "<![CDATA[",
        "\0",
    ];

    public static TheoryData<string> AllVendors => new(Enum.GetNames<Vendor>());

    [Fact]
    public void No_dialect_uses_another_and_what_they_share_uses_none()
    {
        string[] wrong =
        [
            .. from folder in Dialects.Concat(["Wire", "SigV4", "State", "Admin"])
            from file in Directory.GetFiles(Path.Combine(Repository.Root, Root, folder), "*.cs")
            from Match use in Use().Matches(File.ReadAllText(file))
            let used = use.Groups["folder"].Value
            where used != folder && Dialects.Contains(used)
            select $"{file}: {use.Value}",
        ];

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_simulator_shares_no_code_with_the_operator() =>
        Assert.DoesNotContain(
            "ProjectReference",
            File.ReadAllText(Path.Combine(Repository.Root, Root, "ObjectStoreSimulator.csproj")),
            StringComparison.Ordinal
        );

    [Theory]
    [MemberData(nameof(AllVendors))]
    public void Nonsense_is_refused_in_the_vendors_words_and_changes_nothing(string vendor)
    {
        Random random = RandomSeed.NewRandom(output.WriteLine);
        World world = new(
            new ManualTimeProvider(new DateTimeOffset(2026, 11, 21, 1, 47, 57, TimeSpan.Zero)),
            recordedRequests: 1
        );
        world.Accounts.Set("ak", new Account { Secret = "sk" });
        world.Buckets.Create("b-one", new BucketSettings());
        IDialect dialect = Enum.Parse<Vendor>(vendor).Speak(world);

        for (int i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            StoreRequest request = Nonsense(random);
            StoreCall call = dialect.Read(request);
            StoreAnswer answer = dialect.Answer(call);

            Assert.True(
                answer.ErrorCode is not null || call.Operation == Operations.ApiVersion,
                $"{vendor}, case {i}: {request}"
            );
            Assert.InRange(answer.Status, 300, 599);
        }

        Assert.Null(world.Buckets.StoredEncryption("b-one"));
    }

    [Fact]
    public void Any_body_is_read_as_a_document_that_can_be_stored_or_as_none()
    {
        Random random = RandomSeed.NewRandom(output.WriteLine);
        byte[] right = Encoding.UTF8.GetBytes(
            StoreTestClient.Configuration("aws:kms", "<KMSMasterKeyID>key</KMSMasterKeyID>")
        );

        for (int i = 0; i < RandomSeed.Cases(50_000); i++)
        {
            byte[] body = i % 2 == 0 ? Encoding.UTF8.GetBytes(Text(random)) : [.. right];
            for (int changes = random.Next(1, 4); changes > 0 && body.Length > 0; changes--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            EncryptionDocument? document = EncryptionDocument.Read(body.AsMemory(0, random.Next(body.Length + 1)));

            Assert.True(
                document is null
                    || StoreXml.Parse(
                        Encoding.UTF8.GetBytes(
                            document.Stored(
                                "",
                                [EncryptionDocument.Apply, EncryptionDocument.Algorithm],
                                keepUnknown: true
                            )
                        )
                    )
                        is not null
            );
        }
    }

    private static StoreRequest Nonsense(Random random)
    {
        ImmutableSortedDictionary<string, string> headers = ImmutableSortedDictionary<
            string,
            string
        >.Empty.WithComparers(StringComparer.Ordinal);
        foreach (
            string name in (ReadOnlySpan<string>)
                [
                    "authorization",
                    "date",
                    "x-oss-date",
                    "x-obs-date",
                    "x-amz-date",
                    "content-md5",
                    "x-amz-content-sha256",
                    "x-amz-security-token",
                ]
        )
        {
            headers = random.Next(2) == 0 ? headers : headers.Add(name, Text(random));
        }

        string method = new[] { "GET", "PUT", "DELETE", "POST" }[random.Next(4)];
        string target = random.Next(3) == 0 ? Text(random) : "/b-one/?encryption" + Text(random);
        return new StoreRequest(
            method,
            random.Next(3) == 0 ? Text(random) : "127.0.0.1",
            target,
            headers,
            Encoding.UTF8.GetBytes(Text(random)),
            BodyTooLarge: random.Next(9) == 0
        );
    }

    private static string Text(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => Snippets[random.Next(Snippets.Length)]));

    [GeneratedRegex(
        @"ObjectStoreSimulator\.(?<folder>[A-Za-z0-9]+)",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Use();
}
