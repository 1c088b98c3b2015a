# S3, as AWS has it: never without AES256, so that a removal leads there; a bucket's name with dots, whose requests have it in the path; the buckets' owner is checked.
# shellcheck shell=bash disable=SC2034
vendor=S3 region=eu-central-1 endpoint=http://s3.eu-central-1.amazonaws.com elsewhere=us-east-1 owner=111122223333
store=frankfurt store_sample=deploy/samples/bucketstore-s3.yaml secret=aws-keys
policy=aws-finance policy_sample=deploy/samples/policy-s3.yaml buckets=(finance-archive finance.ledger) key=arn:aws:kms:eu-central-1:111122223333:key/example-kms-key-id
mark="<KMSMasterKeyID>$key</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled>"
samples=(any-key aes256)
weak=AES256 scratch=aws:kms scratch_removed=AES256
plain=AES256
strong_policy=$policy strong_bucket=finance-archive strong_key=$key
weaken='{"spec":{"encryption":{"algorithm":"AES256","kmsKey":null,"bucketKeyEnabled":null}}}'
mend='{"spec":{"encryption":{"algorithm":"KMS","kmsKey":{"id":"'$key'"},"bucketKeyEnabled":true}}}'
not_offered='{algorithm: KMS, kmsDataEncryption: SM4}' refusal='spec.encryption.kmsDataEncryption: S3 does not offer it'
kms=aws:kms before='<ServerSideEncryptionConfiguration><Rule>' after='</Rule></ServerSideEncryptionConfiguration>'
