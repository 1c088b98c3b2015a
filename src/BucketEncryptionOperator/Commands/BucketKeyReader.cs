using BucketEncryptionOperator.Credentials;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Reads the access key. Id and secret come each from the options, else from the config file. The environment counts
/// only if neither has one of them, so that a key is never half from there. A session token belongs to the id beside
/// it: that of the config file is not used with an id from <c>-i</c>.
/// </summary>
internal sealed class BucketKeyReader(
    CommandTarget target,
    BucketEncryptionArguments given,
    OssutilConfig config,
    Func<string, string?> environment
)
{
    private const string Elsewhere = "assume the role elsewhere, and pass its temporary keys with -i, -k and -t";

    public AccessKey Read()
    {
        var (id, secret, token) = (
            Given(given.AccessKeyId) ?? config.AccessKeyId,
            Given(given.AccessKeySecret) ?? config.AccessKeySecret,
            Given(given.StsToken)
        );
        if (Given(given.AccessKeyId) is null)
            token ??= config.StsToken;
        if (id is null && secret is null)
            (id, secret, token) = FromEnvironment(token);
        var mode = Given(given.Mode) ?? (Given(given.AccessKeyId) is null ? config.Mode : null);
        CheckMode(mode, id, token);
        var key = new AccessKey(
            id ?? throw Empty("accessKeyID", "-i", target.Vendor.Shell.Keys.FirstOrDefault()?.Id),
            secret ?? throw Empty("accessKeySecret", "-k", target.Vendor.Shell.Keys.FirstOrDefault()?.Secret),
            IsMode(mode, "AK") ? null : token
        );
        // They go into headers.
        if (!VisibleAscii.IsAll(key.Id) || !VisibleAscii.IsAll(key.SecurityToken ?? ""))
            throw new UsageException("accessKeyID and stsToken must be printable ASCII");
        return key;
    }

    private void CheckMode(string? mode, string? id, string? token)
    {
        if (mode is not null && !IsMode(mode, "AK") && !IsMode(mode, "StsToken"))
        {
            var known = ((ReadOnlySpan<string>)["RamRoleArn", "EcsRamRole"]).IndexOf(mode) >= 0 ? mode + " " : "";
            throw new UsageException(
                $"value {known}of option --mode is not supported here (AK and StsToken are): {Elsewhere}"
            );
        }
        if (IsMode(mode, "StsToken") && token is null)
            throw new UsageException(
                "invalid stsToken, stsToken is empty, and --mode is StsToken: give -t, or stsToken in the config file"
            );
        if (id is null && config.KeyService is not null)
            throw new UsageException(
                $"ecsAk in section [AkService] of the config file is not supported here: {Elsewhere}"
            );
    }

    private (string? Id, string? Secret, string? Token) FromEnvironment(string? token)
    {
        foreach (var names in target.Vendor.Shell.Keys)
        {
            if (Given(environment(names.Id)) is { } id)
                return (id, Given(environment(names.Secret)), token ?? Given(environment(names.Token)));
        }
        return (null, null, token);
    }

    private static UsageException Empty(string name, string option, string? variable) =>
        new(
            $"invalid {name}, {name} is empty: give {option}, {name} in the config "
                + $"file{(variable is null ? "" : ", or " + variable + " in the environment")}"
        );

    private static bool IsMode(string? mode, string name) =>
        string.Equals(mode, name, StringComparison.OrdinalIgnoreCase);

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
