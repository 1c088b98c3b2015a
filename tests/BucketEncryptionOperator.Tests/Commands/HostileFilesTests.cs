using System.CommandLine;
using BucketEncryptionOperator.Commands;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>What a file says is a stranger's: it appears on terminals, in logs of pipelines, in comments.</summary>
public sealed class HostileFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beo-hostile-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("table")]
    [InlineData("markdown")]
    [InlineData("github")]
    public async Task A_name_in_a_file_begins_no_line_and_steers_no_terminal(string format)
    {
        var file = Path.Combine(_folder, "f.yaml");
        await File.WriteAllTextAsync(
            file,
            "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketEncryptionPolicy\nmetadata: {name: a}\n"
                + "spec: {\"x\\e[31m\\n::stop-commands::y\\n/approve\\u2028\\u202e\": 1}\n"
        );

        var ran = await PlanAsync("-f", file, "-o", format);

        Assert.Equal(1, ran.ExitCode);
        var all = ran.Output + ran.Errors;
        Assert.DoesNotContain(all, c => c is '\u001b' or '\u2028' or '\u202e');
        Assert.DoesNotContain("\n::stop-commands", all, StringComparison.Ordinal);
        Assert.DoesNotContain("\n/approve", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Markdown_calls_nobody_and_links_to_no_issue()
    {
        var file = Path.Combine(_folder, "f.yaml");
        await File.WriteAllTextAsync(
            file,
            "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketEncryptionPolicy\nmetadata: {name: a}\n"
                + "spec: {'@team #1': 1}\n"
        );

        var ran = await PlanAsync("-f", file, "-o", "markdown");

        Assert.Contains("@&#8203;team #&#8203;1: unknown field", ran.Output, StringComparison.Ordinal);
    }

    /// <summary>A folder too high, a pipe whose other end has failed: kubectl refuses both too.</summary>
    [Fact]
    public async Task No_object_at_all_is_not_nothing_to_do()
    {
        var ran = await PlanAsync("-f", _folder);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("has no object", ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_without_its_store_is_a_finding_of_doctor()
    {
        var file = Path.Combine(_folder, "f.yaml");
        await File.WriteAllTextAsync(
            file,
            "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketEncryptionPolicy\nmetadata: {name: a}\n"
                + "spec: {storeRef: {name: none}, buckets: [{name: abc}], encryption: {algorithm: AES256}}\n"
        );

        var ran = await RunAsync("doctor", "-f", file);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("StoreNotFound", ran.Output, StringComparison.Ordinal);
    }

    /// <summary>The cluster would refuse what is written.</summary>
    [Theory]
    [InlineData("-n", "Team A")]
    [InlineData("--secret", "no/secret")]
    public async Task Export_writes_no_name_that_the_cluster_refuses(string option, string name)
    {
        var ran = await RunAsync("export", "--vendor", "alibaba", "--region", "cn-hangzhou", option, name);

        Assert.Equal((1, ""), (ran.ExitCode, ran.Output));
        Assert.Contains($"{name} cannot be the name of a", ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_name_of_a_file_is_said()
    {
        var ran = await PlanAsync("-f", "");

        Assert.Equal(1, ran.ExitCode);
        Assert.StartsWith("\"\": is not the name of a file", ran.Errors, StringComparison.Ordinal);
    }

    private static Task<Ran> PlanAsync(params string[] words) => RunAsync(["plan", .. words]);

    private static async Task<Ran> RunAsync(params string[] words)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var exitCode = await CommandLine.RunAsync(
            words,
            _ => null,
            TimeProvider.System,
            new InvocationConfiguration { Output = output, Error = errors }
        );
        return new Ran(exitCode, output.ToString(), errors.ToString());
    }
}
