using System.CommandLine;

namespace BucketEncryptionOperator.Commands;

/// <summary>The program's command line, from its words to its exit code.</summary>
internal static class CommandLine
{
    /// <param name="configuration">Where the output goes; null for the console.</param>
    public static Task<int> RunAsync(
        IReadOnlyList<string> words,
        Func<string, string?> environment,
        TimeProvider time,
        InvocationConfiguration? configuration = null,
        CancellationToken cancellationToken = default
    )
    {
        var root = new RootCommand(
            "Keeps the server-side encryption of object store buckets as BucketEncryptionPolicy objects declare it."
        )
        {
            RunCommand.Build(),
            PlanCommand.Build(environment, time),
            ExportCommand.Build(environment, time),
            StatusCommand.Build(environment, time),
            ReportCommand.Build(environment, time),
            DoctorCommand.Build(environment, time),
            PolicyChangeCommands.BuildReconcile(environment, time),
            PolicyChangeCommands.BuildSuspend(environment, time),
            PolicyChangeCommands.BuildResume(environment, time),
            ExplainCommand.Build(environment),
            CompletionCommand.Build(environment),
            BucketEncryptionCommand.Build(environment, time),
        };
        // No response files: a word that begins with @ may be an access key.
        var parsed = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        configuration ??= new InvocationConfiguration();
        // The host of the operator handles signals, and has its own time for it (--drain-timeout). This library would
        // end the process two seconds after the signal.
        if (parsed.CommandResult.Command.Name == RunCommand.Name)
            configuration.ProcessTerminationTimeout = null;
        return BucketEncryptionCommand.ProblemOf(parsed) is { } problem
            ? BucketEncryptionCommand.RefuseAsync(parsed, problem, configuration)
            : parsed.InvokeAsync(configuration, cancellationToken);
    }
}
