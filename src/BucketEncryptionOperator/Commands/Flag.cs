using System.CommandLine;
using System.Globalization;
using BucketEncryptionOperator.Hosting;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// One flag of <c>run</c>: its name, its help, its default, and the setting that it sets. docs/flags.md repeats the
/// first three; a test compares them.
/// </summary>
/// <param name="Help">What the flag does, without its default.</param>
/// <param name="Default">The default as people read it.</param>
/// <param name="Set">Copies the value of the command line, or the default, to the setting.</param>
internal sealed record Flag(Option Option, string Help, string Default, Action<OperatorOptions, ParseResult> Set)
{
    private static readonly OperatorOptions Defaults = new();

    public string Name => Option.Name;

    /// <summary>A flag whose default is the value of its setting in new <see cref="OperatorOptions"/>.</summary>
    public static Flag Of<T>(
        string name,
        string help,
        Func<OperatorOptions, T> get,
        Action<OperatorOptions, T> set,
        string? shownDefault = null
    )
    {
        var value = get(Defaults);
        var option = new Option<T>(name) { Description = help, DefaultValueFactory = _ => value };
        return new Flag(
            option,
            help,
            shownDefault ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
            (options, parsed) => set(options, parsed.GetValue(option) ?? value)
        );
    }

    /// <summary>A flag for a time in whole seconds.</summary>
    public static Flag Seconds(
        string name,
        string help,
        Func<OperatorOptions, TimeSpan> get,
        Action<OperatorOptions, TimeSpan> set
    ) => Of(name, help, o => (int)get(o).TotalSeconds, (o, seconds) => set(o, TimeSpan.FromSeconds(seconds)));

    /// <summary>A flag for a time in whole minutes.</summary>
    public static Flag Minutes(
        string name,
        string help,
        Func<OperatorOptions, TimeSpan> get,
        Action<OperatorOptions, TimeSpan> set
    ) => Of(name, help, o => (int)get(o).TotalMinutes, (o, minutes) => set(o, TimeSpan.FromMinutes(minutes)));

    /// <summary>A flag that is off unless it is given.</summary>
    public static Flag Switch(string name, string help, Action<OperatorOptions, bool> set)
    {
        var option = new Option<bool>(name) { Description = help };
        return new Flag(option, help, "off", (options, parsed) => set(options, parsed.GetValue(option)));
    }

    /// <summary>A flag that may be left out; <paramref name="shownDefault"/> says what happens then.</summary>
    public static Flag Optional<T>(string name, string help, string shownDefault, Action<OperatorOptions, T?> set)
    {
        var option = new Option<T?>(name) { Description = $"{help} Default: {shownDefault}." };
        return new Flag(option, help, shownDefault, (options, parsed) => set(options, parsed.GetValue(option)));
    }

    /// <summary>A flag that takes several values: repeated, or separated by commas.</summary>
    public static Flag List(
        string name,
        string help,
        string shownDefault,
        Func<OperatorOptions, IReadOnlyList<string>> get,
        Action<OperatorOptions, IReadOnlyList<string>> set,
        StringSplitOptions split = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
    )
    {
        var values = get(Defaults);
        var option = new Option<string[]?>(name) { AllowMultipleArgumentsPerToken = true };
        if (values.Count > 0)
            (option.Description, option.DefaultValueFactory) = (help, _ => [.. values]);
        else
            option.Description = $"{help} Default: {shownDefault}.";
        return new Flag(
            option,
            help,
            shownDefault,
            (options, parsed) => set(options, [.. (parsed.GetValue(option) ?? []).SelectMany(v => v.Split(',', split))])
        );
    }
}
