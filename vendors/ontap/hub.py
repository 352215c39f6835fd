"""The hub as a cluster: itself, its nodes, and its projects as SVMs."""

import uuid
from typing import Any

from django.db.models import F, IntegerField, TextField, Value
from django.utils.crypto import salted_hmac

from vendors.ontap.query.kinds import Integer, Text, Uuid
from vendors.ontap.query.lookups import Bytewise
from vendors.ontap.resources import Field, Member, Resource
from vendors.ontap.vendor import VENDOR

NAME = "jobhub"
GENERATION, MAJOR, MINOR = map(int, VENDOR.versions[0].split("."))
VERSION = {
    "full": f"NetApp Release {VENDOR.versions[0]}: JobHub",
    "generation": GENERATION,
    "major": MAJOR,
    "minor": MINOR,
}


def cluster() -> dict[str, Any]:
    """The hub's own row; its uuid is made of the secret key, which all of its processes share."""
    digest = salted_hmac("vendors.ontap.hub", "cluster", algorithm="sha256").digest()
    return {"uuid": uuid.UUID(bytes=digest[:16], version=4), "name": NAME}


_UUID = Member(("uuid",), lambda row, _: str(row["uuid"]))
_NAME = Member(("name",), lambda row, _: row["name"])
_VERSION = Member((), lambda _row, _: VERSION)
_NAMED = (Field("uuid", Uuid(), F("uuid")), Field("name", Text(), Bytewise(F("name"))))
_VERSIONED = tuple(
    Field(f"version.{name}", Integer(), Value(value, IntegerField()))
    if isinstance(value, int)
    else Field(f"version.{name}", Text(), Value(value, TextField()))
    for name, value in VERSION.items()
)

OF_CLUSTERS = (
    "active_directory auto_enable_activity_tracking auto_enable_analytics certificate cluster_network_overlay_enabled "
    "contact disaggregated dns_domains ha license location management_interfaces metric name_servers nodes "
    "ntp_servers peering_policy san_optimized statistics tags timezone"
)
OF_NODES = (
    "anti_ransomware_version cluster_interfaces controller date external_cache external_cache_bypass ha hw_assist "
    "is_spares_low location management_interfaces membership metric metrocluster model nvlog nvram owner "
    "serial_number service_processor snaplock state statistics storage_availability_zones storage_configuration "
    "system_aggregate system_id system_machine_type uptime vendor_serial_number vm"
)
OF_SVMS = (
    "aggregates aggregates_delegated anti_ransomware anti_ransomware_auto_switch_duration_without_new_file_extension "
    "anti_ransomware_auto_switch_from_learning_to_enabled anti_ransomware_auto_switch_minimum_file_count "
    "anti_ransomware_auto_switch_minimum_file_extension anti_ransomware_auto_switch_minimum_incoming_data "
    "anti_ransomware_auto_switch_minimum_learning_period anti_ransomware_default_volume_state "
    "anti_ransomware_incoming_write_threshold anti_ransomware_incoming_write_threshold_percent "
    "auto_enable_activity_tracking auto_enable_analytics certificate cifs dns fc_interfaces fcp ip_interfaces ipspace "
    "is_space_enforcement_logical is_space_reporting_logical iscsi language ldap max_volumes ndmp nfs nis nsswitch "
    "number_of_volumes_in_recovery_queue nvme qos_adaptive_policy_group_template qos_policy qos_policy_group_template "
    "s3 san_multipathing snapmirror snapshot_autodelete_enabled snapshot_policy snapshot_reserve_percent storage "
    "subtype total_volume_size_in_recovery_queue"
)
"""What the client library (9.19.1) may wish for beside that."""

CLUSTER = Resource(
    path="api/cluster",
    keys=(),
    members={"name": _NAME, "uuid": _UUID, "version": _VERSION},
    fields=(*_NAMED, *_VERSIONED),
    unset=frozenset(OF_CLUSTERS.split()),
)
NODES = Resource(
    path="api/cluster/nodes",
    keys=("uuid", "name"),
    members={"uuid": _UUID, "name": _NAME, "version": _VERSION},
    fields=(*_NAMED, *_VERSIONED),
    unset=frozenset(OF_NODES.split()),
)
SVMS = Resource(
    path="api/svm/svms",
    keys=("uuid", "name"),
    members={
        "uuid": _UUID,
        "name": _NAME,
        "state": Member((), lambda _row, _: "running"),
        "comment": Member(("description",), lambda row, _: row["description"] or None),
    },
    fields=(
        *_NAMED,
        Field("state", Text(), Value("running", TextField())),
        Field("comment", Text(), Bytewise(F("description"))),
    ),
    unset=frozenset(OF_SVMS.split()),
)
