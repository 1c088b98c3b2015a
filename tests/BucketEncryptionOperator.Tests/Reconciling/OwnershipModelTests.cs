using System.Globalization;
using BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// Random schedules of policies, people, vendors, API server and kills. <see cref="OwnershipOracle"/> judges them: who
/// may write a bucket, on which evidence, and what nobody may learn. <c>SEED</c> chooses the schedules.
/// <c>BEO_SCHEDULES</c> says how many there are (<c>make ownership-model</c> plays many). <c>SCHEDULE</c> plays one
/// alone and prints its story.
/// </summary>
public sealed class OwnershipModelTests(ITestOutputHelper output)
{
    /// <summary>Threads that schedules are spread over.</summary>
    private const int Threads = 2;

    /// <summary>Failures that are described. A long run goes on, and counts them all.</summary>
    private const int Described = 10;

    /// <summary>The first of the schedules of a usual run.</summary>
    private const int First = 77_000;

    [Fact]
    public void Only_the_owner_writes_on_fresh_evidence_and_nothing_is_weakened_or_learned_that_is_not_his()
    {
        // The usual run plays the same schedules each time, so that a failure comes from the change. The long run plays
        // others.
        var given = Environment.GetEnvironmentVariable("BEO_SCHEDULES");
        var first = given is null ? First : RandomSeed.NewRandom(output.WriteLine).Next();
        var schedules = given is null
            ? RandomSeed.Cases(2000)
            : int.Parse(given, NumberStyles.None, CultureInfo.InvariantCulture);
        if (
            int.TryParse(
                Environment.GetEnvironmentVariable("SCHEDULE"),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var one
            )
        )
            (first, schedules) = (one, 1);
        var (next, gate, failures) = (0, new Lock(), new List<string>());
        var (reconciles, writes, denials, kills) = (0, 0, 0, 0);

        // Threads of their own: a schedule's order would not be its seed's on threads of the pool.
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(Play)).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        output.WriteLine(
            $"{next} schedules from {first}: "
                + $"{reconciles} reconciles, {writes} writes, {denials} denials, {kills} kills"
        );
        Assert.True(
            failures.Count == 0,
            string.Join("\n\n", failures.Take(Described)) + $"\n{failures.Count} of {next} schedules failed"
        );

        void Play()
        {
            while (true)
            {
                int seed;
                lock (gate)
                {
                    if (next >= schedules || (given is null && failures.Count >= Described))
                        return;
                    seed = unchecked(first + next++) & int.MaxValue;
                }
                PlayOne(seed);
            }
        }

        void PlayOne(int seed)
        {
            using var schedule = new ModelSchedule(seed, tracesStory: schedules == 1);
            string? failure = null;
            try
            {
                schedule.Play();
            }
#pragma warning disable CA1031 // whatever went wrong is this schedule's failure
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure =
                    $"{e.Message}\n{(e is Xunit.Sdk.XunitException ? "" : e)}\n"
                    + $"{(schedules == 1 ? schedule.Story : "")}";
            }
            lock (gate)
            {
                (reconciles, writes, denials, kills) = (
                    reconciles + schedule.Reconciles,
                    writes + schedule.Writes,
                    denials + schedule.Denials,
                    kills + schedule.Kills
                );
                if (failure is not null)
                    failures.Add(failure);
            }
        }
    }
}
