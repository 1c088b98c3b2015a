using k8s;
using k8s.Models;
using KubeRuntime.Client;

namespace KubeRuntime.Events;

/// <summary>Where events are kept. Failures are <see cref="KubeApiException"/>.</summary>
internal interface IEventApi
{
    Task CreateAsync(Eventsv1Event created, CancellationToken cancellationToken);

    Task UpdateAsync(NamespacedName key, Eventsv1EventSeries series, CancellationToken cancellationToken);
}

/// <summary>On the API server.</summary>
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

    /// <summary>A merge patch without a version: nobody else writes an event's series.</summary>
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
