using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Wires where access keys come from.</summary>
internal static class CredentialWiring
{
    public static void AddCredentials(this IServiceCollection services)
    {
        services.AddSingleton<AccessKeyCircuitBreakers>();
        services.AddSingleton(s => new SecretKeys(
            (name, token) => SecretKeys.FetchAsync(s.GetRequiredService<KubeClient>(), name, token),
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            secret => s.GetRequiredService<Stores>().Use(new KeySource.FromSecret(secret))
        ));
        services.AddSingleton(s => new AmbientIdentities(
            IdentityOptionsOf(s.GetRequiredService<OperatorOptions>()),
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(s => new TemporaryKeys(
            s.GetRequiredService<AmbientIdentities>().FetchAsync,
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<TemporaryKeys>>(),
            identity => s.GetRequiredService<Stores>().Use(new KeySource.FromIdentity(identity))
        ));
        services.AddSingleton<StoreKeys>();
        services.AddSingleton(s => new KeySourceReader(
            s.GetRequiredService<OperatorOptions>().AmbientCredentialsInNamespacedStores
        ));
    }

    private static IdentityOptions IdentityOptionsOf(OperatorOptions options) =>
        new(
            Services.Product,
            Environment.GetEnvironmentVariable,
            UriOf(options.TokenServiceEndpoint),
            UriOf(options.MetadataEndpoint)
        );

    private static Uri? UriOf(string? endpoint) => endpoint is null ? null : new Uri(endpoint);
}
