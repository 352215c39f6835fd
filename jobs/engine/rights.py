"""Who may do what: the one place that decides, for all faces."""

from dataclasses import dataclass, field
from enum import IntEnum

from jobs.engine import refusals
from jobs.errors import Forbidden, NotFound
from jobs.models import AuditEvent, Level, Membership, Project, Role, User
from jobs.models.prepared import Prepared, insert


class Right(IntEnum):
    """What an actor may do in a project; each includes those before it."""

    NONE = 0
    SEE = 1
    """Read what is there."""
    TRIGGER = 2
    """Also start what exists and follow it."""
    EDIT = 3
    """Also define, abort, pause, retry, hold and delete."""
    ADMIN = 4
    """Also what uses privileged runners, and members and keys."""

    @property
    def verb(self) -> str:
        return "administer" if self is Right.ADMIN else self.name.lower()


DEED = "refuse deed"
OF_SERVICE = Right.TRIGGER
"""What a service may do in every project."""
OF_ROLE = {Role.READER: Right.SEE, Role.MEMBER: Right.EDIT, Role.ADMIN: Right.ADMIN}
MEMBERSHIPS = Prepared(Membership.objects.order_by("-is_default", "pk").values("project_id", "role"), "user")
OF_LEVEL = {Level.RESTRICTED: Right.TRIGGER, Level.NORMAL: Right.EDIT, Level.ADMIN: Right.ADMIN}


def right_of(role: str, level: str | None) -> Right:
    """The lower of what the role and the key give. A key of a reader may trigger: it was given for that."""
    of_role = OF_ROLE[Role(role)]
    if level is None:
        return of_role
    return min(max(of_role, Right.TRIGGER), OF_LEVEL[Level(level)])


@dataclass(frozen=True)
class Actor:
    """Somebody who asks for something: a user through a face, with or without a key, or the operator's shell."""

    name: str
    face: str
    user_id: int | None = None
    key_id: str = ""
    address: str = ""
    """Where a request came from."""
    project_id: int | None = None
    """The project in which names are looked up and jobs are made."""
    rights: dict[int, Right] = field(default_factory=dict)
    """What it may do, by project."""
    sees_all: bool = False
    """Superusers and the operator's shell: every right in every project."""
    everywhere: Right = Right.NONE
    """What it may do at least in every project: services."""

    def right(self, project_id: int) -> Right:
        return Right.ADMIN if self.sees_all else max(self.everywhere, self.rights.get(project_id, Right.NONE))

    def require(self, right: Right, project_id: int, what: str = "this") -> None:
        """Raises `NotFound` for a foreign project, `Forbidden` where the right is too low."""
        mine = self.right(project_id)
        if mine is Right.NONE:
            raise NotFound
        if mine < right:
            text = f"{what} needs the right to {right.verb}; {self.name} may only {mine.verb}"
            raise self.refusal(what, text, project_id)

    def require_everything(self, what: str) -> None:
        """Raises `Forbidden` for all but superusers and the operator's shell."""
        if not self.sees_all:
            raise self.refusal(what, f"{what} is for superusers only")

    def refusal(self, what: str, text: str, project_id: int | None = None) -> Forbidden:
        """What to raise where a right is missing; it is in the audit by then."""
        who = {"user_id": self.user_id, "key_id": self.key_id, "project_id": project_id}
        refusals.note(DEED, subject=what, face=self.face, address=self.address, username=self.name, beside=who)
        return Forbidden(text)

    @property
    def visible_projects(self) -> list[int] | None:
        """The projects it may look into, `None` for all."""
        return None if self.sees_all or self.everywhere else list(self.rights)

    @property
    def home(self) -> int:
        """The acting project's id; raises `Forbidden` for somebody without one."""
        if self.project_id is None:
            way_out = "name one" if self.visible_projects is None else "ask an administrator for a membership"
            text = f"{self.name} has no project; {way_out}"
            raise self.refusal("acting without a project", text)
        return self.project_id


def operator(face: str, project: Project | None = None) -> Actor:
    """Who types at the hub's own machine, or the hub itself."""
    return Actor(name="operator", face=face, project_id=project.pk if project else None, sees_all=True)


def actor_for(user: User, *, face: str, project: Project | None = None, address: str = "") -> Actor:
    """A user without a key, in the named project, else in the default one, else in the first.

    Raises `NotFound` when the named project is none of theirs.
    """
    memberships = MEMBERSHIPS.all(user.pk)
    rights = {row["project_id"]: right_of(row["role"], None) for row in memberships}
    if project and project.pk not in rights and not (user.is_superuser or user.is_service):
        raise NotFound
    home = project.pk if project else next((row["project_id"] for row in memberships), None)
    if home is None and user.is_superuser:
        home = Project.objects.order_by("pk").values_list("pk", flat=True).first()
    return Actor(
        name=user.username,
        face=face,
        user_id=user.pk,
        address=address,
        project_id=home,
        rights=rights,
        sees_all=user.is_superuser,
        everywhere=OF_SERVICE if user.is_service else Right.NONE,
    )


def audit(actor: Actor, deed: str, subject: str, project_id: int | None = None, **detail: object) -> None:
    """Write down a deed; call it inside the deed's transaction."""
    insert(
        AuditEvent(
            user_id=actor.user_id,
            username=actor.name,
            face=actor.face,
            key_id=actor.key_id,
            address=actor.address,
            project_id=project_id,
            deed=deed,
            subject=subject[:250],
            detail=detail,
        )
    )
