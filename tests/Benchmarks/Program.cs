using System.CommandLine;
using Benchmarks;

// Each command prints one line of name=value pairs for table.py; bench.sh puts them together.
var kubeconfig = new Option<string>("--kubeconfig") { Required = true };
var policies = new Option<int>("--policies") { Required = true };
var buckets = new Option<int>("--buckets") { DefaultValueFactory = _ => 1, Description = "Buckets of each policy." };
var ns = new Option<string>("--namespace") { DefaultValueFactory = _ => "bench" };
var pages = new Option<bool>("--pages") { Description = "List by pages, not as a stream." };
var program = new Argument<string[]>("program")
{
    Description = "The program to run, and its arguments.",
    Arity = ArgumentArity.OneOrMore,
};

var fill = new Command("fill", "Creates the policies.") { kubeconfig, policies, buckets, ns };
fill.SetAction(
    (parsed, token) =>
        new Fill(parsed.GetRequiredValue(kubeconfig), parsed.GetRequiredValue(ns)).RunAsync(
            parsed.GetValue(policies),
            parsed.GetValue(buckets),
            token
        )
);

var sync = new Command("sync", "Fills a mirror with all policies, and ends.") { kubeconfig, policies, pages };
sync.SetAction(
    (parsed, token) =>
        Sync.RunAsync(parsed.GetRequiredValue(kubeconfig), parsed.GetValue(policies), parsed.GetValue(pages), token)
);

var job = new Command("job", "Runs a program until all policies are Ready, and ends it.")
{
    kubeconfig,
    policies,
    program,
};
job.SetAction(
    (parsed, token) =>
        Job.RunAsync(
            parsed.GetRequiredValue(kubeconfig),
            parsed.GetValue(policies),
            parsed.GetRequiredValue(program),
            token
        )
);

return await new RootCommand("Parts of `make bench`.") { fill, sync, job }
    .Parse(args)
    .InvokeAsync();
