using System.CommandLine;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>completion</c>: a script for a shell. It asks the program itself (the directive <c>[suggest]</c>), so that it is
/// never older than the program.
/// </summary>
internal static class CompletionCommand
{
    private const string Program = "bucket-encryption-operator";

    private const string Bash = $$"""
        _bucket_encryption_operator() {
          local IFS=$'\n'
          local words
          words=$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
          COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _bucket_encryption_operator {{Program}}

        """;

    private const string Zsh = $$"""
        #compdef {{Program}}
        _bucket_encryption_operator() {
          local line="$words"
          compadd -- ${(f)"$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)"}
        }
        compdef _bucket_encryption_operator {{Program}}

        """;

    private const string Fish = $$"""
        complete -f -c {{Program}} -a '({{Program}} "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'

        """;

    private static readonly Argument<string> Shell = new("shell") { Description = "bash, zsh or fish." };

    public static Command Build(Func<string, string?> environment)
    {
        var command = new Command("completion", "Print a completion script for a shell.") { Shell };
        CommandConsole.SetAction(command, environment, (parsed, console, _) => RunAsync(parsed, console));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CommandConsole console)
    {
        var script = parsed.GetValue(Shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            var other => throw new UsageException($"{other}: the shell must be bash, zsh or fish"),
        };
        await console.Output.WriteAsync(script.ReplaceLineEndings("\n"));
        return 0;
    }
}
