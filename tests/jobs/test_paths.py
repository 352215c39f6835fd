"""The guard of the file system."""

import os
from pathlib import Path

import pytest

from jobs.errors import Invalid
from jobs.paths import PathGuard


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    for name in ("allowed/sub", "source/examples", "source/jobs", "var/hub", "var/data", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def guard(hub: Path) -> PathGuard:
    return PathGuard(
        allowed=(hub / "allowed",),
        refused=(hub / "var/hub", hub / "source"),
        data=hub / "var/data",
        always=(hub / "var/data", hub / "source/examples"),
    )


def refusal(guard: PathGuard, path: object, *, tree: bool = True) -> str:
    with pytest.raises(Invalid) as error:
        guard.check(str(path), tree=tree)
    return error.value.errors[0].message


# -- it works --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["allowed", "allowed/sub", "allowed/not/there/yet", "var/data/x", "source/examples"])
def test_what_is_allowed_is_given(guard: PathGuard, hub: Path, name: str) -> None:
    assert guard.check(hub / name) == hub / name


def test_a_path_is_given_without_its_dots(guard: PathGuard, hub: Path) -> None:
    assert guard.check(f"{hub}/allowed/sub/../sub/.") == hub / "allowed/sub"


def test_a_link_within_what_is_allowed_is_given_resolved(guard: PathGuard, hub: Path) -> None:
    (hub / "allowed/link").symlink_to(hub / "allowed/sub")
    assert guard.check(hub / "allowed/link/x") == hub / "allowed/sub/x"


def test_a_relative_container_lies_below_the_hubs_data(guard: PathGuard, hub: Path) -> None:
    assert guard.container("box") == hub / "var/data/archives/box"


def test_an_absolute_container_is_a_path_like_others(guard: PathGuard, hub: Path) -> None:
    assert guard.container(str(hub / "allowed/box")) == hub / "allowed/box"


# -- what is refused -------------------------------------------------------------------------------------------
def test_what_is_outside_is_refused_with_the_name_of_the_setting(guard: PathGuard, hub: Path) -> None:
    assert "JOBHUB_ALLOWED_PATHS" in refusal(guard, hub / "elsewhere")


def test_a_neighbour_with_the_same_beginning_is_outside(guard: PathGuard, hub: Path) -> None:
    (hub / "allowed-not").mkdir()
    assert "JOBHUB_ALLOWED_PATHS" in refusal(guard, hub / "allowed-not")


@pytest.mark.parametrize("name", ["var/hub", "var/hub/secret_key", "source", "source/jobs"])
def test_what_is_the_hubs_own_is_refused(guard: PathGuard, hub: Path, name: str) -> None:
    assert "belongs to the hub itself" in refusal(guard, hub / name)


def test_what_is_the_hubs_own_is_refused_even_if_it_is_allowed(hub: Path) -> None:
    guard = PathGuard(allowed=(Path("/"),), refused=(hub / "var/hub",), data=hub / "var/data")
    assert "belongs to the hub itself" in refusal(guard, hub / "var/hub/x")


def test_a_tree_that_holds_the_hubs_own_files_is_refused(hub: Path) -> None:
    guard = PathGuard(allowed=(hub,), refused=(hub / "var/hub",), data=hub / "var/data")
    assert "holds the hub's own files" in refusal(guard, hub / "var")


def test_a_single_folder_above_the_hubs_own_files_is_given(hub: Path) -> None:
    guard = PathGuard(allowed=(hub,), refused=(hub / "var/hub",), data=hub / "var/data")
    assert guard.check(hub / "var", tree=False) == hub / "var"


@pytest.mark.parametrize("path", ["", "relative", "./x", "../x", "~", "~root/x", "a\0b", "/a\nb", "/\udc80"], ids=ascii)
def test_what_is_no_absolute_printable_path_is_refused(guard: PathGuard, path: str) -> None:
    assert refusal(guard, path).startswith("wanted a")


def test_dots_do_not_lead_out(guard: PathGuard, hub: Path) -> None:
    assert "JOBHUB_ALLOWED_PATHS" in refusal(guard, f"{hub}/allowed/../elsewhere")


def test_a_link_does_not_lead_out(guard: PathGuard, hub: Path) -> None:
    (hub / "allowed/link").symlink_to(hub / "elsewhere")
    assert "JOBHUB_ALLOWED_PATHS" in refusal(guard, hub / "allowed/link/x")


def test_a_link_does_not_lead_to_the_hubs_own(guard: PathGuard, hub: Path) -> None:
    (hub / "allowed/link").symlink_to(hub / "var/hub")
    assert "belongs to the hub itself" in refusal(guard, hub / "allowed/link")


def test_a_link_to_itself_is_refused_or_stays(guard: PathGuard, hub: Path) -> None:
    os.symlink(hub / "allowed/loop", hub / "allowed/loop")
    assert guard.check(hub / "allowed/loop").is_relative_to(hub / "allowed")


@pytest.mark.parametrize("name", ["..", "../../hub", "a/../../../../x", "", "a\0"], ids=ascii)
def test_a_container_does_not_leave_the_hubs_data(guard: PathGuard, hub: Path, name: str) -> None:
    try:
        found = guard.container(name)
    except Invalid:
        found = hub / "var/data"
    assert found.is_relative_to(hub / "var/data")
