using System.Globalization;
using System.Security.Cryptography;

namespace TestKit;

/// <summary>The seed of a random test: new with each run, or the environment's SEED to play a run again.</summary>
public static class RandomSeed
{
    /// <param name="print">Where the seed is told, so that a failure can be replayed.</param>
    public static Random NewRandom(Action<string> print)
    {
        var seed = int.TryParse(
            Environment.GetEnvironmentVariable("SEED"),
            NumberStyles.Integer,
            CultureInfo.InvariantCulture,
            out var given
        )
            ? given
            : RandomNumberGenerator.GetInt32(int.MaxValue);
        print($"SEED={seed}");
        return new Random(seed);
    }

    /// <summary>
    /// How many of the cases of a random test to run: all of them, or a tenth where the environment's BEO_TESTS says
    /// quick (make unit, make test).
    /// </summary>
    public static int Cases(int all) =>
        Environment.GetEnvironmentVariable("BEO_TESTS") == "quick" ? Math.Max(1, all / 10) : all;
}
