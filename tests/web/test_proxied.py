"""Through a company's proxy, and not through it: the whole command, against a real proxy on loopback."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scraper import FetchOptions, NetworkOptions, PlanOptions, fetch, plan
from scraper.errors import InputError, StoppedEarlyError
from tests.command import Scraper, check, check_manifest
from tests.conftest import TENCH
from tests.standin import CompanyProxy, Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

PASSWORD = "s3/cr3t@#?%:é "  # noqa: S105 - of nobody
LOGIN = f"me:{PASSWORD}"
WRITTEN = f"me:{quote(PASSWORD, safe='')}"
N = 4


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(31, [(TENCH, "tench")], flickr=12, other=0, mix={Fate.ALIVE: 1})) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(standin: StandIn) -> Iterator[CompanyProxy]:
    with CompanyProxy(standin) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(standin: StandIn) -> Iterator[CompanyProxy]:
    with CompanyProxy(standin, credentials=LOGIN) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Scraper:
    """A class planned from a folder; nothing but a proxy leads to the stand-in."""
    standin.world.write_folder(tmp_path / "lists")
    scraper = Scraper(tmp_path)
    scraper.done("plan", TENCH, "-n", str(N), "--source", "lists")
    return scraper


def closed_port() -> int:
    """A port of ours that nobody listens on."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def fetched(scraper: Scraper, standin: StandIn, *words: str, code: int = 0) -> str:
    """Fetch with the stand-in's authority trusted; what was said on standard error."""
    return scraper.done("fetch", "--ca-certs", str(standin.ca_file), *words, code=code).err


def untouched(scraper: Scraper) -> None:
    """Nothing was spent: no request is on record, and every candidate waits."""
    check_manifest(scraper)
    assert scraper.rows("SELECT * FROM attempts") == []
    assert scraper.rows("SELECT DISTINCT state, outcome FROM candidates") == [("waiting", None)]
    for path in scraper.manifest.parent.iterdir():
        assert b"cr3t" not in path.read_bytes(), path


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "--proxy"])
@pytest.mark.parametrize("spelling", ["{}", "http://{}", "HTTP://{}/", "{} ", " http://{}/ "])
def test_the_spellings_that_curl_takes_work(
    planned: Scraper, standin: StandIn, proxy: CompanyProxy, variable: str, spelling: str
) -> None:
    written = spelling.format(proxy.place)
    before = len(proxy.asked)
    if variable == "--proxy":
        fetched(planned, standin, "--proxy", written)
    else:
        planned.variables[variable] = written
        fetched(planned, standin)
    assert planned.one("SELECT count(*) FROM images") == N
    assert proxy.asked[before:]
    assert all(asked.line.startswith("CONNECT ") for asked in proxy.asked[before:])
    check(planned)


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_password_is_decoded_before_it_is_sent(
    planned: Scraper, standin: StandIn, guarded: CompanyProxy, scheme: str
) -> None:
    planned.variables["HTTPS_PROXY"] = f"{scheme}{WRITTEN}@{guarded.place}"
    before = len(guarded.asked)
    fetched(planned, standin)
    assert planned.one("SELECT count(*) FROM images") == N
    assert {asked.credentials for asked in guarded.asked[before:]} == {LOGIN}
    check(planned)


def test_plain_requests_go_through_a_proxy_too(tmp_path: Path, standin: StandIn, guarded: CompanyProxy) -> None:
    """A list is asked for over http, the photos over https."""
    scraper = Scraper(tmp_path)
    scraper.variables["ALL_PROXY"] = f"{WRITTEN}@{guarded.place}"
    source = "http://www.image-net.org/api/imagenet.synset.geturls?wnid={wnid}"
    scraper.done("plan", TENCH, "-n", str(N), "--source", source)
    fetched(scraper, standin)
    assert scraper.one("SELECT count(*) FROM images") == N
    scraper.variables["ALL_PROXY"] = f"me:wrong@{guarded.place}"
    result = scraper.done("plan", "n02708093", "-n", str(N), "--source", source, code=4)
    assert "refuses the user name and password of ALL_PROXY (407)" in result.err
    assert scraper.rows("SELECT error FROM listings WHERE wnid = 'n02708093'") == []


def test_a_proxy_that_speaks_tls(planned: Scraper, standin: StandIn, tmp_path: Path) -> None:
    with CompanyProxy(standin, credentials=LOGIN, secure_to=tmp_path / "proxy.pem") as secure:
        planned.variables["HTTPS_PROXY"] = f"https://{WRITTEN}@{secure.place}"
        said = fetched(planned, standin, code=4)
        assert "the proxy https://***@127.0.0.1" in said
        assert "certificate verify failed" in said
        untouched(planned)
        both = tmp_path / "both.pem"
        both.write_bytes(standin.ca_file.read_bytes() + (tmp_path / "proxy.pem").read_bytes())
        planned.done("fetch", "--ca-certs", str(both))
    assert planned.one("SELECT count(*) FROM images") == N
    check(planned)


