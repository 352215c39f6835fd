"""Keys: made once, found by their text, refused when their time or their holder's is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.engine.keys import create_key, find_key, holder_of, revoke_key
from jobs.engine.rights import Actor, Right, actor_for
from jobs.errors import Conflict, Forbidden, Invalid
from jobs.models import ApiKey, AuditEvent, Membership, Project, User

KeyOf = Callable[..., str]


def test_it_finds_the_holder_by_the_text(alice: User, alpha: Project, key_of: KeyOf) -> None:
    holder = find_key(key_of(alice, "normal"))

    assert holder is not None
    assert holder.actor("native").right(alpha.pk) is Right.EDIT


def test_it_stores_no_secret(alice: User, key_of: KeyOf) -> None:
    secret = key_of(alice).split(".")[1]

    assert secret not in str(ApiKey.objects.values().get())
    assert secret not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("role", "level", "right"),
    [
        ("alice", "restricted", Right.TRIGGER),
        ("alice", "normal", Right.EDIT),
        ("alice", "admin", Right.ADMIN),
        ("bob", "admin", Right.EDIT),
        ("rita", "admin", Right.TRIGGER),
        ("rita", "restricted", Right.TRIGGER),
    ],
)
def test_a_key_gives_the_lower_of_role_and_level(
    role: str, level: str, right: Right, request: pytest.FixtureRequest, alpha: Project, key_of: KeyOf
) -> None:
    holder = find_key(key_of(request.getfixturevalue(role), level))

    assert holder is not None
    assert holder.actor("native").right(alpha.pk) is right


def test_a_superusers_key_stays_in_its_project(root: User, alpha: Project, beta: Project, key_of: KeyOf) -> None:
    holder = find_key(key_of(root, "admin", alpha))

    assert holder is not None
    assert holder.actor("native").right(beta.pk) is Right.NONE


@pytest.mark.parametrize("text", ["", ".", "abc", "abc.def", "\ud800.\ud800", "ä.ö", "x" * 100_000])
def test_it_finds_nobody_for_nonsense(text: str, db: None) -> None:
    assert find_key(text) is None


def test_it_refuses_a_wrong_secret(alice: User, key_of: KeyOf) -> None:
    assert find_key(key_of(alice)[:-1]) is None


def test_it_refuses_a_revoked_key(alice: User, op: Actor, key_of: KeyOf) -> None:
    text = key_of(alice)
    revoke_key(ApiKey.objects.get(), actor=op)

    assert find_key(text) is None


def test_a_key_is_found_by_its_id_while_it_lasts(alice: User, op: Actor, key_of: KeyOf) -> None:
    text = key_of(alice)
    key_id = text.partition(".")[0]
    assert holder_of(key_id) == find_key(text)

    revoke_key(ApiKey.objects.get(), actor=op)
    assert holder_of(key_id) is None
    assert holder_of("0" * 16) is None


def test_it_refuses_an_expired_key(alice: User, key_of: KeyOf) -> None:
    text = key_of(alice, expires_at=timezone.now() + timedelta(days=1))

    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert find_key(text) is None


def test_it_refuses_an_inactive_user(alice: User, key_of: KeyOf) -> None:
    text = key_of(alice)
    User.objects.update(is_active=False)

    assert find_key(text) is None


def test_it_refuses_a_former_member(alice: User, key_of: KeyOf) -> None:
    text = key_of(alice)
    Membership.objects.all().delete()

    assert find_key(text) is None


def test_it_notes_its_use_once_a_minute(alice: User, key_of: KeyOf) -> None:
    text = key_of(alice)
    now = timezone.now()
    uses = []
    for seconds in (0, 30, 61):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            find_key(text)
            uses.append(ApiKey.objects.get().last_used_at)

    assert uses == [now, now, now + timedelta(seconds=61)]


def test_it_costs_one_query(alice: User, key_of: KeyOf, django_assert_num_queries: Callable) -> None:
    text = key_of(alice)
    find_key(text)

    with django_assert_num_queries(1):
        find_key(text)


def test_only_an_admin_makes_keys(bob: User, alpha: Project) -> None:
    with pytest.raises(Forbidden):
        create_key(bob, alpha, "normal", actor=actor_for(bob, face="test"))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("level", {"level": "root"}),
        ("name", {"name": "a\0b"}),
        ("name", {"name": "n" * 101}),
        ("expires_at", {"expires_at": timezone.now() - timedelta(days=1)}),
    ],
)
def test_it_names_what_is_wrong(field: str, changes: dict, alice: User, alpha: Project, op: Actor) -> None:
    with pytest.raises(Invalid) as raised:
        create_key(alice, alpha, **{"level": "normal", **changes}, actor=op)

    assert [error.field for error in raised.value.errors] == [field]


def test_it_makes_no_key_for_a_stranger(charlie: User, alpha: Project, op: Actor) -> None:
    with pytest.raises(Invalid, match="no member"):
        create_key(charlie, alpha, "normal", actor=op)


def test_it_revokes_once(alice: User, op: Actor, key_of: KeyOf) -> None:
    key_of(alice)
    key = ApiKey.objects.get()
    revoke_key(key, actor=op)

    with pytest.raises(Conflict):
        revoke_key(key, actor=op)


def test_both_deeds_are_audited(alice: User, op: Actor, key_of: KeyOf) -> None:
    key_of(alice)
    revoke_key(ApiKey.objects.get(), actor=op)

    assert list(AuditEvent.objects.values_list("deed", flat=True)) == ["revoke key", "create key"]
