using System.CommandLine;
using System.Net;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>bucket-encryption</c>: one bucket by hand, as Alibaba's ossutil does it, through the operator's own vendor code, for every vendor.
/// Read what was typed, act, show: docs/bucket-encryption-command.md.
/// </summary>
internal static class BucketEncryptionCommand
{
    private const string DefaultConfigFile = "~/.ossutilconfig";

    /// <summary>The scheme of the vendor whose file <see cref="DefaultConfigFile"/> is: its keys go to no other unless the file is named.</summary>
    private const string ConfigScheme = "oss";

    private static readonly Argument<string[]> Words = new("bucket") { Description = "oss://bucket, obs://bucket or s3://bucket.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Method = new("--method") { Description = "put, get or delete." };
    private static readonly Option<string?> SseAlgorithm = new("--sse-algorithm") { Description = "put: AES256, KMS or SM4." };
    private static readonly Option<string?> KmsMasterKeyId = new("--kms-masterkey-id") { Description = "put, with KMS: the key. Default: the one that the vendor manages." };
    private static readonly Option<string?> KmsDataEncryption = new("--kms-data-encryption") { Description = "put, with KMS: SM4, or AES256 (the default)." };
    private static readonly Option<string?> Endpoint = new("--endpoint", "-e") { Description = "[scheme://]host[:port]; https unless given. Leaves out the config file's sections for buckets. Default: the vendor's for --region." };
    private static readonly Option<string?> AccessKeyId = new("--access-key-id", "-i") { Description = "Access key id." };
    private static readonly Option<string?> AccessKeySecret = new("--access-key-secret", "-k") { Description = "Access key secret. Other users of the machine may see it: rather use the config file or the environment." };
    private static readonly Option<string?> StsToken = new("--sts-token", "-t") { Description = "Session token of temporary keys." };
    private static readonly Option<string?> Mode = new("--mode") { Description = "AK or StsToken." };
    private static readonly Option<string?> Region = new("--region") { Description = "For signature version 4. Default: the endpoint's." };
    private static readonly Option<string?> SignVersion = new("--sign-version") { Description = "oss://: v1 or v4. Default: v4 where a region is known, else v1." };
    private static readonly Option<string?> CloudBoxId = new("--cloudbox-id") { Description = "oss://: takes the region's place in the signature." };
    private static readonly Option<bool> ForcePathStyle = new("--force-path-style") { Description = "The bucket's name goes in the path, not in the host." };
    private static readonly Option<string?> ConfigFile = new("--config-file", "-c") { Description = $"Default, for {ConfigScheme}:// only: {DefaultConfigFile}." };
    private static readonly Option<string?> VendorWord = new("--vendor") { Description = string.Join(", ", VendorCatalog.All.Select(v => v.Shell.Word)) + ". Default: by the bucket's scheme." };
    private static readonly Option<string?> ReadTimeout = new("--read-timeout") { Description = "Seconds; with --connect-timeout they bound one request. Default: 60." };
    private static readonly Option<string?> ConnectTimeout = new("--connect-timeout") { Description = "Seconds. Default: 10." };
    private static readonly Option<bool> Json = new("--json") { Description = "One line of JSON on stdout, whatever happens." };

    private static readonly Option<string?>[] Unsupported =
        [.. UnsupportedOptions.Names.Select(n => new Option<string?>(n) { Hidden = true, Arity = ArgumentArity.ZeroOrOne })];

    public static Command Build()
    {
        var command = new Command("bucket-encryption", "Put, get or delete one bucket's default encryption, as ossutil does.")
        {
            Words, Method, SseAlgorithm, KmsMasterKeyId, KmsDataEncryption, Endpoint, AccessKeyId, AccessKeySecret, StsToken, Mode, Region, SignVersion, CloudBoxId,
            ForcePathStyle, ConfigFile, VendorWord, ReadTimeout, ConnectTimeout, Json,
        };
        foreach (var option in Unsupported)
            command.Options.Add(option);
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, Environment.GetEnvironmentVariable, TimeProvider.System, cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(ParseResult parsed, Func<string, string?> environment, TimeProvider time, CancellationToken cancellationToken)
    {
        var (output, errors) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var started = time.GetTimestamp();
        BucketTask? task = null;
        CommandResult result;
        try
        {
            var given = Given(parsed);
            task = BucketRequest.ReadTask(given);
            var request = BucketRequest.Read(task, given, LoadConfig(task, given, environment), environment);
            foreach (var warning in request.Warnings)
                await errors.WriteLineAsync($"bucket-encryption: warning: {warning}");
            result = await ActAsync(request, EnvironmentProxy.Read(environment), time, cancellationToken);
        }
        catch (Exception e) when (e is UsageException or ProxyFormatException)
        {
            result = new CommandResult.Unusable(e.Message);
        }
        catch (VendorException e)
        {
            result = new CommandResult.Failed(e.Failure);
        }
        var elapsed = time.GetElapsedTime(started);
        var shown = parsed.GetValue(Json) ? JsonOutput.Show(task, result, elapsed) : OssutilOutput.Show(task, result, elapsed);
        await output.WriteAsync(shown.Text);
        return shown.ExitCode;
    }

    private static async Task<CommandResult> ActAsync(BucketRequest request, IWebProxy proxy, TimeProvider time, CancellationToken cancellationToken)
    {
        using var http = new VendorHttp(Services.Product, request.Timeout, time, proxy);
        using var limits = new VendorLimits(time);
        var api = VendorCatalog.ConnectAll(http, new ServerClocks(time), limits,
            new KeyBreakers(time))[request.Task.Vendor.Name];
        var (address, key) = (request.Address, request.Key);
        if (request.Desired is { } desired)
        {
            using var put = await api.BeginWriteAsync(address, key, cancellationToken);
            var basis = await ReadBasisAsync(put, cancellationToken);
            var target = desired.TargetFrom(basis.Encryption);
            await put.PutAsync(api.Write(target, basis), NothingToCheck, cancellationToken);
            return new CommandResult.Written(target);
        }
        if (request.Task.Method == BucketMethod.Delete)
        {
            using var delete = await api.BeginWriteAsync(address, key, cancellationToken);
            await delete.DeleteAsync(NothingToCheck, cancellationToken);
            return new CommandResult.Written(new BucketEncryption.None());
        }
        var observed = await api.GetAsync(address, key, cancellationToken);
        return new CommandResult.Read(observed.Encryption, observed.NotConfigured);
    }

    /// <summary>A person has asked for the write, and there is no lease.</summary>
    private static Failure? NothingToCheck() => null;

    /// <summary>
    /// What the bucket has, so that a put keeps what the options have no words for, as the operator's does. Whoever may write and not read
    /// (and is otherwise known to the vendor) puts a plain document, as ossutil would.
    /// </summary>
    private static async Task<Observation> ReadBasisAsync(IBucketWrite write, CancellationToken cancellationToken)
    {
        try
        {
            return await write.GetAsync(cancellationToken);
        }
        catch (VendorException e) when (e.Failure is { Kind: FailureKind.Denied, ConcernsCredentials: false })
        {
            return new Observation(new BucketEncryption.None(), Document: null);
        }
    }

    private static OssutilConfig LoadConfig(BucketTask task, BucketEncryptionArguments given, Func<string, string?> environment)
    {
        if (given.ConfigFile is null && task.Vendor.Shell.Scheme != ConfigScheme)
            return OssutilConfig.Empty;
        var path = given.ConfigFile ?? DefaultConfigFile;
        if (path.StartsWith("~/", StringComparison.Ordinal))
            path = Path.Combine(environment("HOME") ?? "", path[2..]);
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                return given.ConfigFile is null ? OssutilConfig.Empty : throw new UsageException($"Read config file error: there is no file {given.ConfigFile}");
            return file.Length <= OssutilConfig.MaxLength
                ? OssutilConfig.Parse(File.ReadAllText(path))
                : throw new UsageException($"Read config file error: it is larger than {OssutilConfig.MaxLength} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"Read config file error: {e.Message}");
        }
    }

    private static BucketEncryptionArguments Given(ParseResult parsed) => new()
    {
        Words = [.. parsed.GetValue(Words) ?? []],
        Method = parsed.GetValue(Method),
        SseAlgorithm = parsed.GetValue(SseAlgorithm),
        KmsKeyId = parsed.GetValue(KmsMasterKeyId),
        KmsDataEncryption = parsed.GetValue(KmsDataEncryption),
        Endpoint = parsed.GetValue(Endpoint),
        AccessKeyId = parsed.GetValue(AccessKeyId),
        AccessKeySecret = parsed.GetValue(AccessKeySecret),
        StsToken = parsed.GetValue(StsToken),
        Mode = parsed.GetValue(Mode),
        Region = parsed.GetValue(Region),
        SignVersion = parsed.GetValue(SignVersion),
        CloudBoxId = parsed.GetValue(CloudBoxId),
        ForcePathStyle = parsed.GetValue(ForcePathStyle),
        ConfigFile = parsed.GetValue(ConfigFile),
        Vendor = parsed.GetValue(VendorWord),
        ReadTimeout = parsed.GetValue(ReadTimeout),
        ConnectTimeout = parsed.GetValue(ConnectTimeout),
        Unsupported = [.. Unsupported.Where(o => parsed.GetResult(o) is { Implicit: false }).Select(o => o.Name)],
    };
}
