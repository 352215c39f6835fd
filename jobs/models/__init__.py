"""The tables of the core."""

from jobs.models.access import ApiKey, Level, Membership, Project, Role, Token, User
from jobs.models.archive import Archive
from jobs.models.audit import AuditEvent
from jobs.models.execution import ActionExecution, Dependency, JobExecution, Output
from jobs.models.job import Action, Condition, Job, JobAction, JobLink, LostPolicy, Place, WhenActive
from jobs.models.node import Leader, Node
from jobs.models.notice import Channel, Delivery, Event, Notice, Subscription
from jobs.models.schedule import CatchUp, Fate, Schedule, SlotFate
from jobs.models.secret import Secret

__all__ = [
    "Action",
    "ActionExecution",
    "ApiKey",
    "Archive",
    "AuditEvent",
    "CatchUp",
    "Channel",
    "Condition",
    "Delivery",
    "Dependency",
    "Event",
    "Fate",
    "Job",
    "JobAction",
    "JobExecution",
    "JobLink",
    "Leader",
    "Level",
    "LostPolicy",
    "Membership",
    "Node",
    "Notice",
    "Output",
    "Place",
    "Project",
    "Role",
    "Schedule",
    "Secret",
    "SlotFate",
    "Subscription",
    "Token",
    "User",
    "WhenActive",
]
