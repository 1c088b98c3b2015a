using System.CommandLine;
using BucketEncryptionOperator.Commands;

var root = new RootCommand("Keeps the server-side encryption of object store buckets as BucketEncryptionPolicy objects declare it.")
{
    RunCommand.Build(),
};
return await root.Parse(args).InvokeAsync();
