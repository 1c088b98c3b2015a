using KubeRuntime.Client;

namespace KubeRuntime.Informers;

/// <summary>Decides which changes a controller looks at.</summary>
public static class Predicates
{
    /// <summary>
    /// Returns false where only the status changed: the controller itself wrote it, most likely, and would wake itself
    /// forever. Returns true for an object that was added, deleted, or created again under its name; for another
    /// generation (a change of the spec); for the start of a deletion; and for labels and annotations, with which
    /// people and tools ask (<c>reconcile.fluxcd.io/requestedAt</c>) and which change no generation. Finalizers, owners
    /// and managed fields do not count, nor does kubectl's copy of the object among the annotations.
    /// </summary>
    /// <remarks>Every change of a kind without generations (a Secret has none) counts.</remarks>
    public static bool IsMoreThanStatus<T>(Change<T> change)
        where T : class, IKubernetesObject
    {
        if (change is not { Old.Metadata: { } old, New.Metadata: { } now })
            return true;
        return old.Uid != now.Uid
            || old.Generation != now.Generation
            || now.Generation == 0
            || old.DeletionTimestamp != now.DeletionTimestamp
            || !old.Labels.AsSpan().SequenceEqual(now.Labels.AsSpan())
            || old.Annotations != now.Annotations;
    }
}
