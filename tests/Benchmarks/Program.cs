using System.CommandLine;
using Benchmarks;

// The parts of `make bench` that speak to Kubernetes; bench.py puts them together.
var kubeconfig = new Option<string>("--kubeconfig") { Required = true };
var policies = new Option<int>("--policies") { Required = true };
var buckets = new Option<int>("--buckets") { DefaultValueFactory = _ => 1, Description = "Buckets per policy." };
var namespaces = new Option<string[]>("--namespace")
{
    DefaultValueFactory = _ => ["bench"],
    Description = "The policies take turns among these.",
};
var ns = new Option<string>("--namespace") { DefaultValueFactory = _ => "bench" };
var key = new Option<string>("--key") { Required = true, Description = "Id of the KMS key to declare." };
var generation = new Option<int>("--generation")
{
    DefaultValueFactory = _ => 1,
    Description = "Least generation of a policy that counts.",
};
var pages = new Option<bool>("--pages") { Description = "List by pages, not as a stream." };

var fill = new Command("fill", "Creates the policies.") { kubeconfig, policies, buckets, namespaces };
fill.SetAction(
    (parsed, token) =>
        new Fill(parsed.GetRequiredValue(kubeconfig)).CreateAsync(
            parsed.GetValue(policies),
            parsed.GetValue(buckets),
            parsed.GetRequiredValue(namespaces),
            token
        )
);

var change = new Command("change", "Gives policies another key.") { kubeconfig, policies, ns, key };
change.SetAction(
    (parsed, token) =>
        new Fill(parsed.GetRequiredValue(kubeconfig)).ChangeAsync(
            parsed.GetValue(policies),
            parsed.GetRequiredValue(ns),
            parsed.GetRequiredValue(key),
            token
        )
);

var ready = new Command("ready", "Waits until policies are Ready.") { kubeconfig, policies, generation };
ready.SetAction(
    (parsed, token) =>
        Ready.RunAsync(
            parsed.GetRequiredValue(kubeconfig),
            parsed.GetValue(policies),
            parsed.GetValue(generation),
            token
        )
);

var sync = new Command("sync", "Fills a cache with all policies, and ends.") { kubeconfig, policies, pages };
sync.SetAction(
    (parsed, token) =>
        Sync.RunAsync(parsed.GetRequiredValue(kubeconfig), parsed.GetValue(policies), parsed.GetValue(pages), token)
);

var hotPaths = new Command("hot-paths", "Runs each hot path, and prints its bytes; callgrind counts the instructions.");
hotPaths.SetAction(_ => HotPathCounts.Run());

return await new RootCommand("Parts of `make bench`.") { fill, change, ready, sync, hotPaths }
    .Parse(args)
    .InvokeAsync();
