using Spectre.Console;

namespace BucketEncryptionOperator.Output;

/// <summary>Shows on a terminal how far work has come, and leaves nothing there at its end.</summary>
internal static class ProgressBar
{
    /// <param name="title">What is done.</param>
    /// <param name="work">Is given what to call with the number that is done and the number in all, from any
    /// thread.</param>
    public static async Task<T> RunAsync<T>(
        IAnsiConsole terminal,
        string title,
        Func<Action<int, int>, Task<T>> work
    ) =>
        await terminal
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(title));
                task.IsIndeterminate = true;
                return await work(
                    (done, all) =>
                    {
                        if (all == 0)
                            return;
                        task.IsIndeterminate = false;
                        task.MaxValue = all;
                        task.Value = done;
                        task.Description = Markup.Escape($"{title} {done}/{all}");
                    }
                );
            });

    /// <summary>Draws on a terminal, whatever the name that the environment gives to it.</summary>
    public static IAnsiConsole On(TextWriter terminal) =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.Detect,
                Interactive = InteractionSupport.Yes,
                Out = new AnsiConsoleOutput(terminal),
            }
        );
}
