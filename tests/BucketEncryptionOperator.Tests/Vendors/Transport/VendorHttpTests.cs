using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Transport;

public sealed class VendorHttpTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly VendorHttp _http;

    public VendorHttpTests() => _http = new VendorHttp("bucket-encryption-operator/1.2.3", Limit, _time);

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_complete_answer_comes_back_whatever_its_status()
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(503, "caf\u00e9", "x-oss-request-id: r-1", "x-oss-request-id: r-2")
        );

        var response = await SendAsync(server.Address);

        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "caf\u00e9", false),
            (response.Status, response.Body, response.IsSuccess)
        );
        Assert.Equal(("r-1", null), (response.Header("X-OSS-Request-Id"), response.Header("x-oss-ec")));
        Assert.Contains(
            "User-Agent: bucket-encryption-operator/1.2.3\r\n",
            Assert.Single(server.Requests),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_an_answer_and_is_not_followed(int status)
    {
        await using var elsewhere = new ScriptedServer(_ => ScriptedServer.Answer(200));
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(status, "", $"Location: {elsewhere.Address}")
        );

        var response = await SendAsync(server.Address);

        Assert.Equal(status, (int)response.Status);
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task A_cookie_is_not_sent_back()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200, "", "Set-Cookie: a=b"));

        await SendAsync(server.Address);
        await SendAsync(server.Address);

        Assert.All(server.Requests, r => Assert.DoesNotContain("Cookie", r, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("a body of 64 KiB is taken", 64 * 1024, null)]
    [InlineData("one byte more is not", (64 * 1024) + 1, "AnswerTooLarge")]
    [InlineData("nor is much more", 1024 * 1024, "AnswerTooLarge")]
    public async Task A_body_is_bounded(string sentence, int length, string? code)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200, new string('x', length)));

        var thrown = await Record.ExceptionAsync(() => SendAsync(server.Address));

        Assert.True(code == (thrown as VendorException)?.Failure.Code, $"{sentence}: {thrown}");
    }

    [Fact]
    public async Task A_body_without_a_length_is_bounded_too()
    {
        await using var server = new ScriptedServer(_ => new Reply.Bytes(
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + new string('x', 100_000)
        ));

        await AssertFailsAsync(server.Address, "AnswerTooLarge");
    }

    [Fact]
    public async Task A_reset_is_transient()
    {
        await using var server = new ScriptedServer(_ => new Reply.Reset());

        await AssertFailsAsync(server.Address, "BrokenAnswer");
    }

    [Theory]
    [InlineData("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")]
    [InlineData("half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf")]
    [InlineData("half a head", "HTTP/1.1 200 O")]
    [InlineData("nothing", "")]
    [InlineData("no HTTP", "220 mail.example ESMTP\r\n")]
    public async Task Half_an_answer_is_transient(string sentence, string bytes)
    {
        await using var server = new ScriptedServer(_ => new Reply.Bytes(bytes));

        var thrown = await Record.ExceptionAsync(() => SendAsync(server.Address));

        Assert.True(
            thrown is VendorException { Failure: { Kind: FailureKind.Transient, Code: "BrokenAnswer" } },
            $"{sentence}: {thrown}"
        );
    }

    [Fact]
    public async Task A_refused_connection_is_transient()
    {
        // Bound, not listening: nobody else gets the port
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        await AssertFailsAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)closed.LocalEndPoint!).Port}"), "Unreachable");
    }

    /// <summary>With real sockets: IPv6 is configured, and leads nowhere.</summary>
    [Fact]
    public async Task An_address_that_swallows_packets_does_not_keep_the_next_one_from_being_tried()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200));
        using var hole = new BlackHole(IPAddress.IPv6Loopback, server.Address.Port);
        using var http = Dual(IPAddress.IPv6Loopback, IPAddress.Loopback);
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri($"http://dual.example:{server.Address.Port}/")
        );

        var response = await http.SendAsync(request, "GetBucketEncryption", CancellationToken.None);

        Assert.Equal(HttpStatusCode.OK, response.Status);
    }

    /// <summary>The text must not change with the order in which the addresses fail: it goes into a status.</summary>
    [Fact]
    public async Task Where_no_address_answers_the_failure_says_so_without_naming_them()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Any, 0)); // bound, not listening: nobody else gets the port
        using var http = Dual(IPAddress.Loopback, IPAddress.Parse("127.0.0.2"));
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri($"http://dual.example:{((IPEndPoint)closed.LocalEndPoint!).Port}/")
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            http.SendAsync(request, "GetBucketEncryption", CancellationToken.None)
        );

        Assert.Equal((FailureKind.Transient, "Unreachable"), (thrown.Failure.Kind, thrown.Failure.Code));
        Assert.Equal("No connection to any of the endpoint's 2 addresses (ConnectionRefused).", thrown.Failure.Message);
    }

    private static VendorHttp Dual(params IPAddress[] addresses)
    {
        var connector = new StaggeredConnector(TimeProvider.System, (_, _) => Task.FromResult(addresses));
        return new VendorHttp(
            "test/1.0",
            Limit,
            TimeProvider.System,
            new VendorRoute { Proxy = new WebProxy(), Dialer = new Dialer(_ => EndpointTrust.Operator, connector) }
        );
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        using var selfSigned = request.CreateSelfSigned(
            new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero)
        );
        using var certificate = X509CertificateLoader.LoadPkcs12(
            selfSigned.Export(X509ContentType.Pkcs12),
            password: null
        );
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200), certificate);

        await AssertFailsAsync(server.Address, "TlsFailed");

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_store_that_brings_its_authority_along_is_answered_and_trusts_no_other()
    {
        using var ours = new TestAuthority("Corp");
        using var other = new TestAuthority("Other");
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200), ours.Server);

        var codes = new List<string>();
        foreach (var bundle in (string?[])[null, other.Pem, ours.Pem, other.Pem + ours.Pem, null])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, server.Address);
            var thrown = await Record.ExceptionAsync(() =>
                _http.SendAsync(
                    request,
                    "GetBucketEncryption",
                    new VendorExchange { CaBundle = bundle },
                    CancellationToken.None
                )
            );
            codes.Add((thrown as VendorException)?.Failure.Code ?? "answered");
        }

        Assert.Equal(["TlsFailed", "TlsFailed", "answered", "answered", "TlsFailed"], codes);
    }

    /// <summary>
    /// By the real clock: the runtime's connect timeout knows no other. The backlog of a listener that accepts nothing
    /// is full.
    /// </summary>
    [Fact]
    public async Task A_connection_that_nobody_accepts_ends_before_the_limit_and_nothing_was_sent()
    {
        using var blackHole = new BlackHole();
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(4), TimeProvider.System);
        using var request = new HttpRequestMessage(HttpMethod.Put, blackHole.Address);

        var thrown = await Assert
            .ThrowsAsync<VendorException>(() => http.SendAsync(request, "PutBucketEncryption", CancellationToken.None))
            .Within();

        Assert.Equal(
            (FailureKind.Transient, "Unreachable", true),
            (thrown.Failure.Kind, thrown.Failure.Code, thrown.Failure.NotSent)
        );
        Assert.Contains("within 2 s", thrown.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_ends_at_the_limit_and_not_before()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        var sending = SendAsync(server.Address);
        await _time.TimersScheduledAsync(1).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);

        _time.Advance(Limit - TimeSpan.FromTicks(1));
        Assert.False(sending.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            sending.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System)
        );
        Assert.Equal(
            (FailureKind.Transient, "Timeout", "No complete answer within 10 s."),
            (thrown.Failure.Kind, thrown.Failure.Code, thrown.Failure.Message)
        );
        Assert.Equal(0, _time.ScheduledTimers);
    }

    [Fact]
    public async Task The_callers_own_cancellation_is_passed_up_untouched()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new ScriptedServer(_ =>
        {
            reached.SetResult();
            return new Reply.Silence();
        });
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(server.Address, stop.Token);
        await reached.Task;

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            sending.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System)
        );
    }

    private async Task AssertFailsAsync(Uri address, string code)
    {
        var thrown = await Assert.ThrowsAsync<VendorException>(() => SendAsync(address));

        Assert.Equal(
            (FailureKind.Transient, "GetBucketEncryption", code),
            (thrown.Failure.Kind, thrown.Failure.Operation, thrown.Failure.Code)
        );
        Assert.DoesNotContain("secret", thrown.ToString(), StringComparison.Ordinal);
    }

    private async Task<VendorResponse> SendAsync(Uri address, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/b-one/?encryption&token=secret"));
        return await _http.SendAsync(request, "GetBucketEncryption", cancellationToken);
    }
}
