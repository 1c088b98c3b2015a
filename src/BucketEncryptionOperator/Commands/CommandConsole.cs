using System.CommandLine;
using BucketEncryptionOperator.Output;
using KubeRuntime.Client;
using Spectre.Console;

namespace BucketEncryptionOperator.Commands;

/// <summary>Where a command writes. Results go to stdout, and nothing else does.</summary>
/// <param name="IsTerminal">People read it: stdout is a terminal, and <c>NO_COLOR</c> is not set.</param>
internal sealed record CommandConsole(string Command, TextWriter Output, TextWriter Error, bool IsTerminal)
{
    /// <summary>The exit code of shells for a program that SIGINT has ended.</summary>
    private const int InterruptedCode = 130;

    /// <summary>
    /// Where progress is shown: stderr, if it is a terminal and <c>NO_COLOR</c> is not set; else null.
    /// </summary>
    public IAnsiConsole? Progress { get; init; }

    /// <summary>Says what a command does. The work returns the exit code.</summary>
    public static void SetAction(
        Command command,
        Func<string, string?> environment,
        Func<ParseResult, CommandConsole, CancellationToken, Task<int>> work
    ) =>
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                var console = Of(parsed, environment);
                return console.RunAsync(() => work(parsed, console, cancellationToken), cancellationToken);
            }
        );

    private static CommandConsole Of(ParseResult parsed, Func<string, string?> environment)
    {
        var configuration = parsed.InvocationConfiguration;
        var mayDraw = string.IsNullOrEmpty(environment("NO_COLOR"));
        return new CommandConsole(
            parsed.CommandResult.Command.Name,
            configuration.Output,
            configuration.Error,
            mayDraw && configuration.Output == Console.Out && !Console.IsOutputRedirected
        )
        {
            Progress =
                mayDraw && configuration.Error == Console.Error && !Console.IsErrorRedirected
                    ? ProgressBar.On(configuration.Error)
                    : null,
        };
    }

    /// <summary>
    /// Runs a command. What the caller has given and cannot be is one line on stderr, and exit code 1.
    /// </summary>
    public async Task<int> RunAsync(Func<Task<int>> work, CancellationToken cancellationToken)
    {
        // A signal is heard only once the caller has the task: files may be slow to read
        await Task.Yield();
        try
        {
            return await work();
        }
        catch (Exception e)
            when (e
                    is UsageException
                        or ProxyFormatException
                        or KubeConfigException
                        or KubeApiException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            return await FailAsync(e.Message, 1);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return await FailAsync("stopped before the end", InterruptedCode);
        }
    }

    /// <summary>
    /// Does work under a bar that shows how far it is. What the work writes meanwhile comes after the bar's end, where
    /// there is one: both may be on the same terminal.
    /// </summary>
    public async Task<T> WithProgressAsync<T>(string title, Func<Action<int, int>, CommandConsole, Task<T>> work)
    {
        if (Progress is null)
            return await work((_, _) => { }, this);
        using var held = new StringWriter();
        try
        {
            return await ProgressBar.RunAsync(Progress, title, show => work(show, this with { Output = held }));
        }
        finally
        {
            await Output.WriteAsync(held.ToString());
        }
    }

    public Task WriteLineAsync(string line) => Output.WriteLineAsync(line);

    public Task WarnAsync(string text) => ErrorLineAsync($"{Command}: {text}");

    /// <summary>Writes one line to stderr, whatever is in the text.</summary>
    public Task ErrorLineAsync(string text) => Error.WriteLineAsync(VisibleText.Of(text));

    public async Task WriteTableAsync(TextTable table)
    {
        if (IsTerminal)
            TerminalTable.Write(table, Output);
        else
            await Output.WriteAsync(table.ToPlainText());
    }

    private async Task<int> FailAsync(string message, int exitCode)
    {
        await WarnAsync(message);
        return exitCode;
    }
}
