using k8s;
using k8s.Models;
using KubeRuntime.Client;

namespace KubeRuntime.Events;

/// <summary>Writes events. Failures are <see cref="KubeApiException"/>.</summary>
internal interface IEventApi
{
    Task CreateAsync(Eventsv1Event created, CancellationToken cancellationToken);

    Task UpdateAsync(NamespacedName key, Eventsv1EventSeries series, CancellationToken cancellationToken);
}

/// <summary>Writes events to the API server.</summary>
internal sealed class KubeEvents(KubeClient client) : IEventApi
{
    public Task CreateAsync(Eventsv1Event created, CancellationToken cancellationToken) =>
        client.CallAsync(
            $"POST events {created.Metadata.NamespaceProperty}/{created.Metadata.Name}",
            k =>
                k.EventsV1.CreateNamespacedEventAsync(
                    created,
                    created.Metadata.NamespaceProperty,
                    cancellationToken: cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Sends a merge patch without a version: only this process writes the series of its events.</summary>
    public Task UpdateAsync(NamespacedName key, Eventsv1EventSeries series, CancellationToken cancellationToken)
    {
        var patch = new V1Patch(
            ModelJson.Serialize(new Eventsv1Event { Series = series }),
            V1Patch.PatchType.MergePatch
        );
        return client.CallAsync(
            $"PATCH events {key}",
            k =>
                k.EventsV1.PatchNamespacedEventAsync(
                    patch,
                    key.Name,
                    key.Namespace,
                    cancellationToken: cancellationToken
                ),
            cancellationToken
        );
    }
}
