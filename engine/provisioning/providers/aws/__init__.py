"""AWS, by boto3 (the extra `aws`). `provider.AwsProvider` is what others use; each other module is one service or one idea."""
