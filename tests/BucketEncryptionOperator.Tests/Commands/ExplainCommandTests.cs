using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed class ExplainCommandTests
{
    [Fact]
    public async Task Every_reason_is_explained()
    {
        foreach (var reason in Reasons.All.Where(r => r != Reasons.HttpStatus))
        {
            var ran = await Ran.Of(["explain", reason.Name]);

            Assert.True(ran.ExitCode == 0, ran.Errors);
            Assert.StartsWith(reason.Name + "\n", ran.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("\n#", ran.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("](", ran.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("AccessDenied", "lists under Permissions (docs/vendors).")]
    [InlineData("EndpointDown", "(limits (docs/limits.md))")]
    public async Task A_link_is_shown_as_its_text_and_page(string reason, string expected)
    {
        var ran = await Ran.Of(["explain", reason]);

        Assert.Contains(expected, ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_does_not_count_and_without_a_reason_all_are_listed()
    {
        var one = await Ran.Of(["explain", "downgraderefused"]);
        var all = await Ran.Of(["explain"]);

        Assert.StartsWith("DowngradeRefused\n", one.Output, StringComparison.Ordinal);
        Assert.Contains("\nDowngradeRefused\n", all.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_known_is_said_with_what_is_near()
    {
        var ran = await Ran.Of(["explain", "Downgrade"]);

        Assert.Equal((1, ""), (ran.ExitCode, ran.Output));
        Assert.Contains("there are DowngradeRefused", ran.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default -F")]
    [InlineData("zsh", "#compdef bucket-encryption-operator")]
    [InlineData("fish", "complete -f -c bucket-encryption-operator")]
    public async Task A_script_for_each_shell_asks_the_program(string shell, string expected)
    {
        var ran = await Ran.Of(["completion", shell]);

        Assert.Equal((0, ""), (ran.ExitCode, ran.Errors));
        Assert.Contains(expected, ran.Output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_suggests_its_commands()
    {
        var ran = await Ran.Of(["[suggest:1]", "p"]);

        Assert.Contains("plan", ran.Output.Split('\n', StringSplitOptions.TrimEntries));
    }

    [Fact]
    public async Task Another_shell_is_refused()
    {
        var ran = await Ran.Of(["completion", "tcsh"]);

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("bash, zsh or fish", ran.Errors, StringComparison.Ordinal);
    }
}
