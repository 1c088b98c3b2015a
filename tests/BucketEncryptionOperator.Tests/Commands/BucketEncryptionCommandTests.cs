using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Tests.Fakes;
using TestKit;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>The command against a server that tells what it was sent. That the vendor's stores take it, docs/bucket-encryption-command.md shows.</summary>
public sealed class BucketEncryptionCommandTests
{
    private const string Live =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><KMSMasterKeyID>k-0</KMSMasterKeyID><SSEAlgorithm>KMS</SSEAlgorithm><Future>kept</Future></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private const string Plain = "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private static readonly string[] PutKms = ["--method", "put", "oss://b-one", "--sse-algorithm", "KMS", "-i", "marked-id", "-k", "marked-secret", "-t", "marked-token", "--region", "cn-x"];

    [Fact]
    public async Task A_put_reads_first_and_keeps_what_the_options_have_no_word_for()
    {
        await using var server = new ScriptedServer(r => r.StartsWith("GET", StringComparison.Ordinal) ? ScriptedServer.Answer(200, Live) : ScriptedServer.Answer(200));

        var ran = await RunAsync(server, PutKms);

        Assert.Equal((0, ""), (ran.ExitCode, ran.Errors));
        Assert.Equal(["GET /b-one/?encryption HTTP/1.1", "PUT /b-one/?encryption HTTP/1.1"], server.Requests.Select(FirstLine));
        Assert.EndsWith(Live.Replace("<KMSMasterKeyID>k-0</KMSMasterKeyID>", "", StringComparison.Ordinal), server.Requests.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_put_of_one_who_may_not_read_is_a_plain_document()
    {
        await using var server = new ScriptedServer(r => r.StartsWith("GET", StringComparison.Ordinal) ? Error(403, "AccessDenied") : ScriptedServer.Answer(200));

        var ran = await RunAsync(server, PutKms);

        Assert.Equal(0, ran.ExitCode);
        Assert.EndsWith(Plain, server.Requests.Last(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, "SignatureDoesNotMatch")]
    [InlineData(404, "NoSuchBucket")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task A_put_that_cannot_read_for_another_reason_writes_nothing(int status, string code)
    {
        await using var server = new ScriptedServer(_ => Error(status, code));

        var ran = await RunAsync(server, PutKms);

        Assert.Equal((1, $"Error: oss: service returned error: StatusCode={status}, ErrorCode={code}, ErrorMessage=\"M\", RequestId=R1\n"), (ran.ExitCode, ran.Output));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("oss://b-one", "", "Authorization: OSS ")]
    [InlineData("oss://b-one", "--region cn-x", "Authorization: OSS4-HMAC-SHA256 ")]
    [InlineData("oss://b-one", "--region cn-x --sign-version V1", "Authorization: OSS ")]
    [InlineData("s3://b-one", "--region cn-x", "Authorization: AWS4-HMAC-SHA256 ")]
    [InlineData("s3://b-one", "--region cn-x --vendor jdcloud", "Authorization: AWS4-HMAC-SHA256 ")]
    public async Task Each_vendor_is_spoken_to_in_its_own_way(string url, string options, string expected)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(204));

        var ran = await RunAsync(server, ["--method", "DELETE", url, "-i", "i", "-k", "k", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.Equal("DELETE /b-one/?encryption HTTP/1.1", FirstLine(Assert.Single(server.Requests)));
        Assert.Contains(expected, server.Requests.Single(), StringComparison.Ordinal);
        Assert.Equal((0, "\n0.000000(s) elapsed\n"), (ran.ExitCode, ran.Output));
    }

    /// <summary>Whatever goes wrong, in both forms.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("--json")]
    [InlineData("--method list")]
    [InlineData("--mode RamRoleArn")]
    [InlineData("--region marked/")]
    [InlineData("--acces-key-id marked-other")]
    [InlineData("--proxy-pwd marked-other")]
    [InlineData("-c /nonexistent/file")]
    public async Task No_key_is_ever_printed(string options)
    {
        await using var server = new ScriptedServer(_ => Error(403, "SignatureDoesNotMatch"));

        var ran = await RunAsync(server, [.. PutKms.Except(["--region", "cn-x"]), .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.Equal(1, ran.ExitCode);
        Assert.NotEmpty(ran.Output);
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_config_file_is_for_its_own_vendor_only()
    {
        var home = Directory.CreateTempSubdirectory("bucket-encryption-test.");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(home.FullName, ".ossutilconfig"), "[Credentials]\naccessKeyID=file-id\naccessKeySecret=file-secret\nregion=cn-x\n");
            await using var server = new ScriptedServer(_ => ScriptedServer.Answer(204));

            var own = await RunAsync(server, ["--method", "delete", "oss://b-one"], home.FullName);
            var other = await RunAsync(server, ["--method", "delete", "s3://b-one", "--region", "cn-x"], home.FullName);
            var named = await RunAsync(server, ["--method", "delete", "s3://b-one", "-c", "~/.ossutilconfig"], home.FullName);

            Assert.Equal((0, 1, 0), (own.ExitCode, other.ExitCode, named.ExitCode));
            Assert.All(server.Requests, r => Assert.Contains("file-id", r, StringComparison.Ordinal));
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_cannot_be_reached_is_told_in_both_forms()
    {
        Uri address;
        await using (var server = new ScriptedServer(_ => new Reply.Reset()))
            address = server.Address;

        var text = await RunAsync(address, ["--method", "get", "oss://b-one", "-i", "i", "-k", "k", "--region", "cn-x"]);
        var json = await RunAsync(address, ["--method", "get", "oss://b-one", "-i", "i", "-k", "k", "--region", "cn-x", "--json"]);

        const string Message = "GetBucketEncryption: No connection to the endpoint. (Unreachable)";
        Assert.Equal((1, $"GetBucketEncryption error,info:{Message}\nError: {Message}\n"), (text.ExitCode, text.Output));
        Assert.Equal(1, json.ExitCode);
        Assert.StartsWith("""{"method":"get","vendor":"AlibabaOSS","bucket":"b-one","error":{"kind":"Transient","operation":"GetBucketEncryption","code":"Unreachable",""", json.Output, StringComparison.Ordinal);
    }

    /// <summary>The proxy is dead, so that a request which goes to it cannot arrive.</summary>
    [Theory]
    [InlineData("by name and proxy", "store.example", "", 1)]
    [InlineData("by a range of addresses", "0.0.0.0", "10.0.0.0/8,0.0.0.0/8", 0)]
    public async Task The_environments_proxies_count_as_with_curl(string sentence, string host, string except, int exitCode)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(204));
        using var dead = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp); // bound, not listening
        dead.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["http_proxy"] = $"http://127.0.0.1:{((IPEndPoint)dead.LocalEndPoint!).Port}", ["NO_PROXY"] = except };

        var ran = await RunAsync(new Uri($"http://{host}:{server.Address.Port}"), ["--method", "delete", "oss://b-one", "-i", "i", "-k", "k", "--region", "cn-x"], environment: environment);

        Assert.True(exitCode == ran.ExitCode, $"{sentence}: {ran.Output}");
        Assert.Equal(exitCode == 0 ? 1 : 0, server.Requests.Count);
    }

    [Fact]
    public async Task A_proxy_that_is_none_is_told_without_its_password()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(204));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["HTTPS_PROXY"] = "gopher://me:marked@proxy:1" };

        var ran = await RunAsync(server.Address, PutKms, environment: environment);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("HTTPS_PROXY does not name a proxy", ran.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private static Task<Ran> RunAsync(ScriptedServer server, string[] words, string home = "/nonexistent") => RunAsync(server.Address, words, home);

    private static async Task<Ran> RunAsync(Uri endpoint, string[] words, string home = "/nonexistent", IReadOnlyDictionary<string, string>? environment = null)
    {
        var command = BucketEncryptionCommand.Build();
        var (output, errors) = (new StringWriter(), new StringWriter());
        command.SetAction((parsed, token) => BucketEncryptionCommand.RunAsync(parsed, name => name == "HOME" ? home : environment?.GetValueOrDefault(name), new ManualTimeProvider(), token));
        var exitCode = await new RootCommand { command }
            .Parse(["bucket-encryption", .. words, "-e", endpoint.GetLeftPart(UriPartial.Authority)])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = errors });
        return new Ran(exitCode, output.ToString(), errors.ToString());
    }

    private static string FirstLine(string request) => request[..request.IndexOf('\r', StringComparison.Ordinal)];

    private static Reply Error(int status, string code) => ScriptedServer.Answer(status, $"<Error><Code>{code}</Code><Message>M</Message><RequestId>R1</RequestId></Error>");

    private sealed record Ran(int ExitCode, string Output, string Errors);
}
