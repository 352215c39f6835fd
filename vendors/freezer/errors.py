"""Answers of the real server that no kind of problem stands for, and its texts."""

from typing import Any

from jobs.errors import JobHubError

FORBIDDEN = "You are not allowed to access this resource"
BAD_FORMAT = "Bad request format"
NO_TUPLE = "Tuple not registered with ID {id} in Table<class 'freezer_api.db.sqlalchemy.models.{table}'> "
DELETED = "Document with the specified ID already exists."


class Refusal(JobHubError):
    """What was asked for is not done."""

    def __init__(self, status: int, title: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.title = title

    @property
    def body(self) -> dict[str, Any]:
        return {"title": self.title, "description": self.message}


def bad_format(description: str) -> Refusal:
    return Refusal(400, BAD_FORMAT, description)


def unsuitable(description: str) -> Refusal:
    """It can be read, but not be done."""
    return Refusal(422, "Unprocessable Entity", description)


def forbidden(description: str = FORBIDDEN) -> Refusal:
    return Refusal(403, "Access Forbidden", description)


def exists(description: str) -> Refusal:
    return Refusal(409, "Document already existing", description)
