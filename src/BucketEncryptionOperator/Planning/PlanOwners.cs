using BucketEncryptionOperator.Reconciling;

namespace BucketEncryptionOperator.Planning;

/// <summary>
/// Which policy of the files owns a bucket that several have. In the cluster the oldest policy does, and one that names
/// a bucket goes before one that selects it; the files' order stands for the age.
/// </summary>
internal sealed class PlanOwners
{
    private readonly Dictionary<BucketId, PolicyWork> _owners = [];

    public PlanOwners(IEnumerable<PolicyWork> works)
    {
        foreach (var work in works.Where(w => w.Enforces).OrderBy(w => w.IsSelector))
        {
            foreach (var task in work.Tasks)
                _owners.TryAdd(task.Id, work);
        }
    }

    /// <returns>Null where the policy owns the bucket itself, or writes nothing.</returns>
    public PolicyWork? OtherOwnerOf(PolicyWork work, BucketEnforcement task) =>
        work.Enforces && _owners[task.Id] is var owner && owner != work ? owner : null;
}
