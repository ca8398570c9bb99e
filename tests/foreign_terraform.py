"""Terraform as other people write it, and the addresses that an import of it must list."""

from typing import Any

_MODULE = "${module.network.vpc_id}"

DOCUMENTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a web tier with count": (
        {
            "variable": {"key_name": {"type": "string"}},
            "resource": {
                "aws_security_group": {
                    "web": {
                        "name": "web",
                        "vpc_id": _MODULE,
                        "ingress": [{"from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}],
                    }
                },
                "aws_instance": {
                    "web": {
                        "count": 3,
                        "ami": "ami-0abc",
                        "instance_type": "t3.small",
                        "key_name": "${var.key_name}",
                        "subnet_id": "${element(module.network.private_subnets, count.index)}",
                        "vpc_security_group_ids": ["${aws_security_group.web.id}"],
                        "tags": {"Name": "web-${count.index}", "Number": "${count.index + 1}"},
                    }
                },
                "aws_ebs_volume": {"logs": {"count": 2, "availability_zone": "eu-west-1a", "size": 20, "type": "gp3"}},
                "aws_volume_attachment": {
                    "logs": {
                        "count": "2",
                        "device_name": "/dev/sdf",
                        "volume_id": "${aws_ebs_volume.logs[count.index].id}",
                        "instance_id": "${aws_instance.web[count.index].id}",
                    }
                },
            },
        },
        {
            "variable.key_name",
            "resource.aws_security_group.web.vpc_id",
            "resource.aws_instance.web.ami",
            "resource.aws_instance.web.key_name",
            "resource.aws_instance.web.subnet_id",
        },
    ),
    "buckets of a for_each and a bucket with a name of its own": (
        {
            "resource": {
                "aws_s3_bucket": {
                    "data": {"bucket": "acme-prod-invoices"},
                    "team": {"for_each": {"red": {"days": 7}, "blue": {"days": 30}}, "bucket": "acme-${each.key}"},
                    "odd": {"bucket": "Acme_Legacy"},
                },
                "aws_s3_bucket_lifecycle_configuration": {
                    "team": {
                        "for_each": {"red": {"days": 7}, "blue": {"days": 30}},
                        "bucket": "${aws_s3_bucket.team[each.key].id}",
                        "rule": [{"id": "age", "status": "Enabled", "filter": {}, "expiration": {"days": "${each.value.days}"}}],
                    }
                },
                "aws_s3_bucket_logging": {
                    "data": {
                        "bucket": "${aws_s3_bucket.data.id}",
                        "target_bucket": "${module.logs.bucket}",
                        "target_prefix": "data/",
                    }
                },
            },
        },
        {"resource.aws_s3_bucket.odd.bucket", "resource.aws_s3_bucket_logging.data"},
    ),
    "databases of engines that we have and of one that we have not": (
        {
            "resource": {
                "aws_db_instance": {
                    "main": {
                        "identifier": "orders-prod",
                        "engine": "postgres",
                        "instance_class": "db.m6g.large",
                        "allocated_storage": 100,
                        "vpc_security_group_ids": ["${module.db.group}"],
                    },
                    "events": {"identifier": "events", "engine": "aurora-postgresql", "instance_class": "db.r6g.large"},
                    "old": {"identifier": "old", "engine": "oracle-se2", "instance_class": "db.m5.large"},
                },
                "aws_backup_vault": {"nightly": {"name": "nightly"}},
                "aws_backup_plan": {
                    "nightly": {
                        "name": "nightly",
                        "rule": [{"rule_name": "r", "target_vault_name": "nightly", "schedule": "cron(0 5 * * ? *)"}],
                    }
                },
                "aws_backup_selection": {
                    "nightly": {
                        "name": "nightly",
                        "plan_id": "${aws_backup_plan.nightly.id}",
                        "iam_role_arn": "arn:aws:iam::1:role/b",
                        "resources": ["${aws_db_instance.main.arn}", "${aws_db_instance.events.arn}"],
                    }
                },
            }
        },
        {
            "resource.aws_db_instance.main.vpc_security_group_ids",
            "resource.aws_db_instance.events",
            "resource.aws_db_instance.old",
            "resource.aws_backup_plan.nightly.rule.0.rule_name",
            "resource.aws_backup_plan.nightly.rule.0.target_vault_name",
            "resource.aws_backup_selection.nightly.iam_role_arn",
            "resource.aws_backup_selection.nightly.resources",
        },
    ),
    "a zone and its records": (
        {
            "resource": {
                "aws_route53_zone": {"main": {"name": "example.com"}},
                "aws_route53_record": {
                    "www": {
                        "zone_id": "${aws_route53_zone.main.zone_id}",
                        "name": "www.example.com",
                        "type": "A",
                        "ttl": 60,
                        "records": ["192.0.2.7"],
                    },
                    "app": {
                        "zone_id": "${aws_route53_zone.main.zone_id}",
                        "name": "app.example.com",
                        "type": "A",
                        "alias": {
                            "name": "${module.lb.dns_name}",
                            "zone_id": "${module.lb.zone_id}",
                            "evaluate_target_health": True,
                        },
                    },
                },
            }
        },
        {
            "resource.aws_route53_record.app.alias.name",
            "resource.aws_route53_record.app.alias.zone_id",
            "resource.aws_route53_record.app.alias.evaluate_target_health",
        },
    ),
    "wrong types": (
        {
            "resource": {
                "aws_instance": {"web": {"instance_type": 5, "ami": "ami-1", "monitoring": "yes"}},
                "aws_ebs_volume": {"data": {"availability_zone": "eu-west-1a", "size": "twenty"}},
            }
        },
        {
            "resource.aws_instance.web.instance_type",
            "resource.aws_instance.web.ami",
            "resource.aws_instance.web.monitoring",
            "resource.aws_ebs_volume.data.size",
        },
    ),
    "a load balancer at another cloud's network": (
        {
            "provider": {"google": {"region": "europe-west1", "project": "acme"}},
            "resource": {
                "google_compute_network": {"this": {"name": "prod-net", "auto_create_subnetworks": False}},
                "google_compute_subnetwork": {
                    "a": {
                        "name": "prod-a",
                        "network": "${google_compute_network.this.id}",
                        "ip_cidr_range": "10.1.0.0/24",
                        "region": "europe-west1",
                    }
                },
                "google_compute_instance": {
                    "vm": {
                        "name": "api-1",
                        "machine_type": "e2-medium",
                        "zone": "europe-west1-b",
                        "boot_disk": {"initialize_params": {"image": "debian-cloud/debian-12"}},
                        "network_interface": [{"subnetwork": "${google_compute_subnetwork.a.id}"}],
                    }
                },
                "google_compute_forwarding_rule": {"front": {"name": "front", "load_balancing_scheme": "EXTERNAL"}},
            },
        },
        {"provider.google.project", "resource.google_compute_forwarding_rule.front"},
    ),
}
