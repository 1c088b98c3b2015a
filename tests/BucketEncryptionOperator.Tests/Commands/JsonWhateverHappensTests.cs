using System.Globalization;
using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Tests.Fakes;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>A script reads stdout as JSON: one line comes, whatever was typed, and whatever happens then.</summary>
public sealed class JsonWhateverHappensTests(ITestOutputHelper output)
{
    private static readonly string[] Get =
    [
        "--method",
        "get",
        "oss://b-one",
        "-i",
        "marked-id",
        "-k",
        "marked-secret",
        "--region",
        "cn-x",
    ];

    private static readonly string[] PutKms =
    [
        "--method",
        "put",
        "oss://b-one",
        "--sse-algorithm",
        "KMS",
        "-i",
        "marked-id",
        "-k",
        "marked-secret",
        "--region",
        "cn-x",
    ];

    /// <summary>Where nobody listens: nothing of this may ever be sent.</summary>
    private static readonly string[] Nowhere = ["-e", "http://127.0.0.1:9"];

    /// <summary>What is typed after a good get; <c>|</c> parts the words.</summary>
    [Theory]
    [InlineData("a value is missing at the end", "--json|--vendor")]
    [InlineData("a value is missing before another option", "--vendor|--json")]
    [InlineData("a value is missing, and it would be a key", "--json|--sts-token")]
    [InlineData("another option in place of a value", "--vendor|--force-path-style|--json")]
    [InlineData("after the end of the options", "--|--json")]
    [InlineData("an option twice", "--json|--method|put")]
    [InlineData("an option twice with the same value", "--json|--method|get")]
    [InlineData("a value for a switch that is none", "--json=marked")]
    [InlineData("an unknown option", "--json|--acces-key-id|marked-other")]
    [InlineData("an unknown option that has its value with it", "--json|--acces-key-id=marked-other")]
    [InlineData("help", "--json|--help")]
    [InlineData("help, short", "-h|--json")]
    [InlineData("help, as a question mark", "-?|--json")]
    [InlineData("the version", "--json|--version")]
    [InlineData("two buckets", "--json|oss://b-two")]
    [InlineData("a region with a control character", "--json|--region|cn\u0001", "--region")]
    [InlineData("a CloudBox with a line break", "--json|--cloudbox-id|cb\r\nx-evil: 1")]
    [InlineData("a CloudBox that is not ASCII", "--json|--cloudbox-id|cb-漢")]
    [InlineData("a token with a line break", "--json|-t|marked\r\nx-evil: 1")]
    [InlineData("a token that is not ASCII", "--json|-t|marked-漢")]
    [InlineData("an endpoint that is no host", "--json|-e|http://a b")]
    [InlineData("an endpoint of a bracket", "--json|-e|http://[::1")]
    [InlineData("an endpoint whose label is too long", "--json|-e|http://LONG.example.com")]
    [InlineData("an endpoint that no DNS could have", "--json|-e|http://xn--\u0080.example.com")]
    [InlineData("an endpoint of dots", "--json|-e|http://..")]
    [InlineData("an endpoint with half of a surrogate pair", "--json|-e|http://HALF.example.com")]
    [InlineData("a port that is none", "--json|-e|http://127.0.0.1:99999")]
    [InlineData("a config file that is a directory", "--json|-c|/")]
    [InlineData("a config file that never ends", "--json|-c|/dev/zero")]
    [InlineData("a config file that cannot be named", "--json|-c|\0")]
    [InlineData("a config file that is not there", "--json|-c|/nonexistent/marked")]
    [InlineData("a config file whose name is too long", "--json|-c|marked-LONGLONGLONGLONG")]
    [InlineData("a time of nothing", "--json|--read-timeout|0")]
    [InlineData("a time beyond all numbers", "--json|--read-timeout|99999999999999999999")]
    [InlineData("a time that is none", "--json|--connect-timeout|1.5")]
    [InlineData("an unknown vendor", "--json|--vendor|\u0001")]
    [InlineData("an unknown mode", "--json|--mode|marked")]
    public async Task What_cannot_be_carried_out_is_said_in_one_line_of_JSON(
        string rule,
        string words,
        string replaces = ""
    )
    {
        var typed = Typed(words, length: 64);
        var region = Array.IndexOf(Get, "--region");
        string[] before = replaces == "--region" ? [.. Get[..region], .. Get[(region + 2)..]] : Get;

        var ran = await Ran.Of([
            "bucket-encryption",
            .. before,
            .. typed.Contains("-e") ? Array.Empty<string>() : Nowhere,
            .. typed,
        ]);

        var error = ErrorOf(rule, ran);
        Assert.True(("Invalid", "InvalidArguments") == error, $"{rule}: {ran.Output}");
    }

