using BucketEncryptionOperator.Commands;

return await CommandLine.RunAsync(args, Environment.GetEnvironmentVariable, TimeProvider.System);
