using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace TestKit;

/// <summary>
/// The simulator's admin API, typed; for a simulator in this process or another. Contract:
/// tests/ObjectStoreSimulator/README.md. A refusal by the admin API is a bug of the test:
/// <see cref="HttpRequestException"/> with what it said.
/// </summary>
public sealed class SimulatorAdmin : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly HttpClient _http;

    /// <param name="url">What the simulator printed: <c>http://127.0.0.1:PORT</c>.</param>
    /// <param name="authorityPem">
    /// For https: the authority that the simulator wrote to its <c>--tls-ca-file</c>.
    /// </param>
    public SimulatorAdmin(Uri url, string? authorityPem = null)
    {
        Url = url;
        SocketsHttpHandler handler = new() { UseProxy = false };
        if (authorityPem is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                CustomTrustStore = { X509Certificate2.CreateFromPem(authorityPem) },
            };
        }

        _http = new HttpClient(handler) { BaseAddress = new Uri(url, "/_admin/"), Timeout = TimeSpan.FromSeconds(90) };
    }

    public Uri Url { get; }

    /// <summary>Back to the start: seed only, no rules, no counts; what is parked goes on.</summary>
    public Task ResetAsync() => SendAsync(HttpMethod.Post, "reset");

    public Task SetSettingsAsync(SimulatorSettings settings) =>
        PutAsync("settings", settings, SimulatorJson.Default.SimulatorSettings);

    public Task SetAccountAsync(string accessKeyId, SimulatedAccount account) =>
        PutAsync($"accounts/{accessKeyId}", account, SimulatorJson.Default.SimulatedAccount);

    public Task RemoveAccountAsync(string accessKeyId) => SendAsync(HttpMethod.Delete, $"accounts/{accessKeyId}");

    /// <summary>Makes the bucket, or changes its settings.</summary>
    public Task SetBucketAsync(string name, SimulatedBucket? bucket = null) =>
        PutAsync($"buckets/{name}", bucket ?? new SimulatedBucket(), SimulatorJson.Default.SimulatedBucket);

    /// <summary>Gives a bucket that is there these tags, and no others.</summary>
    public Task SetTagsAsync(string name, params IEnumerable<(string Key, string Value)> tags) =>
        PutAsync(
            $"buckets/{name}/tags",
            tags.ToImmutableSortedDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal),
            SimulatorJson.Default.ImmutableSortedDictionaryStringString
        );

    public Task RemoveBucketAsync(string name) => SendAsync(HttpMethod.Delete, $"buckets/{name}");

    public Task SetKmsKeyAsync(string id, SimulatedKmsKey key) =>
        PutAsync($"kms/{Uri.EscapeDataString(id)}", key, SimulatorJson.Default.SimulatedKmsKey);

    /// <summary>From here on the key does not exist, whether it was set or not.</summary>
    public Task RemoveKmsKeyAsync(string id) => SendAsync(HttpMethod.Delete, $"kms/{Uri.EscapeDataString(id)}");

    /// <summary>What the vendor has stored, whatever readers see yet. Null: no encryption, or no bucket.</summary>
    public async Task<string?> GetEncryptionAsync(string bucket)
    {
        using HttpResponseMessage response = await _http.GetAsync($"buckets/{bucket}/encryption");
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        await EnsureOkAsync(response);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>Changes the bucket behind the operator's back, seen at once.</summary>
    /// <param name="bucket">An existing bucket.</param>
    /// <param name="xml">In the vendor's words, returned by GET exactly so. Null removes the encryption.</param>
    public async Task SetEncryptionAsync(string bucket, string? xml)
    {
        using HttpRequestMessage request = new(
            xml is null ? HttpMethod.Delete : HttpMethod.Put,
            $"buckets/{bucket}/encryption"
        );
        request.Content = xml is null ? null : new StringContent(xml, Encoding.UTF8, "application/xml");
        using HttpResponseMessage response = await _http.SendAsync(request);
        await EnsureOkAsync(response);
    }

    /// <returns>The rule with its id.</returns>
    public Task<DenyRule> DenyAsync(DenyRule rule) => PostAsync("deny", rule, SimulatorJson.Default.DenyRule);

    public Task RemoveDenyAsync(string id) => SendAsync(HttpMethod.Delete, $"deny/{id}");

    public Task ClearDenyAsync() => SendAsync(HttpMethod.Delete, "deny");

    /// <returns>The rule with its id.</returns>
    public Task<FaultRule> InjectAsync(FaultRule rule) => PostAsync("faults", rule, SimulatorJson.Default.FaultRule);

    public Task RemoveFaultAsync(string id) => SendAsync(HttpMethod.Delete, $"faults/{id}");

    public Task ClearFaultsAsync() => SendAsync(HttpMethod.Delete, "faults");

    public Task<ImmutableArray<FaultStatus>> GetFaultsAsync() =>
        GetAsync("faults", SimulatorJson.Default.ImmutableArrayFaultStatus);

    /// <returns>The rule with its id, for <see cref="ReleaseAsync"/>.</returns>
    public Task<HoldRule> HoldAsync(HoldRule rule) => PostAsync("holds", rule, SimulatorJson.Default.HoldRule);

    public async Task<ImmutableArray<HeldRequest>> GetHeldAsync() =>
        (await GetAsync("held", SimulatorJson.Default.HoldList)).Held;

    /// <summary>
    /// Waits until as many requests are parked. A <see cref="TimeoutException"/> tells how many there were.
    /// </summary>
    public async Task<ImmutableArray<HeldRequest>> WaitForHeldAsync(int atLeast = 1, int waitSeconds = 30)
    {
        ImmutableArray<HeldRequest> held = (
            await GetAsync($"held?atLeast={atLeast}&waitSeconds={waitSeconds}", SimulatorJson.Default.HoldList)
        ).Held;
        return held.Length >= atLeast
            ? held
            : throw new TimeoutException($"{held.Length} of {atLeast} requests are held after {waitSeconds} s.");
    }

    /// <summary>Lets go on what the rule holds, and removes the rule unless it is kept.</summary>
    /// <returns>How many went on.</returns>
    public async Task<int> ReleaseAsync(string holdId, bool keepRule = false)
    {
        using HttpResponseMessage response = await _http.PostAsync(
            $"holds/{holdId}/release{(keepRule ? "?keep=true" : "")}",
            content: null
        );
        await EnsureOkAsync(response);
        return (await response.Content.ReadFromJsonAsync(SimulatorJson.Default.ReleasedCount))!.Count;
    }

    public Task ReleaseOneAsync(string heldId) => SendAsync(HttpMethod.Post, $"held/{heldId}/release");

    public Task ReleaseAllAsync() => SendAsync(HttpMethod.Delete, "holds");

    public Task<SimulatorCounters> GetCountersAsync() => GetAsync("counters", SimulatorJson.Default.SimulatorCounters);

    /// <summary>Requests that are under way are not counted any more.</summary>
    public Task ClearCountersAsync() => SendAsync(HttpMethod.Delete, "counters");

    /// <summary>
    /// Looks again and again until the counters are as wanted. A <see cref="TimeoutException"/> has the last ones.
    /// </summary>
    public async Task<SimulatorCounters> WaitForCountersAsync(
        Func<SimulatorCounters, bool> wanted,
        TimeSpan? timeout = null
    )
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            SimulatorCounters counters = await GetCountersAsync();
            if (wanted(counters))
            {
                return counters;
            }

            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                throw new TimeoutException($"Not within {limit}: {counters.Total}, {counters.Writes.Length} writes.");
            }

            await Task.Delay(PollInterval, TimeProvider.System);
        }
    }

    /// <summary>The last requests, oldest first.</summary>
    public Task<ImmutableArray<RecordedRequest>> GetRequestsAsync() =>
        GetAsync("requests", SimulatorJson.Default.ImmutableArrayRecordedRequest);

    public Task ClearRequestsAsync() => SendAsync(HttpMethod.Delete, "requests");

    public void Dispose() => _http.Dispose();

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type)
    {
        using HttpResponseMessage response = await _http.GetAsync(path);
        await EnsureOkAsync(response);
        return (await response.Content.ReadFromJsonAsync(type))!;
    }

    private async Task PutAsync<T>(string path, T value, JsonTypeInfo<T> type)
    {
        using HttpResponseMessage response = await _http.PutAsJsonAsync(path, value, type);
        await EnsureOkAsync(response);
    }

    private async Task<T> PostAsync<T>(string path, T value, JsonTypeInfo<T> type)
    {
        using HttpResponseMessage response = await _http.PostAsJsonAsync(path, value, type);
        await EnsureOkAsync(response);
        return (await response.Content.ReadFromJsonAsync(type))!;
    }

    private async Task SendAsync(HttpMethod method, string path)
    {
        using HttpRequestMessage request = new(method, path);
        using HttpResponseMessage response = await _http.SendAsync(request);
        await EnsureOkAsync(response);
    }

    private static async Task EnsureOkAsync(HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
        {
            string said = await response.Content.ReadAsStringAsync();
            throw new HttpRequestException(
                $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri}: {(int)response.StatusCode} "
                    + $"{said}",
                inner: null,
                response.StatusCode
            );
        }
    }
}