    [Theory]
    [InlineData("nothing", "bucket-encryption|--json")]
    [InlineData("before the command", "--json|bucket-encryption|--method|get|oss://b-one")]
    [InlineData("a suggestion is asked for", "[suggest]|bucket-encryption|--json")]
    [InlineData("a bucket of control characters", "bucket-encryption|--json|--method|get|oss://\u0001\u0002\u0003")]
    [InlineData("no bucket", "bucket-encryption|--json|--method|get|oss://")]
    [InlineData("an object", "bucket-encryption|--json|--method|get|oss://b-one/object")]
    [InlineData("an empty word", "bucket-encryption|--json||")]
    [InlineData("a method with a number's value", "bucket-encryption|--json|--method|1|oss://b-one")]
    [InlineData(
        "a key with a control character",
        "bucket-encryption|--json|--method|put|oss://b-one|--sse-algorithm|KMS|--kms-masterkey-id|key\u0001|"
            + "-i|i|-k|k|--region|cn-x"
    )]
    [InlineData(
        "a key with half of a surrogate pair",
        "bucket-encryption|--json|--method|put|oss://b-one|--sse-algorithm|KMS|--kms-masterkey-id|keyHALF|"
            + "-i|i|-k|k|--region|cn-x"
    )]
    [InlineData(
        "a key that no store would give back",
        "bucket-encryption|--json|--method|put|oss://b-one|--sse-algorithm|KMS|--kms-masterkey-id|LONG|"
            + "-i|i|-k|k|--region|cn-x"
    )]
    public async Task Words_that_are_no_command_are_told_so_in_one_line_of_JSON(string rule, string words)
    {
        var ran = await Ran.Of([.. Typed(words, length: 1025), .. Nowhere]);

        Assert.True(("Invalid", "InvalidArguments") == ErrorOf(rule, ran), $"{rule}: {ran.Output}");
    }

