using System.Net;
using Integration.Tests.Scenarios;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace Integration.Tests;

/// <summary>What scenarios say of KMS keys, without an API server.</summary>
public sealed class ScenarioKeyServiceTests
{
    private const string File = "folder/keys.yaml";

    [Fact]
    public async Task Keys_are_set_by_their_state_or_by_a_document()
    {
        await using var street = await VendorStreet.OpenAsync();
        var stage = Stage(
            """
            title: x
            given:
              kmsKeys:
                key-1: Disabled
                key-2: {state: PendingDeletion, deletionDate: 2030-01-01T00:00:00Z, mayDescribe: []}
            steps: [{expect: {}}]
            """,
            street
        );

        stage.SetKmsKeys(vendor: null, stage.Scenario.Given.KmsKeys!);

        var keys = stage.At().KmsKeys;
        Assert.Equal("Disabled", keys.Find("key-1")?.Key.State);
        Assert.Equal(
            ("PendingDeletion", new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), 0),
            keys.Find("key-2")?.Key is { } key ? (key.State, key.DeletionDate, key.MayDescribe?.Length) : default
        );
        Assert.Equal(KmsKey.Enabled, keys.Find("key-3")?.Key.State);
    }

    [Fact]
    public void An_unknown_word_in_the_document_of_a_key_is_an_error()
    {
        var stage = Stage(
            "title: x\ngiven: {kmsKeys: {key-1: {stat: Disabled}}}\nsteps: [{expect: {}}]",
            new VendorStreet()
        );

        Assert.Throws<System.Text.Json.JsonException>(() =>
            stage.SetKmsKeys(vendor: null, stage.Scenario.Given.KmsKeys!)
        );
    }

    /// <summary>Unsigned, so each is refused; a request that is refused counts, too.</summary>
    [Theory]
    [InlineData("AlibabaOSS", "POST", "/?Action=DescribeKey&Version=2016-01-20&KeyId=key-1", "")]
    [InlineData("HuaweiOBS", "POST", "/v1.0/p-1/kms/describe-key", "{\"key_id\": \"key-1\"}")]
    [InlineData("JDCloudOSS", "GET", "/v1/key/key-1", "")]
    [InlineData("S3", "POST", "/", "{\"KeyId\": \"arn:aws:kms:r:1:key/key-1\"}")]
    [InlineData("MinIO", "GET", "/minio/kms/v1/key/status?key-id=key-1", "")]
    public async Task Each_vendors_key_service_is_on_the_street_and_counts(
        string vendor,
        string method,
        string target,
        string body
    )
    {
        await using var street = await VendorStreet.OpenAsync();
        var stage = Stage(
            $"title: x\ngiven: {{stores: {{s: {{vendor: {vendor}}}}}}}\nsteps: [{{expect: {{}}}}]",
            street
        );
        _ = stage.At();
        using var http = new HttpClient(new SocketsHttpHandler { Proxy = new WebProxy(street.Url) });
        var endpoint = VendorStreet.KeyServiceEndpoint(Enum.Parse<Vendor>(vendor), stage.Region);
        using var request = new HttpRequestMessage(new HttpMethod(method), endpoint + target);
        request.Headers.Add("x-amz-target", "TrentService.DescribeKey");
        request.Content = body.Length == 0 ? null : new StringContent(body);

        using var answer = await http.SendAsync(request);

        Assert.InRange((int)answer.StatusCode, 400, 403);
        Assert.Equal(
            (1, 1, 0),
            (stage.Asked("DescribeKey"), stage.Asked("DescribeKey key-1"), stage.Asked("ListBuckets"))
        );
    }

    private static Stage Stage(string text, VendorStreet street) =>
        new(ScenarioReader.Read(File, text), number: 1, api: null!, street) { TokenKey = "" };
}
