using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Vendors.Protocol;
using Integration.Tests.Harness;
using KubeRuntime.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Integration.Tests;

public sealed partial class MarkedSecretsTests
{
    private WebApplication Compose(Overheard overheard, KubeConnection connection)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(overheard).SetMinimumLevel(LogLevel.Trace);
        builder.Services.Configure<OperatorOptions>(o =>
            (o.WatchNamespaces, o.AllowedEndpoints, o.AmbientCredentialsInNamespacedStores, o.MetricsPerBucket) = (
                [TheScene.Namespace],
                [Plain, Secure],
                true,
                true
            )
        );
        builder.Services.AddOperator(connection);
        builder.Services.AddRoutingCore();
        var environment = Environment();
        builder.Services.AddSingleton(
            new IdentityOptions(
                "marked/1.0",
                name => environment.GetValueOrDefault(name),
                new Uri(Plain),
                new Uri(Plain)
            )
        );
        var vendors = builder
            .Services.Last(s => s.ServiceType == typeof(IReadOnlyDictionary<string, IBucketEncryptionApi>))
            .ImplementationFactory!;
        builder.Services.AddSingleton<IReadOnlyDictionary<string, IBucketEncryptionApi>>(s => new Dictionary<
            string,
            IBucketEncryptionApi
        >((IReadOnlyDictionary<string, IBucketEncryptionApi>)vendors(s), StringComparer.Ordinal)
        {
            ["JDCloudOSS"] = new Buggy(),
        });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapMetrics();
        app.MapProbes();
        return app;
    }

    /// <summary>
    /// In a metric an access key's id is not told either: it would be there for years, for whoever sees a dashboard.
    /// </summary>
    private static async Task<string> ScrapeAsync(WebApplication app)
    {
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var text = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Contains("bucketencryption_vendor_requests_total{", text, StringComparison.Ordinal);
        Assert.Contains("bucketencryption_access_keys{state=\"rejected\"}", text, StringComparison.Ordinal);
        Assert.All(
            Rejections.Select(r => "good-" + r).Append("another"),
            id => Assert.DoesNotContain($"\"{id}\"", text, StringComparison.Ordinal)
        );
        return text;
    }
}
