using System.Text.Json;
using KubeRuntime.Api;

namespace KubeRuntime.Events;

/// <summary>Where events are kept. Failures are <see cref="KubeApiException"/>.</summary>
internal interface IEventApi
{
    Task CreateAsync(KubeEvent created, CancellationToken cancellationToken);

    Task UpdateAsync(NamespacedName key, EventSeries series, CancellationToken cancellationToken);
}

/// <summary>On the API server.</summary>
internal sealed class KubeEvents(KubeClient client) : IEventApi
{
    public Task CreateAsync(KubeEvent created, CancellationToken cancellationToken) =>
        client.CreateAsync(KubeEvent.Resource, created.Metadata.Namespace, JsonSerializer.SerializeToUtf8Bytes(created, EventJson.Default.KubeEvent), cancellationToken);

    public Task UpdateAsync(NamespacedName key, EventSeries series, CancellationToken cancellationToken) =>
        client.PatchAsync(KubeEvent.Resource, key, JsonSerializer.SerializeToUtf8Bytes(new SeriesPatch(series), EventJson.Default.SeriesPatch), cancellationToken);
}
