using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Output;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed class CommandConsoleTests
{
    [Fact]
    public async Task A_terminal_shows_how_far_the_work_is_and_what_it_writes_comes_after_it()
    {
        var (output, terminal) = (new StringWriter(), new StringWriter());
        var console = new CommandConsole("plan", output, TextWriter.Null, IsTerminal: true)
        {
            Progress = ProgressBar.On(terminal),
        };

        var result = await console.WithProgressAsync(
            "Reading [buckets]",
            async (show, inner) =>
            {
                show(0, 0);
                show(7, 10);
                await inner.WriteLineAsync("a line");
                Assert.Equal("", output.ToString());
                return 5;
            }
        );

        Assert.Equal(5, result);
        Assert.Contains("Reading [buckets] 7/10", terminal.ToString(), StringComparison.Ordinal);
        Assert.Equal("a line\n", output.ToString());
    }

    [Fact]
    public async Task What_was_written_is_shown_though_the_work_fails()
    {
        var output = new StringWriter();
        var console = new CommandConsole("reconcile", output, TextWriter.Null, IsTerminal: true)
        {
            Progress = ProgressBar.On(new StringWriter()),
        };

        await Assert.ThrowsAsync<IOException>(() =>
            console.WithProgressAsync<int>(
                "Reconciling",
                async (_, inner) =>
                {
                    await inner.WriteLineAsync("the first");
                    throw new IOException("gone");
                }
            )
        );

        Assert.Equal("the first\n", output.ToString());
    }

    [Fact]
    public async Task A_file_that_may_not_be_read_is_one_line_and_exit_code_1()
    {
        var errors = new StringWriter();
        var console = new CommandConsole("plan", TextWriter.Null, errors, IsTerminal: false);

        var code = await console.RunAsync(
            () => throw new UnauthorizedAccessException("Access to the path 'keys' is denied."),
            CancellationToken.None
        );

        Assert.Equal((1, "plan: Access to the path 'keys' is denied.\n"), (code, errors.ToString()));
    }

    [Fact]
    public async Task Where_nobody_watches_nothing_is_drawn_and_nothing_waits()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var console = new CommandConsole("plan", output, errors, IsTerminal: false);

        await console.WithProgressAsync(
            "Reading",
            async (show, inner) =>
            {
                show(1, 2);
                await inner.WriteLineAsync("now");
                Assert.Equal("now\n", output.ToString());
                return 0;
            }
        );

        Assert.Equal("", errors.ToString());
    }
}
