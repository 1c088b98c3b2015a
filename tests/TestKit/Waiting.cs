namespace TestKit;

/// <summary>
/// Waits of tests are bounded by the real clock: what does not come fails the test instead of hanging it.
/// </summary>
public static class Waiting
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    public static Task Within(this Task task) => task.WaitAsync(Longest);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Longest);

    /// <summary>Waits for something that nothing tells of, giving way to other threads between looks.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Longest, TimeProvider.System);
        while (!holds())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
