using BucketEncryptionOperator.Reconciling;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class ScheduleTests
{
    /// <summary>
    /// The text is kept in <c>status.inputs</c>: an upgrade that changed it would read every bucket again at once.
    /// </summary>
    [Fact]
    public void Inputs_of_the_same_versions_never_change() =>
        Assert.Equal("dc3855508e3ac84f", Schedule.Inputs("store-uid/3", "secret-uid/7"));
}
