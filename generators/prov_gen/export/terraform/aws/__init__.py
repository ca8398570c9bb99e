"""AWS: what each kind becomes. Written for version 6 of the provider, hashicorp/aws."""

from prov_gen.export.terraform.aws.account import LIMITS, SECURITY
from prov_gen.export.terraform.aws.backup import BACKUP
from prov_gen.export.terraform.aws.balancing import LOAD_BALANCER
from prov_gen.export.terraform.aws.compute import SERVER, VOLUME
from prov_gen.export.terraform.aws.data import CACHE, DATABASE
from prov_gen.export.terraform.aws.firewall import SECURITY_GROUP
from prov_gen.export.terraform.aws.kubernetes import KUBERNETES
from prov_gen.export.terraform.aws.names import CERTIFICATE, DNS, KMS_KEY, SECRET
from prov_gen.export.terraform.aws.network import NETWORKING
from prov_gen.export.terraform.aws.operations import LOG_GROUP, REGISTRY
from prov_gen.export.terraform.aws.storage import BUCKET, FILE_SYSTEM, QUEUE, TOPIC

TABLE = (
    NETWORKING, KMS_KEY, SECURITY_GROUP, SERVER, VOLUME, KUBERNETES, DATABASE, CACHE, BUCKET, CERTIFICATE, LOAD_BALANCER,
    FILE_SYSTEM, QUEUE, TOPIC, DNS, SECRET, REGISTRY, LOG_GROUP, BACKUP, SECURITY, LIMITS,
)  # fmt: skip
