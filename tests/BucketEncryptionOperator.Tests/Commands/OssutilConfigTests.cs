using System.Text;
using BucketEncryptionOperator.Commands;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed class OssutilConfigTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("accessKeyID")]
    [InlineData("AccessKeyId")]
    [InlineData("access_key_id")]
    [InlineData("access-key-id")]
    [InlineData("access_id")]
    [InlineData("accessid")]
    [InlineData("access-id")]
    public void Parse_knows_the_id_in_every_spelling(string name) => Assert.Equal("i", Parse($"{name}=i").AccessKeyId);

    [Theory]
    [InlineData("accessKeySecret")]
    [InlineData("access_key_secret")]
    [InlineData("access_key")]
    [InlineData("accesskey")]
    [InlineData("access-key")]
    public void Parse_knows_the_secret_in_every_spelling(string name) =>
        Assert.Equal("k", Parse($"{name}=k").AccessKeySecret);

    [Theory]
    [InlineData("stsToken")]
    [InlineData("ststoken")]
    [InlineData("STSToken")]
    [InlineData("sts_token")]
    [InlineData("sts-token")]
    public void Parse_knows_the_token_in_every_spelling(string name) => Assert.Equal("t", Parse($"{name}=t").StsToken);

    [Theory]
    [InlineData("endpoint=h", "h")]
    [InlineData("host = h ", "h")]
    [InlineData("endpoint: h", "h")]
    [InlineData("endpoint=http://h:1", "http://h:1")]
    [InlineData("endpoint=a=b", "a=b")]
    [InlineData("endpoint=a\r\nendpoint=b\r", "b")]
    [InlineData("endpoint=", null)]
    [InlineData("#endpoint=h", null)]
    [InlineData(" ;endpoint=h", null)]
    [InlineData("endpoint", null)]
    [InlineData("=h", null)]
    [InlineData("[Other]\nendpoint=h", null)]
    [InlineData("[Other]\n[ credentials ]\nendpoint=h", "h")]
    public void Parse_reads_a_line_as_ossutil_does(string lines, string? endpoint) =>
        Assert.Equal(endpoint, Parse(lines).Endpoint);

    [Fact]
    public void Parse_reads_the_sections_of_buckets_by_the_buckets_exact_names()
    {
        var config = OssutilConfig.Parse(
            "\uFEFF[Bucket-Endpoint]\nb-one=e1\nbone=e2\n[Bucket-Cname]\nb-two = c2\n[AkService]\n"
                + "ecsAk=http://x\n[Default]\nproxyHost=p\nsignVersion=v4\n"
        );

        Assert.Equal(
            ("e1", "e2", null),
            (config.EndpointOf("b-one"), config.EndpointOf("bone"), config.EndpointOf("b-two"))
        );
        Assert.Equal(("c2", null), (config.CnameOf("b-two"), config.CnameOf("b-one")));
        Assert.Equal(("http://x", "p", "v4"), (config.KeyService, config.ProxyHost, config.SignVersion));
    }

    [Fact]
    public void Its_text_form_holds_no_key() =>
        Assert.Equal("OssutilConfig (redacted)", Parse("accessKeySecret=marked").ToString());

    [Fact]
    public void Parse_takes_any_bytes_and_finds_nothing_that_is_not_there()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        const string Alphabet = "[]=:#; \t\r\n\uFEFF\0\"\\-_aAkKé";
        for (var i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            var text =
                i % 2 == 0
                    ? Encoding.UTF8.GetString(bytes)
                    : string.Concat(
                        bytes.Select(b =>
                            b < 40 ? "[Credentials]\nendpoint=" : Alphabet[b % Alphabet.Length].ToString()
                        )
                    );

            var config = OssutilConfig.Parse(text);

            Assert.True(
                config.Endpoint is null
                    || (
                        text.Contains(config.Endpoint, StringComparison.Ordinal)
                        && config.Endpoint.Trim() == config.Endpoint
                        && !config.Endpoint.Contains('\n')
                    ),
                text
            );
        }
    }

    /// <summary>Messages of <c>bucket-encryption</c> do not quote its options: one of them is a secret.</summary>
    [Theory]
    [InlineData("it is not there", "/nonexistent/marked", "there is no such file")]
    [InlineData("it is a directory", "/", "this user may not read the file, or it is a directory")]
    [InlineData("it never ends", "/dev/zero", "the file is larger than 1048576 bytes")]
    [InlineData("no name", "", "no file can have this name")]
    [InlineData("a name with a NUL", "marked\0", "no file can have this name")]
    [InlineData("a name that is too long", "LONG", "no file can have this name")]
    public async Task A_file_that_cannot_be_read_is_named_by_its_option(string rule, string path, string why)
    {
        path = path == "LONG" ? "marked" + new string('a', 300) : path;

        var ran = await Ran.Of(["bucket-encryption", "--method", "get", "oss://b-one", "-c", path]);

        Assert.True(ran.ExitCode == 1, rule);
        Assert.Contains(
            $"Read config file error: value of option --config-file: {why}",
            ran.Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_keys_that_is_not_there_is_named()
    {
        var vendor = BucketRequest.VendorOf("alibaba");

        var error = Assert.Throws<UsageException>(() =>
            CallerKey.Read("file:/nonexistent/keys", vendor, environment: _ => null)
        );

        Assert.Equal("Read config file error: /nonexistent/keys: there is no such file", error.Message);
    }

    private static OssutilConfig Parse(string credentials) => OssutilConfig.Parse("[Credentials]\n" + credentials);
}
