using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.Fakes;

public sealed class KubernetesFakeTests : IAsyncLifetime
{
    private readonly KubernetesFake _kubernetes = new(new ManualTimeProvider());

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _kubernetes.DisposeAsync();

    [Fact]
    public async Task A_patch_with_the_version_is_taken_and_gives_a_new_one()
    {
        var policy = _kubernetes.Put(Given.Policy());

        var written = await PatchAsync(
            policy.Metadata.ResourceVersion,
            """{"observedGeneration": 1, "buckets": [{"name": "a", "state": "Unknown"}]}"""
        );
        var merged = await PatchAsync(written.Metadata.ResourceVersion, """{"buckets": []}""");

        Assert.NotEqual(policy.Metadata.ResourceVersion, written.Metadata.ResourceVersion);
        // What is not named stays, lists are replaced whole
        Assert.Equal((1L, 0), (merged.Status!.ObservedGeneration, merged.Status.Buckets.Length));
        Assert.Equal(policy.Metadata.Generation, merged.Metadata.Generation);
    }

    [Fact]
    public async Task A_patch_with_an_old_version_conflicts()
    {
        var policy = _kubernetes.Put(Given.Policy());
        _kubernetes.Put(Given.Policy().NextGeneration());

        var thrown = await Assert.ThrowsAsync<KubeApiException>(() =>
            PatchAsync(policy.Metadata.ResourceVersion, "{}")
        );

        Assert.Equal(KubeFailureKind.Conflict, thrown.Failure);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        var policy = await Assert.ThrowsAsync<KubeApiException>(() => PatchAsync("1", "{}"));
        var secret = await Assert.ThrowsAsync<KubeApiException>(() =>
            SecretKeys.FetchAsync(_kubernetes.Client, Given.SecretKey, CancellationToken.None)
        );

        Assert.Equal((KubeFailureKind.NotFound, KubeFailureKind.NotFound), (policy.Failure, secret.Failure));
        Assert.Equal(2, _kubernetes.Requests.Count);
    }

    [Fact]
    public async Task A_secret_is_given_in_base64()
    {
        _kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"));

        var secret = await SecretKeys.FetchAsync(_kubernetes.Client, Given.SecretKey, CancellationToken.None);

        Assert.Equal("LTAI"u8, secret.Data["accessKeyId"]);
    }

    private Task<BucketEncryptionPolicy> PatchAsync(string version, string status) =>
        _kubernetes.Client.PatchStatusAsync(
            ApiResources.Policies,
            Given.PolicyKey,
            Encoding.UTF8.GetBytes($$"""{"metadata": {"resourceVersion": "{{version}}"}, "status": {{status}}}"""),
            CancellationToken.None
        );
}
