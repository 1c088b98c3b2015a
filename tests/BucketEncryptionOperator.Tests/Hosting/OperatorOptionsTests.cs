using BucketEncryptionOperator.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Tests.Hosting;

public sealed class OperatorOptionsTests
{
    /// <summary>What is wrong → what the operator says as it refuses to start: the flag, and what it takes.</summary>
    private static readonly Dictionary<string, (Action<OperatorOptions> Spoil, string Message)> Table = new(
        StringComparer.Ordinal
    )
    {
        ["an empty name of a namespace"] = (
            o => o.WatchNamespaces = ["a", ""],
            "--watch-namespaces: \"\" is not the name of a namespace; give names separated by commas, or leave the "
                + "flag out"
        ),
        ["a namespace whose name is none"] = (
            o => o.WatchNamespaces = ["a.b"],
            "--watch-namespaces: \"a.b\" is not the name of a namespace"
        ),
        ["more namespaces than are worth a watch each"] = (
            o => o.WatchNamespaces = [.. Enumerable.Range(0, 101).Select(i => $"n{i}")],
            "--watch-namespaces may name 100 namespaces, and names 101"
        ),
        ["Secrets in a namespace whose name is none"] = (
            o => o.ClusterResourceNamespace = "",
            "--cluster-resource-namespace \"\" must be the name of a namespace"
        ),
        ["no workers"] = (o => o.Workers = 0, "--workers must be from 1 to 64"),
        ["too many workers"] = (o => o.Workers = 65, "--workers must be from 1 to 64"),
        ["no buckets at a time"] = (o => o.BucketConcurrency = 0, "--bucket-concurrency must be from 1 to 64"),
        ["too many buckets at a time"] = (o => o.BucketConcurrency = 65, "--bucket-concurrency must be from 1 to 64"),
        ["no time for a vendor"] = (
            o => o.VendorTimeout = TimeSpan.Zero,
            "--vendor-timeout must be more than 0 and at most half of the 00:10:00"
        ),
        ["more time for a vendor than a policy has"] = (
            o => o.VendorTimeout = TimeSpan.FromMinutes(6),
            "--vendor-timeout must be more than 0 and at most half of the 00:10:00"
        ),
        ["a time to drain that is over before it begins"] = (
            o => o.DrainTimeout = TimeSpan.FromSeconds(-1),
            "--drain-timeout must be from 0 to 3600 seconds"
        ),
        ["a time to drain that no kubelet waits"] = (
            o => o.DrainTimeout = TimeSpan.FromSeconds(3601),
            "--drain-timeout must be from 0 to 3600 seconds"
        ),
        ["a lease in no namespace"] = (
            o => o.LeaseNamespace = "",
            "--lease-namespace \"\" must be the name of a namespace"
        ),
        ["a lease whose name is none"] = (
            o => o.LeaseName = "My_Lease",
            "--lease-name \"My_Lease\" must be lower-case letters"
        ),
        ["a lease that a slow answer ends"] = (
            o => o.LeaseDuration = TimeSpan.FromSeconds(4),
            "--lease-duration must be from 5 to 3600 seconds"
        ),
        ["a lease that nobody waits for"] = (
            o => o.LeaseDuration = TimeSpan.FromSeconds(3601),
            "--lease-duration must be from 5 to 3600 seconds"
        ),
        ["no address"] = (o => o.HttpAddress = "", "--http-address \"\" must be host:port"),
        ["an address with a path"] = (
            o => o.HttpAddress = "0.0.0.0:8080/x",
            "--http-address \"0.0.0.0:8080/x\" must be host:port"
        ),
        ["an address with a user"] = (
            o => o.HttpAddress = "a@0.0.0.0:8080",
            "--http-address \"a@0.0.0.0:8080\" must be host:port"
        ),
        ["an address without a port"] = (
            o => o.HttpAddress = "localhost",
            "--http-address \"localhost\" must be host:port"
        ),
        ["a port that is none"] = (
            o => o.HttpAddress = "0.0.0.0:http",
            "--http-address \"0.0.0.0:http\" must be host:port"
        ),
        ["a log level that anybody can change"] = (
            o => o.AdminAddress = "0.0.0.0:8081",
            "--admin-address \"0.0.0.0:8081\" must be a loopback address and a port"
        ),
        ["a log level at a name that may be anybody's"] = (
            o => o.AdminAddress = "localhost:8081",
            "--admin-address \"localhost:8081\" must be a loopback address and a port"
        ),
        ["a log level at any port"] = (
            o => o.AdminAddress = "127.0.0.1:0",
            "--admin-address \"127.0.0.1:0\" must be a loopback address and a port"
        ),
        ["a log level without a port"] = (
            o => o.AdminAddress = "127.0.0.1",
            "--admin-address \"127.0.0.1\" must be a loopback address and a port"
        ),
        ["a token service that anybody can listen to"] = (
            o => o.TokenServiceEndpoint = "http://sts.example.com",
            "--sts-endpoint \"http://sts.example.com\" must be https://host[:port]; plain http goes to loopback only"
        ),
        ["a token service by a name that may be anybody's"] = (
            o => o.TokenServiceEndpoint = "http://localhost:1",
            "--sts-endpoint \"http://localhost:1\" must be"
        ),
        ["a token service with a path"] = (
            o => o.TokenServiceEndpoint = "https://sts.example.com/x",
            "--sts-endpoint \"https://sts.example.com/x\" must be"
        ),
        ["a token service that is none"] = (
            o => o.TokenServiceEndpoint = "sts.example.com",
            "--sts-endpoint \"sts.example.com\" must be"
        ),
        ["metadata elsewhere"] = (
            o => o.MetadataEndpoint = "http://192.0.2.1",
            "--metadata-endpoint \"http://192.0.2.1\" must be http://127.0.0.1:port"
        ),
        ["an endpoint that is none"] = (
            o => o.AllowedEndpoints = ["oss-*.aliyuncs.com", "https://a/b"],
            "--allowed-endpoints: \"https://a/b\" is not [scheme://]host[:port]"
        ),
        ["no endpoint at all"] = (o => o.AllowedEndpoints = [], "--allowed-endpoints must list at least one endpoint"),
        ["a role that is a user"] = (
            o => o.AssumableRoles = ["arn:aws:iam::123456789012:user/u"],
            "--assumable-roles: \"arn:aws:iam::123456789012:user/u\" is not the ARN of a role"
        ),
        ["all roles, which is no role"] = (
            o => o.AssumableRoles = ["arn:aws:iam::123456789012:role/*"],
            "--assumable-roles: \"arn:aws:iam::123456789012:role/*\" is not the ARN of a role"
        ),
        ["a role with another word for the namespace"] = (
            o => o.AssumableRoles = ["arn:aws:iam::123456789012:role/of-{Namespace}"],
            "--assumable-roles: \"arn:aws:iam::123456789012:role/of-{Namespace}\" is not the ARN of a role"
        ),
        ["an audience of no vendor"] = (
            o => o.TokenAudiences = ["sts.example.com"],
            "--token-audiences: \"sts.example.com\" must be VENDOR=AUDIENCE"
        ),
        ["an audience of a vendor that trades no tokens"] = (
            o => o.TokenAudiences = ["HuaweiOBS=sts.example.com"],
            "with one of the vendors AlibabaOSS, S3"
        ),
        ["an audience of two vendors"] = (
            o => o.TokenAudiences = ["AlibabaOSS=https://sts.example.com", "S3=https://sts.example.com"],
            "AlibabaOSS and S3 have the audience \"https://sts.example.com\""
        ),
        ["an audience that is another vendor's default"] = (
            o => o.TokenAudiences = ["S3=sts.aliyuncs.com"],
            "AlibabaOSS and S3 have the audience \"sts.aliyuncs.com\""
        ),
        ["two audiences of one vendor"] = (
            o => o.TokenAudiences = ["S3=sts.amazonaws.com", "S3=https://sts.example.com"],
            "S3 is there 2 times"
        ),
        ["an audience that is the API server's"] = (
            o => o.TokenAudiences = ["S3=https://kubernetes.default.svc"],
            "\"https://kubernetes.default.svc\" is an audience of the API server"
        ),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    [Fact]
    public void The_defaults_are_valid() => Assert.Equal(4, Validated(_ => { }).Workers);

    [Theory]
    [InlineData("arn:aws-cn:iam::123456789012:role/path/of-{namespace}")]
    [InlineData("acs:ram::123:role/r")]
    public void A_role_that_may_be_assumed(string role) =>
        Assert.Equal([role], Validated(o => o.AssumableRoles = [role]).AssumableRoles);

    [Theory]
    [InlineData("https://sts.example.com")]
    [InlineData("https://sts.example.com:8443")]
    [InlineData("http://127.0.0.1:9000")]
    [InlineData("http://[::1]:9000")]
    public void A_token_service(string endpoint) =>
        Assert.Equal(endpoint, Validated(o => o.TokenServiceEndpoint = endpoint).TokenServiceEndpoint);

    [Theory]
    [InlineData("0.0.0.0:8080")]
    [InlineData("[::]:8080")]
    [InlineData("localhost:80")]
    public void An_address_to_listen_on(string address) =>
        Assert.Equal(address, Validated(o => o.HttpAddress = address).HttpAddress);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_setting_that_cannot_be_is_named_with_what_it_takes(string sentence)
    {
        var (spoil, message) = Table[sentence];

        var thrown = Assert.Throws<OptionsValidationException>(() => Validated(spoil));

        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_is_wrong_is_said_at_once()
    {
        var thrown = Assert.Throws<OptionsValidationException>(() =>
            Validated(o => (o.Workers, o.BucketConcurrency, o.VendorTimeout) = (0, 0, TimeSpan.Zero))
        );

        Assert.Equal(3, thrown.Failures.Count());
    }

    private static OperatorOptions Validated(Action<OperatorOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddOperator(ServicesTests.Connection);
        services.Configure(configure);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<OperatorOptions>>().Value;
    }
}
