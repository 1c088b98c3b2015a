using KubeRuntime.Client;

namespace KubeRuntime.Informers;

/// <summary>Which changes a controller should look at.</summary>
public static class Predicates
{
    /// <summary>
    /// False where nothing changed but the status: that was most likely the controller itself, and to wake for it would
    /// be to run in circles. True for an object that came, went, or was made anew under its name; for another
    /// generation (a change of the spec); for the begin of a deletion; and for labels and annotations, which people and
    /// tools ask with (<c>reconcile.fluxcd.io/requestedAt</c>) and which move no generation. Finalizers, owners and
    /// managed fields do not count, nor does kubectl's copy of the object among the annotations.
    /// </summary>
    /// <remarks>
    /// A kind without generations (a Secret has none) cannot be judged so: each of its changes counts.
    /// </remarks>
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
