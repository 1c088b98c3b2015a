namespace Integration.Tests.Harness;

/// <summary>Waits for a condition instead of for a time.</summary>
internal static class Eventually
{
    /// <summary>
    /// Longer than anything here takes, such as the back-off after six failures in a row (32 to 64 s).
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks until the answer is not null.</summary>
    /// <param name="what">For the message of the failure, with <paramref name="detail"/>.</param>
    public static async Task<T> GetAsync<T>(string what, Func<Task<T?>> ask, Func<string>? detail = null)
        where T : class
    {
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < Patience)
        {
            if (await ask() is { } answer)
                return answer;
            await Task.Delay(Pause, TimeProvider.System);
        }
        throw new TimeoutException($"{what}: not within {Patience.TotalSeconds:0} s. {detail?.Invoke()}");
    }

    public static Task TrueAsync(string what, Func<Task<bool>> ask, Func<string>? detail = null) =>
        GetAsync(what, async () => await ask() ? what : null, detail);

    public static Task TrueAsync(string what, Func<bool> ask, Func<string>? detail = null) =>
        TrueAsync(what, () => Task.FromResult(ask()), detail);
}
