"""The key file: it is made by itself, replaced in one step, and missed with a clear word."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from jobs.errors import KeysUnfit
from jobs.secrets import KeyFile


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "secret.keys")


def test_a_value_comes_back(keys: KeyFile) -> None:
    assert keys.decrypt(keys.encrypt("hünter2")) == "hünter2"


def test_the_ciphertext_says_nothing(keys: KeyFile) -> None:
    assert "hunter2" not in keys.encrypt("hunter2")
    assert keys.encrypt("hunter2") != keys.encrypt("hunter2")


def test_the_file_is_its_owners_alone(keys: KeyFile) -> None:
    keys.encrypt("hunter2")
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


def test_nothing_else_is_left_beside_it(keys: KeyFile) -> None:
    keys.encrypt("hunter2")
    keys.add_key()
    assert [path.name for path in keys.path.parent.iterdir()] == ["secret.keys"]


def test_a_lost_file_is_named_and_not_made_anew(keys: KeyFile) -> None:
    ciphertext = keys.encrypt("hunter2")
    keys.path.unlink()
    with pytest.raises(KeysUnfit, match=f"{keys.path} is missing"):
        keys.decrypt(ciphertext)
    assert not keys.exists()


def test_another_file_than_before_is_named(keys: KeyFile) -> None:
    ciphertext = keys.encrypt("hunter2")
    keys.path.write_bytes(Fernet.generate_key())
    with pytest.raises(KeysUnfit, match=f"no key in {keys.path} fits"):
        keys.decrypt(ciphertext)


@pytest.mark.parametrize("content", [b"", b"\n", b"no key\n", b"\xff\xfe", b"AAAA\n"])
def test_a_broken_file_is_named(keys: KeyFile, content: bytes) -> None:
    ciphertext = keys.encrypt("hunter2")
    keys.path.write_bytes(content)
    with pytest.raises(KeysUnfit, match=f"{keys.path} is broken"):
        keys.decrypt(ciphertext)


def test_a_file_that_cannot_be_read_is_named(keys: KeyFile) -> None:
    keys.path.mkdir()
    with pytest.raises(KeysUnfit, match="cannot be read"):
        keys.decrypt("x")


def test_a_new_key_encrypts_and_the_old_one_still_decrypts(keys: KeyFile) -> None:
    old = keys.encrypt("hunter2")
    keys.add_key()
    new = keys.encrypt("hunter2")
    assert (keys.decrypt(old), keys.is_newest(old), keys.is_newest(new)) == ("hunter2", False, True)


def test_a_renewed_value_needs_no_old_key(keys: KeyFile) -> None:
    old = keys.encrypt("hunter2")
    keys.add_key()
    new = keys.renew(old)
    keys.drop_old_keys()
    assert keys.decrypt(new) == "hunter2"
    with pytest.raises(KeysUnfit):
        keys.decrypt(old)
