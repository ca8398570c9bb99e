"""The key that a resource's data is encrypted under, when it is not AWS's own."""

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.errors import GoneError
from provisioning.resource import Wanted


def key_of(aws: Aws, wanted: Wanted) -> str:
    """The ARN of the key that it names, "" where it names none. Raises ProviderError where KMS has none of that name."""
    name = wanted.values.get("kms_key")
    if not name:
        return ""
    refs = wanted.named("kms_key")
    if refs:
        return str(refs[0].outputs.get("arn") or refs[0].id)
    try:
        return str(aws.call("kms", "describe_key", KeyId=f"alias/{name}")["KeyMetadata"]["Arn"])
    except GoneError:
        raise ProviderError(
            f"AWS: {wanted.address} names the key {name}, and KMS has no alias/{name} in {aws.region}",
            hint=f"Make a key in KMS with the alias alias/{name}, or leave kms_key out.",
        ) from None
