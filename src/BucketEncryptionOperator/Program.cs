using System.CommandLine;
using BucketEncryptionOperator.Commands;

var root = new RootCommand("Keeps the server-side encryption of object store buckets as BucketEncryptionPolicy objects declare it.")
{
    RunCommand.Build(),
    BucketEncryptionCommand.Build(),
};
// No response files: a word that begins with @ may be an access key.
return await root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null }).InvokeAsync();