    /// <summary>Words of all kinds in any number and order; whoever answers says anything.</summary>
    [Fact]
    public async Task Random_words_give_one_line_of_JSON_each_time()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var replies = new Random(random.Next());
        await using var server = new ScriptedServer(_ => RandomReply(replies));
        var (done, failed) = (0, 0);
        // Few words make a command that succeeds: go on until one has.
        for (var i = 0; i < RandomSeed.Cases(1500) || (done == 0 && i < 15_000); i++)
        {
            var words = RandomWords(random, server.Address.GetLeftPart(UriPartial.Authority)).ToList();

            var ran = await Ran.Of(["bucket-encryption", .. words]);

            var shown = string.Join('|', words) + " gave\n" + ran.Output + ran.Errors;
            using var answer = OneLine(shown, ran);
            var hasError = answer.RootElement.TryGetProperty("error", out var error);
            Assert.True(hasError == (ran.ExitCode != 0), shown);
            Assert.True(!hasError || error.GetProperty("kind").GetString() != "Bug", shown);
            (done, failed) = hasError ? (done, failed + 1) : (done + 1, failed);
        }
        output.WriteLine($"{done} done, {failed} failed");
        Assert.True(done > 0 && failed > 0, "the words are too tame, or too wild");
    }

    [Fact]
    public async Task A_stop_is_told_and_has_an_exit_code_of_its_own()
    {
        using var stop = new CancellationTokenSource();
        await using var server = new ScriptedServer(_ =>
        {
            stop.Cancel();
            return new Reply.Silence();
        });

        var ran = await Ran.Of(
            ["bucket-encryption", .. Get, "--json", "-e", server.Address.GetLeftPart(UriPartial.Authority)],
            cancellationToken: stop.Token
        );

        using var answer = OneLine("stopped", ran);
        Assert.Equal(
            ("Interrupted", 130),
            (answer.RootElement.GetProperty("error").GetProperty("code").GetString(), ran.ExitCode)
        );
        Assert.Equal("b-one", answer.RootElement.GetProperty("bucket").GetString());
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("--vendor=alibaba")]
    public async Task A_bug_is_told_as_such_and_its_text_is_not_shown(string option)
    {
        var ran = await Ran.Of(
            ["bucket-encryption", "--method", "get", "oss://b-one", option],
            environment: _ => throw new InvalidOperationException("marked-text")
        );

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("InvalidOperationException", ran.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
        if (option == "--json")
            Assert.Equal(("Bug", "OperatorBug"), ErrorOf("a bug", ran));
        else
            Assert.StartsWith("Error: ", ran.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_output_that_cannot_be_written_is_a_failure_and_a_warning_that_cannot_is_none(bool isClosed)
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(404, "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>")
        );
        string[] words =
        [
            "bucket-encryption",
            .. Get[..^2],
            "--json",
            "-e",
            server.Address.GetLeftPart(UriPartial.Authority),
        ];

        var unread = await Ran.Of(words, output: new Unwritable(isClosed));
        var unwarned = await Ran.Of(words, errors: new Unwritable(isClosed));

        Assert.Equal(1, unread.ExitCode);
        Assert.EndsWith(
            "\nbucket-encryption: cannot write the result: No way out.\n",
            unread.Errors,
            StringComparison.Ordinal
        );
        Assert.Equal(0, unwarned.ExitCode);
        Assert.Equal(2, server.Requests.Count);
    }

    /// <summary>Half of a surrogate pair would not survive the way into a test.</summary>
    private static string[] Typed(string words, int length) =>
        words
            .Replace("LONG", new string('a', length), StringComparison.Ordinal)
            .Replace("HALF", "\ud800", StringComparison.Ordinal)
            .Split('|');

    private static IEnumerable<string> RandomWords(Random random, string endpoint)
    {
        string[] odd =
        [
            "",
            " ",
            "\u0001",
            "\n",
            "a\r\nb",
            "漢字",
            "😀",
            "\ud800",
            "-",
            "--",
            "---",
            "=",
            "a=b",
            "@file",
            "[diagram]",
            "%s",
            "\"'\\",
            "<x/>",
            "&amp;",
            "0",
            "-1",
            "9999999999",
            new string('x', 300),
            "oss://",
            "s3://b-two",
            "obs://b-three/x",
            "ftp://b-four",
            "KMS",
            "put",
            "delete",
            "StsToken",
            "cn-y",
            "/dev/null",
            "/",
        ];
        string[] options =
        [
            "--method",
            "--sse-algorithm",
            "--kms-masterkey-id",
            "--kms-data-encryption",
            "-i",
            "-k",
            "-t",
            "--mode",
            "--region",
            "--sign-version",
            "--cloudbox-id",
            "-c",
            "--vendor",
            "--read-timeout",
            "--connect-timeout",
            "--force-path-style",
            "--proxy-host",
            "--unknown",
            "-h",
            "--json",
            "-x",
            "-ik",
        ];
        var good = random.Next(3) > 0 ? (random.Next(2) == 0 ? Get : PutKms) : [];
        var words = new List<string>(good) { "--json" };
        for (var i = random.Next(good.Length == 0 ? 8 : 3); i > 0; i--)
        {
            var option = options[random.Next(options.Length)];
            string[] added = random.Next(6) switch
            {
                0 => [option],
                1 => [odd[random.Next(odd.Length)]],
                2 => [$"{option}={odd[random.Next(odd.Length)]}"],
                3 => [option, RandomText(random)],
                _ => [option, odd[random.Next(odd.Length)]],
            };
            words.InsertRange(random.Next(words.Count + 1), added);
        }
        return [.. words, "-e", endpoint];
    }

    private static string RandomText(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(20); i > 0; i--)
            text.Append((char)random.Next(random.Next(4) == 0 ? char.MaxValue : 128));
        return text.ToString();
    }

    private static Reply RandomReply(Random random)
    {
        string[] bodies =
        [
            "",
            "<",
            "<a/>",
            "<Error><Code>AccessDenied</Code></Error>",
            "<Error><Code>\u0085</Code><Message>\ufffd\n</Message></Error>",
            "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
            "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
                + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
            "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>",
        ];
        int[] statuses = [200, 200, 200, 204, 301, 400, 403, 404, 404, 500, 503];
        return random.Next(12) == 0
            ? new Reply.Reset()
            : ScriptedServer.Answer(statuses[random.Next(statuses.Length)], bodies[random.Next(bodies.Length)]);
    }

    private static (string? Kind, string? Code) ErrorOf(string rule, Ran ran)
    {
        using var answer = OneLine(rule, ran);
        Assert.True(ran.ExitCode == 1, rule);
        var error = answer.RootElement.GetProperty("error");
        return (error.GetProperty("kind").GetString(), error.GetProperty("code").GetString());
    }

    private static JsonDocument OneLine(string rule, Ran ran)
    {
        Assert.True(
            ran.Output.Length > 0 && ran.Output.IndexOf('\n', StringComparison.Ordinal) == ran.Output.Length - 1,
            $"{rule}: not one line but \"{ran.Output}\", {ran.Errors}"
        );
        Assert.DoesNotContain("Unhandled", ran.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
        try
        {
            return JsonDocument.Parse(ran.Output);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"{rule}: {e.Message} {ran.Output}", e);
        }
    }

    /// <summary>
    /// As the console's writers are on a full disk, and where the descriptor was closed before the start.
    /// </summary>
    private sealed class Unwritable(bool isClosed) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override Task WriteAsync(string? value) =>
            throw (isClosed ? new UnauthorizedAccessException("No way out.") : new IOException("No way out."));

        public override Task WriteLineAsync(string? value) => WriteAsync(value);
    }
}
