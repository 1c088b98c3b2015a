using System.Net;
using System.Net.Sockets;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed partial class BucketEncryptionCommandTests
{
    [Fact]
    public async Task What_cannot_be_reached_is_told_in_both_forms()
    {
        Uri address;
        await using (var server = new ScriptedServer(_ => new Reply.Reset()))
            address = server.Address;

        var text = await RunAsync(
            address,
            ["--method", "get", "oss://b-one", "-i", "i", "-k", "k", "--region", "cn-x"]
        );
        var json = await RunAsync(
            address,
            ["--method", "get", "oss://b-one", "-i", "i", "-k", "k", "--region", "cn-x", "--json"]
        );

        const string Message = "GetBucketEncryption: No connection to the endpoint. (Unreachable)";
        Assert.Equal(
            (1, $"GetBucketEncryption error,info:{Message}\nError: {Message}\n"),
            (text.ExitCode, text.Output)
        );
        Assert.Equal(1, json.ExitCode);
        Assert.StartsWith(
            """{"method":"get","vendor":"AlibabaOSS","bucket":"b-one","error":"""
                + """{"kind":"Transient","operation":"GetBucketEncryption","code":"Unreachable",""",
            json.Output,
            StringComparison.Ordinal
        );
    }

    /// <summary>The proxy is dead, so that a request which goes to it cannot arrive.</summary>
    [Theory]
    [InlineData("by name and proxy", "store.example", "", 1)]
    [InlineData("by a range of addresses", "0.0.0.0", "10.0.0.0/8,0.0.0.0/8", 0)]
    public async Task The_environments_proxies_count_as_with_curl(
        string sentence,
        string host,
        string except,
        int exitCode
    )
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(
                200,
                "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                    + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"
            )
        );
        // Bound, not listening
        using var dead = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        dead.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["http_proxy"] = $"http://127.0.0.1:{((IPEndPoint)dead.LocalEndPoint!).Port}",
            ["NO_PROXY"] = except,
        };

        var ran = await RunAsync(
            new Uri($"http://{host}:{server.Address.Port}"),
            ["--method", "get", "oss://b-one", "-i", "i", "-k", "k", "--region", "cn-x"],
            environment: environment
        );

        Assert.True(exitCode == ran.ExitCode, $"{sentence}: {ran.Output}");
        Assert.Equal(exitCode == 0 ? 1 : 0, server.Requests.Count);
    }

    [Fact]
    public async Task A_proxy_that_is_none_is_told_without_its_password()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(204));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HTTPS_PROXY"] = "gopher://me:marked@proxy:1",
        };

        var ran = await RunAsync(server.Address, PutKms, environment: environment);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("HTTPS_PROXY does not name a proxy", ran.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("marked", ran.Output + ran.Errors, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }
}
