"""Tokens: found again by their text, and ended by time, by a word, by a changed password or a lost role."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.engine import retention
from jobs.engine.members import remove_member, set_user
from jobs.engine.rights import Actor, Right, actor_for
from jobs.engine.tokens import find_token, issue, revoke_token
from jobs.errors import Conflict, Forbidden, NotFound
from jobs.models import AuditEvent, Project, Token, User

TokenOf = Callable[..., str]


@pytest.fixture
def token_of(alpha: Project) -> TokenOf:
    def make(user: User, project: Project | None = alpha, **fields: object) -> str:
        return issue(user, project, methods="password", face="identity", address="10.0.0.7", **fields)  # type: ignore[arg-type]

    return make


def test_it_finds_who_holds_it(alice: User, alpha: Project, token_of: TokenOf) -> None:
    bearer = find_token(token_of(alice))

    assert bearer is not None
    assert (bearer.username, bearer.project_name, bearer.roles) == ("alice", "alpha", ["admin", "member", "reader"])
    assert bearer.actor("freezer").right(alpha.pk) is Right.ADMIN


@pytest.mark.parametrize(("who", "right"), [("rita", Right.SEE), ("bob", Right.EDIT), ("alice", Right.ADMIN)])
def test_it_gives_what_the_role_gives(
    who: str, right: Right, request: pytest.FixtureRequest, alpha: Project, beta: Project, token_of: TokenOf
) -> None:
    bearer = find_token(token_of(request.getfixturevalue(who)))

    assert bearer is not None
    assert [bearer.actor("freezer").right(project.pk) for project in (alpha, beta)] == [right, Right.NONE]


def test_a_service_sees_and_triggers_everywhere(charlie: User, op: Actor, beta: Project, token_of: TokenOf) -> None:
    set_user(charlie, actor=op, is_service=True)
    bearer = find_token(token_of(charlie))

    assert bearer is not None
    assert bearer.roles == ["service"]
    assert [bearer.actor("freezer").right(pk) for pk in (bearer.project_id, beta.pk)] == [Right.TRIGGER, Right.TRIGGER]
    assert actor_for(charlie, face="native").right(beta.pk) is Right.ADMIN


def test_the_database_holds_nothing_that_opens(alice: User, token_of: TokenOf) -> None:
    signature = token_of(alice).partition(".")[2]

    assert signature not in str(list(Token.objects.values()))
    assert signature not in str(list(AuditEvent.objects.values()))


def test_a_stranger_gets_none(charlie: User, token_of: TokenOf) -> None:
    with pytest.raises(NotFound):
        token_of(charlie)
    assert not Token.objects.exists()


@pytest.mark.parametrize("text", ["", ".", "abc.def", "\ud800", "0" * 32 + "." + "0" * 64, "x" * 100_000])
def test_it_finds_nobody_for_nonsense(text: str, db: None) -> None:
    assert find_token(text) is None


def test_a_changed_letter_is_noticed(alice: User, token_of: TokenOf) -> None:
    text = token_of(alice)

    assert find_token(text[:-1] + ("0" if text[-1] != "0" else "1")) is None


def test_a_longer_life_in_the_database_breaks_the_signature(alice: User, token_of: TokenOf) -> None:
    text = token_of(alice)
    Token.objects.update(expires_at=timezone.now() + timedelta(days=365))

    assert find_token(text) is None


def test_it_ends_with_its_time(alice: User, token_of: TokenOf, settings: object) -> None:
    text = token_of(alice)
    with time_machine.travel(timezone.now() + timedelta(seconds=3601), tick=False):
        assert find_token(text) is None


def test_it_lives_no_longer_than_the_one_it_was_made_from(alice: User, token_of: TokenOf) -> None:
    first = timezone.now() + timedelta(seconds=60)
    bearer = find_token(token_of(alice, expires_at=first))

    assert bearer is not None
    assert bearer.expires_at == first


def test_a_new_password_ends_it(alice: User, op: Actor, token_of: TokenOf) -> None:
    text = token_of(alice)
    set_user(alice, actor=op, password="another long passphrase")

    assert find_token(text) is None


def test_a_lost_role_ends_it(bob: User, alpha: Project, op: Actor, token_of: TokenOf) -> None:
    text = token_of(bob)
    remove_member(bob, alpha, actor=op)

    assert find_token(text) is None


def test_a_user_who_may_not_act_has_none(bob: User, op: Actor, token_of: TokenOf) -> None:
    text = token_of(bob)
    set_user(bob, actor=op, is_active=False)

    assert find_token(text) is None


def test_its_holder_may_revoke_it_once(alice: User, token_of: TokenOf) -> None:
    text, actor = token_of(alice), actor_for(alice, face="identity")
    revoke_token(text.partition(".")[0], actor=actor)

    assert find_token(text) is None
    with pytest.raises(Conflict):
        revoke_token(text.partition(".")[0], actor=actor)


def test_nobody_revokes_anothers(alice: User, bob: User, token_of: TokenOf) -> None:
    text = token_of(bob)
    with pytest.raises(Forbidden):
        revoke_token(text.partition(".")[0], actor=actor_for(alice, face="identity"))

    assert find_token(text) is not None


def test_the_hourly_expiry_deletes_those_whose_time_is_over(alice: User, token_of: TokenOf) -> None:
    token_of(alice)
    retention.expire(now=timezone.now() + timedelta(minutes=59))
    kept = Token.objects.count()
    retention.expire(now=timezone.now() + timedelta(minutes=61))

    assert (kept, Token.objects.count()) == (1, 0)