def test_hosts_named_in_no_proxy_are_asked_directly(tmp_path: Path, standin: StandIn) -> None:
    async def answer(_request: Request, wire: Wire) -> None:
        body = standin.world.listing(TENCH)
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    standin.script("127.0.0.1", "*", answer)
    scraper = Scraper(tmp_path)
    words = ("plan", TENCH, "--allow-private", "--source", f"http://127.0.0.1:{standin.http_port}/{{wnid}}")
    scraper.variables |= {"ALL_PROXY": f"127.0.0.1:{closed_port()}", "NO_PROXY": "example.org"}
    assert "the proxy" in scraper.done(*words, code=4).err
    scraper.variables["NO_PROXY"] = "example.org, 127.0.0.0/8"
    scraper.done(*words)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("socks5://127.0.0.1:1080", "the variable HTTPS_PROXY names a SOCKS proxy"),
        ("127.0.0.1:99999", "the variable HTTPS_PROXY has a port that is none"),
        ("http://", "the variable HTTPS_PROXY names no host"),
        (f"http://me:{PASSWORD.strip()}@127.0.0.1:3128", "the variable HTTPS_PROXY has a / ? # or"),
        ("http://me:s3#cr3t@127.0.0.1:3128", "the variable HTTPS_PROXY has a / ? # or"),
    ],
)
def test_a_proxy_that_cannot_be_is_named_before_anything_is_asked(
    planned: Scraper, standin: StandIn, value: str, said: str
) -> None:
    planned.variables["HTTPS_PROXY"] = value
    before = planned.snapshot()
    err = fetched(planned, standin, code=2)
    assert said in err
    assert "cr3t" not in err
    assert planned.snapshot() == before
    untouched(planned)
    del planned.variables["HTTPS_PROXY"]
    err = fetched(planned, standin, "--proxy", value, code=2)
    assert said.replace("the variable HTTPS_PROXY", "--proxy") in err
    assert "cr3t" not in err
    assert planned.snapshot() == before


def test_a_wrong_password_is_sent_once_and_spends_nothing(
    planned: Scraper, standin: StandIn, guarded: CompanyProxy
) -> None:
    """Sent by every thread, it would lock the account in many a company."""
    planned.variables["HTTPS_PROXY"] = f"http://me:s3cr3t@{guarded.place}"
    before = len(guarded.asked)
    err = fetched(planned, standin, code=4)
    assert "refuses the user name and password of HTTPS_PROXY (407)" in err
    assert "cr3t" not in err
    assert len(guarded.asked) == before + 1
    untouched(planned)
    planned.variables["HTTPS_PROXY"] = guarded.place
    assert "asks for a user name and a password (407)" in fetched(planned, standin, code=4)
    untouched(planned)
    planned.variables["HTTPS_PROXY"] = f"{WRITTEN}@{guarded.place}"
    fetched(planned, standin)
    assert planned.one("SELECT count(*) FROM images") == N


@pytest.mark.parametrize("status", [403, 302, 405])
def test_a_proxy_that_lets_nothing_through_spends_nothing(planned: Scraper, standin: StandIn, status: int) -> None:
    with CompanyProxy(standin, status=status) as closed:
        planned.variables["HTTPS_PROXY"] = closed.place
        assert "does not let us through to farm" in (said := fetched(planned, standin, code=4))
        assert f"(status {status})" in said
        assert len(closed.asked) == 1
    untouched(planned)


def test_a_closed_port_spends_nothing(planned: Scraper, standin: StandIn) -> None:
    planned.variables["HTTPS_PROXY"] = f"http://me:s3cr3t@127.0.0.1:{closed_port()}"
    said = fetched(planned, standin, code=4)
    assert "the proxy http://***@127.0.0.1" in said
    assert "Connection refused" in said
    assert "HTTPS_PROXY" in said
    assert "cr3t" not in said
    untouched(planned)


def test_a_proxy_without_an_address_spends_nothing(planned: Scraper, standin: StandIn) -> None:
    """`.invalid` never has one (RFC 6761)."""
    planned.variables["HTTPS_PROXY"] = "proxy.invalid:3128"
    assert "its name cannot be looked up" in fetched(planned, standin, code=4)
    untouched(planned)


def test_a_proxy_that_is_silent_spends_nothing(planned: Scraper, standin: StandIn) -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(64)
        planned.variables["HTTPS_PROXY"] = f"127.0.0.1:{sock.getsockname()[1]}"
        said = fetched(planned, standin, "--timeout", "0.5", code=4)
    assert "cannot be used" in said
    untouched(planned)


