"""The certificate of the TLS ports: made, given, renewed, refused."""

import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509

from jobhub.certificates import BadCertificate, Pair, Source, Watch
from jobhub.env import BadSetting, read
from tests.jobhub.certificate import bring


def hub(**given: str) -> dict[str, Any]:
    return read({f"JOBHUB_{name}": value for name, value in given.items()})


def made(folder: Path, **given: str) -> Source:
    source = Source(hub(**given), folder)
    source.prepare()
    return source


def certificate(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def names(pair: Pair) -> set[str]:
    found = certificate(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


# -- made --------------------------------------------------------------------------------------------------------------
def test_one_is_made_for_all_names_of_the_hub(tmp_path: Path) -> None:
    source = made(
        tmp_path, HOSTS="jobs.example.org,.lan.example,192.0.2.7,*", BIND="192.0.2.9", BASE_URL="https://up.org"
    )

    assert names(source.pair) >= {
        "localhost",
        "127.0.0.1",
        "::1",
        "jobs.example.org",
        "*.lan.example",
        "192.0.2.7",
        "192.0.2.9",
        "up.org",
    }


def test_only_the_hub_may_read_it(tmp_path: Path) -> None:
    pair = made(tmp_path).pair

    assert {stat.S_IMODE(path.stat().st_mode) for path in (pair.certificate, pair.key)} == {0o600}


def test_it_is_no_authority(tmp_path: Path) -> None:
    found = certificate(made(tmp_path).pair).extensions.get_extension_for_class(x509.BasicConstraints).value

    assert not found.ca


def test_a_second_start_keeps_it(tmp_path: Path) -> None:
    first = made(tmp_path).pair.fingerprint()

    assert made(tmp_path).pair.fingerprint() == first


def test_it_is_made_anew_before_it_ends_with_the_same_key(tmp_path: Path) -> None:
    first = certificate(made(tmp_path).pair)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=800)):
        second = certificate(made(tmp_path).pair)

    assert second.not_valid_after_utc > first.not_valid_after_utc + timedelta(days=700)
    assert second.public_key() == first.public_key()


def test_it_is_made_anew_for_a_new_name(tmp_path: Path) -> None:
    made(tmp_path)

    assert "new.example.org" in names(made(tmp_path, HOSTS="new.example.org").pair)


@pytest.mark.parametrize("name", ["tls.crt", "tls.key"])
def test_a_spoilt_file_is_made_anew(name: str, tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / name).write_text("spoilt")

    made(tmp_path).pair.check()


# -- given -------------------------------------------------------------------------------------------------------------
def given(pair: Pair) -> Source:
    return Source(hub(TLS_CERT=str(pair.certificate), TLS_KEY=str(pair.key)), Path("/nowhere"))


def test_a_given_one_is_used_as_it_is(tmp_path: Path) -> None:
    pair = bring(tmp_path, "own")
    before = pair.fingerprint()
    source = given(pair)
    source.prepare()

    assert (source.pair, source.is_given, pair.fingerprint()) == (pair, True, before)


def test_one_that_has_ended_is_served_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given(bring(tmp_path, "old", ends_in=timedelta(days=-1))).prepare()

    assert "has ended" in caplog.text


def fault(pair: Pair) -> str:
    with pytest.raises(BadCertificate) as refused:
        given(pair).prepare()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_missing_file_is_refused_by_its_setting(tmp_path: Path) -> None:
    pair = bring(tmp_path, "own")

    assert fault(Pair(tmp_path / "none", pair.key)).startswith("JOBHUB_TLS_CERT: cannot read")
    assert fault(Pair(pair.certificate, tmp_path / "none")).startswith("JOBHUB_TLS_KEY: cannot read")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in fault(Pair(tmp_path, tmp_path))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    assert "belongs to another certificate" in fault(Pair(bring(tmp_path, "a").certificate, bring(tmp_path, "b").key))


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    assert "has a passphrase" in fault(bring(tmp_path, "own", passphrase=b"secret"))


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(text: str, tmp_path: Path) -> None:
    pair = bring(tmp_path, "own")
    pair.certificate.write_text(text)

    assert "are not a certificate and its key in PEM" in fault(pair)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"TLS_PORT": "8443,8443"}, "8443 is there twice"),
        ({"TLS_PORT": "8443,8000"}, "JOBHUB_TLS_PORT: 8000 is the plain port already"),
        ({"TLS_PORT": "70000"}, "from 1 to 65535"),
        ({"TLS_PORT": "https"}, "wanted a whole number"),
        ({"TLS_CERT": "/a.crt"}, "JOBHUB_TLS_KEY is missing"),
        ({"TLS_KEY": "/a.key"}, "JOBHUB_TLS_CERT is missing"),
    ],
)
def test_settings_that_do_not_agree_are_refused(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadSetting, match=complaint):
        hub(**settings)


# -- renewed -----------------------------------------------------------------------------------------------------------
def replace(old: Pair, new: Pair) -> None:
    new.certificate.replace(old.certificate)
    new.key.replace(old.key)


def test_a_renewal_is_noticed_once(tmp_path: Path) -> None:
    pair = bring(tmp_path, "own")
    watch = Watch(given(pair))
    quiet = watch.has_news()
    replace(pair, bring(tmp_path, "new"))

    assert (quiet, watch.has_news(), watch.has_news()) == (False, True, False)


def test_a_half_done_renewal_waits_for_its_other_half(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pair, new = bring(tmp_path, "own"), bring(tmp_path, "new")
    watch = Watch(given(pair))
    new.certificate.replace(pair.certificate)
    half = [watch.has_news(), watch.has_news()]
    new.key.replace(pair.key)

    assert (half, watch.has_news()) == ([False, False], True)
    assert caplog.text.count("going on with the certificate as it was") == 1


def test_a_certificate_that_is_away_for_a_moment_is_no_news(tmp_path: Path) -> None:
    pair = bring(tmp_path, "own")
    watch = Watch(given(pair))
    pair.key.rename(tmp_path / "aside")
    away = watch.has_news()
    os.rename(tmp_path / "aside", pair.key)

    assert (away, watch.has_news()) == (False, False)


def test_the_hubs_own_is_renewed_while_it_runs(tmp_path: Path) -> None:
    source = made(tmp_path)
    watch = Watch(source)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=800)):
        assert watch.has_news()


def test_it_can_be_loaded_by_strict_clients(tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=made(tmp_path).pair.certificate)

    assert context.cert_store_stats()["x509"] == 1
