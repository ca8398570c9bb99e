"""Buckets (S3). A bucket's name is its identity: what exists under it and is not ours is refused."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.bucket_settings import bring, told_of
from provisioning.providers.aws.client import DEFAULT_REGION, Aws
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.kind import Query
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.tags import carries, differing, identity, pairs, tags_of, tags_told, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Found, Recorded, Wanted

_READERS = 8
"""Threads that read buckets: each needs a request for each of its settings."""

_EVERYTHING = frozenset({"*"})


class BucketKind:
    """A bucket with everything that is set on it."""

    name: ClassVar[str] = "bucket"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Made, tagged at once so that it is known as ours, then set up."""
        name = wanted.values["name"]
        known = self._tags(aws, name)
        if known is None:
            place: dict[str, Any] = (
                {} if aws.region == DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
            )
            lock: dict[str, Any] = {"ObjectLockEnabledForBucket": True} if wanted.values.get("object_lock") else {}
            aws.change(calls, "s3", "create_bucket", Bucket=name, **place, **lock)
        elif known and not carries(known, identity(wanted)):
            raise ProviderError(
                f"AWS: the bucket {name} exists and is not this configuration's",
                hint="Import it (`prov state import`), or choose another name.",
                bucket=name,
            )
        if not known or not carries(known, tags_of(wanted)):
            tags = {"TagSet": pairs({**(known or {}), **tags_of(wanted)})}
            aws.change(calls, "s3", "put_bucket_tagging", Bucket=name, Tagging=tags)
        bring(aws, name, wanted, _EVERYTHING, calls)
        return str(name)

    def _tags(self, aws: Aws, name: str) -> dict[str, str] | None:
        """A bucket's tags; None where there is no such bucket. Raises ProviderError where it is another account's."""
        try:
            return unpaired(aws.call("s3", "get_bucket_tagging", Bucket=name).get("TagSet"))
        except GoneError as error:
            if error.details.get("aws_code") == "NoSuchTagSet":
                # Made by an attempt that was cut off before its tags, or by somebody else: nobody can tell, and it is in our
                # account, for another account's would have been forbidden.
                if self._is_empty(aws, name):
                    return {}
                raise ProviderError(
                    f"AWS: the bucket {name} exists, has no tags and is not empty",
                    hint="Import it (`prov state import`), or choose another name.",
                    bucket=name,
                ) from None
            return None

    def _is_empty(self, aws: Aws, name: str) -> bool:
        return not aws.call("s3", "list_objects_v2", Bucket=name, MaxKeys=1).get("Contents")

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Each setting that differs is put anew."""
        bring(aws, one.id, wanted, paths, calls)
        known = self._tags(aws, one.id) or {}
        setting, gone = differing(known, tags_of(wanted), paths)
        if setting or gone:
            kept = {key: value for key, value in known.items() if key not in gone}
            aws.change(calls, "s3", "put_bucket_tagging", Bucket=one.id, Tagging={"TagSet": pairs({**kept, **setting})})

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Only an empty bucket goes: what it holds is nobody's to throw away unasked."""
        try:
            aws.remove(calls, "s3", "delete_bucket", Bucket=one.id)
        except ProviderError as error:
            if error.details.get("aws_code") == "BucketNotEmpty":
                raise ProviderError(
                    f"AWS: the bucket {one.id} is not empty",
                    hint=f"Empty it with all versions first: aws s3api list-object-versions --bucket {one.id}",
                    bucket=one.id,
                ) from None
            raise
        aws.wait(calls, f"bucket {one.id} is gone", lambda: not self._exists(aws, one.id), 120)

    def _exists(self, aws: Aws, name: str) -> bool:
        try:
            aws.call("s3", "head_bucket", Bucket=name)
        except GoneError:
            return False
        return True

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Buckets with their settings. Those of other regions are not looked at."""
        names = query.ids
        if names is None:
            names = tuple(bucket["Name"] for bucket in aws.call("s3", "list_buckets").get("Buckets", ()))
        with ThreadPoolExecutor(_READERS) as pool:
            return [found for found in pool.map(lambda name: self._found(aws, name, query), names) if found]

    def _found(self, aws: Aws, name: str, query: Query) -> Found | None:
        try:
            place = aws.call("s3", "head_bucket", Bucket=name).get("BucketRegion", aws.region)
        except GoneError:
            return None
        if query.ids is None and place != aws.region:
            return None
        tags = unpaired(aws.look("s3", "get_bucket_tagging", Bucket=name).get("TagSet"))
        if query.ids is None and not carries(tags, query.tags):
            return None
        values = query.values_of(name)
        told: Mapping[str, Any] = {"name": name, **told_of(aws, name, values), **tags_told(tags, values)}
        partition = "aws-cn" if aws.region.startswith("cn-") else "aws"
        outputs = {"id": name, "arn": f"arn:{partition}:s3:::{name}", "domain": f"{name}.s3.{place}.amazonaws.com"}
        return Found(self.name, name, "available", tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, {}, tags)