# --- whom to trust, and where to connect -----------------------------------------------------------------------------


def test_variables_for_certificates_are_checked_before_anything_is_asked(
    planned: Scraper, standin: StandIn, proxy: CompanyProxy
) -> None:
    empty, key, folder = planned.folder / "empty.pem", planned.folder / "key.pem", planned.folder / "certs"
    empty.touch()
    key.write_text("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    folder.mkdir()
    (folder / "ca.pem").write_bytes(standin.ca_file.read_bytes())  # OpenSSL does not look at names such as this
    planned.variables["HTTPS_PROXY"] = proxy.place
    for name, value, said in (
        ("SSL_CERT_FILE", "no.pem", "no.pem: no such file"),
        ("SSL_CERT_FILE", "empty.pem", "empty.pem: no certificate in PEM format"),
        ("SSL_CERT_FILE", "key.pem", "key.pem: no certificate in PEM format"),
        ("SSL_CERT_FILE", "certs", "certs: no such file"),
        ("SSL_CERT_DIR", "no-such-folder", "no-such-folder, which has no certificate"),
        ("SSL_CERT_DIR", f"certs{os.pathsep}nowhere", "which has no certificate that OpenSSL would find"),
    ):
        planned.variables[name] = value
        before = planned.snapshot()
        result = planned.done("fetch", code=2)
        assert f"the variable {name} names" in result.err
        assert said in result.err
        assert planned.snapshot() == before
        del planned.variables[name]
    untouched(planned)


def test_variables_for_certificates_are_honoured(planned: Scraper, standin: StandIn, proxy: CompanyProxy) -> None:
    folder = planned.folder / "certs"
    folder.mkdir()
    context = ssl.create_default_context(cafile=str(standin.ca_file))
    assert context.get_ca_certs()
    planned.variables |= {"HTTPS_PROXY": proxy.place, "SSL_CERT_FILE": str(standin.ca_file), "SSL_CERT_DIR": ""}
    planned.done("fetch")
    assert planned.one("SELECT count(*) FROM images") == N


def test_an_empty_variable_for_certificates_is_as_good_as_none(
    planned: Scraper, standin: StandIn, proxy: CompanyProxy
) -> None:
    planned.variables |= {"HTTPS_PROXY": proxy.place, "SSL_CERT_FILE": ""}
    fetched(planned, standin)
    assert planned.one("SELECT count(*) FROM images") == N


def test_a_rule_to_a_host_that_is_not_there_is_said_before_anything_is_asked(planned: Scraper) -> None:
    result = planned.run("fetch", "--connect-to", ":443:nowhere.invalid:443")
    assert result.code in (2, 4)  # without name servers nobody can say that there is no such host
    assert "--connect-to leads to nowhere.invalid" in result.err
    untouched(planned)


# --- any environment -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_environment_costs_a_candidate(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, standin: StandIn, guarded: CompanyProxy
) -> None:
    """Whatever the variables say: pictures come, or an error says which variable is wrong; nothing is ever lost."""
    closed = closed_port()
    place = st.sampled_from([guarded.place, f"127.0.0.1:{closed}", f"[::1]:{closed}", "127.0.0.1:0", "127.0.0.1:99999"])
    login = st.sampled_from(["", f"{WRITTEN}@", f"{LOGIN}@", "me:s3cr3t@", "me@", ":@", "@", "%@", "me:%2"])
    value = st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "http://", "socks5://", "http:/", "//", " ", "ftp://", "HTTP://"]),
        login,
        place,
        st.sampled_from(["", "/", " ", "/x", "#", "\n", "/proxy.pac", ", b:1"]),
    )
    names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"]
    variables = data.draw(st.dictionaries(st.sampled_from(names), value, min_size=1))
    variables.setdefault("https_proxy", data.draw(value))  # so that nobody is asked who is not here
    scraper = Scraper(tmp_path_factory.mktemp("any"))
    standin.world.write_folder(scraper.folder / "lists")
    plan([TENCH], PlanOptions(n=2, source=str(scraper.folder / "lists")), manifest=scraper.manifest)
    options = FetchOptions(out=scraper.images, threads=2, network=NetworkOptions(ca_certs=standin.ca_file))
    with pytest.MonkeyPatch.context() as environment:
        for name in names:
            environment.delenv(name, raising=False)
        for name, text in variables.items():
            environment.setenv(name, text)
        said = None
        try:
            fetch(options, manifest=scraper.manifest)
        except (InputError, StoppedEarlyError) as error:
            said = str(error)
    if said is None:
        assert scraper.one("SELECT count(*) FROM images") == 2
        check(scraper)
    else:
        assert any(name in said for name in variables), said
        assert "cr3t" not in said
        untouched(scraper)
