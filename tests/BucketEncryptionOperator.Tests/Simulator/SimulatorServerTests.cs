using System.Diagnostics;
using System.Net;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>Read lag, counters, records, the proxy, and the program as a process.</summary>
public sealed class SimulatorServerTests : SimulatorTest
{
    [Fact]
    public async Task A_reader_sees_the_old_state_until_the_lag_has_passed()
    {
        await Admin.SetBucketAsync(Bucket, new SimulatedBucket { ReadLagMs = 3000 });

        await Oss.PutAsync(OssTestClient.Rule("AES256"));
        (await Oss.GetAsync()).AssertIs(404, "NoSuchServerSideEncryptionRule");
        Clock.Advance(TimeSpan.FromSeconds(2));
        await Oss.PutAsync(OssTestClient.Rule("KMS"));
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("AES256", (await Oss.GetAsync()).Element("SSEAlgorithm"));
        await Oss.DeleteAsync();
        Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("KMS", (await Oss.GetAsync()).Element("SSEAlgorithm"));
        Assert.Null(await Admin.GetEncryptionAsync(Bucket));
        Clock.Advance(TimeSpan.FromSeconds(1));
        (await Oss.GetAsync()).AssertIs(404, "NoSuchServerSideEncryptionRule");
    }

    [Fact]
    public async Task The_lag_can_be_set_for_all_buckets_and_a_change_behind_the_back_has_none()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { ReadLagMs = 1000 });

        await Oss.PutAsync(OssTestClient.Rule("AES256"));
        (await Oss.GetAsync()).AssertIs(404, "NoSuchServerSideEncryptionRule");
        await Admin.SetEncryptionAsync(Bucket, OssTestClient.Rule("SM4"));

        Assert.Equal("SM4", (await Oss.GetAsync()).Element("SSEAlgorithm"));
    }

    [Fact]
    public async Task Every_request_is_counted_once()
    {
        await Oss.PutAsync(OssTestClient.Rule("AES256"));
        await Oss.PutAsync(OssTestClient.Rule("ROT13"));
        await Oss.GetAsync();
        await Oss.GetAsync(new OssTestRequest { Secret = "wrong" });
        await Admin.InjectAsync(new FaultRule(FaultActions.AnswerLost));
        await Assert.ThrowsAsync<HttpRequestException>(() => Oss.DeleteAsync());

        SimulatorCounters counters = await Admin.GetCountersAsync();

        Assert.Equal(
            (5, 2, 1, 0, 1),
            (
                counters.Total.Received,
                counters.Total.Succeeded,
                counters.Total.Spoiled,
                counters.InFlight,
                counters.PeakInFlight
            )
        );
        Tally put = counters.Of(Bucket, StoreOperations.Put);
        Assert.Equal((2, 1, 1), (put.Received, put.Succeeded, put.Rejected["InvalidEncryptionAlgorithmError"]));
        Assert.Equal(1, counters.Of(Bucket, StoreOperations.Get).Rejected["SignatureDoesNotMatch"]);
        Assert.Equal(1, counters.Of(Bucket, StoreOperations.Delete).Spoiled);
        Assert.Equal(
            [
                (StoreOperations.Put, true, null),
                (StoreOperations.Put, false, "InvalidEncryptionAlgorithmError"),
                (StoreOperations.Delete, true, null),
            ],
            counters.Writes.Select(write => (write.Operation, write.Accepted, write.Code))
        );
        await Admin.ClearCountersAsync();
        Assert.Equal(0, (await Admin.GetCountersAsync()).Total.Received);
    }

    [Fact]
    public async Task Requests_are_recorded_without_signatures_and_tokens()
    {
        await Admin.SetAccountAsync("sts", new SimulatedAccount("secret-of-sts") { SecurityToken = "token-of-sts" });
        await Oss.PutAsync(
            OssTestClient.Rule("AES256"),
            new OssTestRequest
            {
                KeyId = "sts",
                Secret = "secret-of-sts",
                Token = "token-of-sts",
            }
        );
        await Oss.GetAsync(new OssTestRequest { V4 = false });

        RecordedRequest[] requests = [.. await Admin.GetRequestsAsync()];

        Assert.Equal(2, requests.Length);
        Assert.Equal(
            ("PUT", "b-one.oss-cn-hangzhou.aliyuncs.com", "/?encryption", OssTestClient.Rule("AES256"), "sts", 200),
            (
                requests[0].Method,
                requests[0].Host,
                requests[0].Target,
                requests[0].Body,
                requests[0].AccessKeyId,
                requests[0].Status
            )
        );
        Assert.Contains(
            new(
                "authorization",
                "OSS4-HMAC-SHA256 Credential=sts/20261121/cn-hangzhou/oss/aliyun_v4_request,Signature=***"
            ),
            requests[0].Headers
        );
        Assert.Contains(new("x-oss-security-token", "***"), requests[0].Headers);
        Assert.Contains(new("authorization", "OSS ak:***"), requests[1].Headers);
        Assert.Equal((200, null), (requests[1].Status, requests[1].Code));
    }

    [Fact]
    public async Task The_admin_API_shows_no_secrets()
    {
        await Admin.SetAccountAsync("sts", new SimulatedAccount("secret-of-sts") { SecurityToken = "token-of-sts" });
        using HttpClient http = new();

        string accounts = await http.GetStringAsync(new Uri(Admin.Url, "/_admin/accounts"));

        Assert.Contains("\"accessKeyId\":\"sts\"", accounts, StringComparison.Ordinal);
        Assert.DoesNotContain("-of-sts", accounts, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reset_goes_back_to_the_seed()
    {
        await Admin.SetBucketAsync("b-two");
        await Admin.RemoveAccountAsync("ak");
        await Admin.SetSettingsAsync(new SimulatorSettings { ClockOffsetSeconds = 7200 });

        await Admin.ResetAsync();

        (await Oss.PutAsync(OssTestClient.Rule("AES256"))).AssertIs(200, null);
        (await Oss.GetAsync(new OssTestRequest { Host = "b-two.oss-cn-hangzhou.aliyuncs.com" })).AssertIs(
            404,
            "NoSuchBucket"
        );
    }

    [Fact]
    public async Task It_works_as_an_HTTP_proxy_for_plain_http_endpoints()
    {
        using HttpClient http = new(new SocketsHttpHandler { Proxy = new WebProxy(Admin.Url), UseProxy = true });

        using HttpResponseMessage response = await http.GetAsync(
            new Uri("http://b-one.oss-cn-hangzhou.aliyuncs.com/?encryption")
        );

        Assert.Contains("AccessDenied", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        RecordedRequest request = Assert.Single(await Admin.GetRequestsAsync());
        Assert.Equal(
            ("http://b-one.oss-cn-hangzhou.aliyuncs.com/?encryption", Bucket, StoreOperations.Get),
            (request.Target, request.Bucket, request.Operation)
        );
    }

    [Fact]
    public async Task The_program_starts_a_store_for_each_vendor_and_can_speak_TLS_with_an_authority_of_its_own()
    {
        string folder = Directory.CreateTempSubdirectory("simulator").FullName;
        string authority = Path.Combine(folder, "ca.pem");
        ProcessStartInfo start = new(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "object-store-simulator.dll"),
                "--vendor",
                "HuaweiOBS",
                "--vendor",
                "MinIO",
                "--tls-ca-file",
                authority,
            ]
        )
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start)!;
        using CancellationTokenSource late = new(Patience, TimeProvider.System);
        using CancellationTokenRegistration kill = late.Token.Register(() => process.Kill());
        Uri huawei = new(
            (await process.StandardOutput.ReadLineAsync(late.Token))!.Replace("ready ", "", StringComparison.Ordinal)
        );
        Uri minio = new(
            (await process.StandardOutput.ReadLineAsync(late.Token))!.Replace("ready ", "", StringComparison.Ordinal)
        );
        string pem = await File.ReadAllTextAsync(authority, late.Token);

        using (SimulatorAdmin trusting = new(huawei, pem))
        using (SimulatorAdmin other = new(minio, pem))
        using (SimulatorAdmin distrustful = new(huawei))
        {
            await trusting.SetBucketAsync(Bucket);
            await trusting.SetEncryptionAsync(Bucket, "<a/>");

            Assert.Equal(
                ("https", "<a/>", null),
                (huawei.Scheme, await trusting.GetEncryptionAsync(Bucket), await other.GetEncryptionAsync(Bucket))
            );
            await Assert.ThrowsAsync<HttpRequestException>(distrustful.ResetAsync);
        }

        process.Kill();
        await process.WaitForExitAsync(late.Token);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_program_says_where_it_listens_reads_its_seed_and_stops_on_SIGTERM()
    {
        string folder = Directory.CreateTempSubdirectory("simulator").FullName;
        string readyFile = Path.Combine(folder, "ready");
        string seedFile = Path.Combine(folder, "seed.json");
        await File.WriteAllTextAsync(
            seedFile,
            """
            {"accounts":[{"accessKeyId":"ak","secret":"sk"}],
            "buckets":[{"name":"b-one","region":"cn-beijing","encryption":"<a/>"}]}
            """
        );
        ProcessStartInfo start = new(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "object-store-simulator.dll"),
                "--ready-file",
                readyFile,
                "--seed-file",
                seedFile,
            ]
        )
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start)!;
        using CancellationTokenSource late = new(Patience, TimeProvider.System);
        using CancellationTokenRegistration kill = late.Token.Register(() => process.Kill());

        string? line = await process.StandardOutput.ReadLineAsync(late.Token);
        string url = (await File.ReadAllTextAsync(readyFile)).Trim();
        using SimulatorAdmin admin = new(new Uri(url));

        Assert.Equal($"ready {url}", line);
        Assert.Equal("<a/>", await admin.GetEncryptionAsync(Bucket));
        using Process terminate = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await process.WaitForExitAsync(late.Token);
        Assert.Equal(0, process.ExitCode);
        Directory.Delete(folder, recursive: true);
    }
}
