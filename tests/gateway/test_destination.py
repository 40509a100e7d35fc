"""Where webhooks may go: how addresses are written, and what their names lead to."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.errors import InvalidInput
from momokit.gateway.core.destinations import (
    DEVELOPMENT,
    PUBLIC,
    Allowance,
    may_be_reached,
    read_destination,
    read_networks,
)
from momokit.gateway.destination import (
    ForbiddenDestination,
    SystemResolver,
    UnknownHost,
    addresses_of,
)
from tests.gateway.addresses import BAD, GOOD, NOT_PUBLIC


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio."""
    return "asyncio"


class Names:
    """A name service that says what the test says, one answer for each question."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, /) -> Sequence[str]:
        """Give the next answer; the last one again and again."""
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise OSError("no such name")
        return answer


def test_the_corpus_is_large_enough() -> None:
    """What is refused is tried in well over a hundred ways."""
    assert (len(set(BAD)) >= 120, len(set(BAD)) == len(BAD)) == (True, True)


@pytest.mark.parametrize("url", BAD)
def test_an_address_that_leads_inside_or_astray_is_refused(url: str) -> None:
    """It is refused for what it says, with no name looked up, and its words are not repeated."""
    with pytest.raises(InvalidInput) as refused:
        read_destination(url)

    assert refused.value.field == "url"
    assert len(url) < 12 or url not in str(refused.value)


@pytest.mark.parametrize("url", GOOD)
def test_an_address_is_read_into_its_parts(url: str) -> None:
    """What is looked up, connected to and sent is fixed by one reading."""
    read = read_destination(url)

    assert (read.scheme, read.host, read.port, read.target) == GOOD[url]


def test_the_host_header_names_a_port_when_it_is_not_the_usual_one() -> None:
    """It is what a browser would send."""
    urls = ("https://merchant.com:443/", "http://127.0.0.1:80/", "http://[::1]:8000/x")

    told = [read_destination(url, allowance=DEVELOPMENT).authority for url in urls]

    assert told == ["merchant.com", "127.0.0.1", "[::1]:8000"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/hooks", "http://localhost:3000/", "http://shop:8000/",
        "http://[::1]:5000/", "http://192.168.1.20/", "http://10.1.2.3:1/", "https://merchant.com/",
    ],
)  # fmt: skip
def test_development_reaches_this_machine_and_its_neighbours(url: str) -> None:
    """The allowance for development opens what a developer has at hand."""
    assert read_destination(url, allowance=DEVELOPMENT).target[0] == "/"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/", "http://169.254.1.1/", "http://0.0.0.0/", "http://[::]/",
        "http://[fd00:ec2::254]/", "http://224.0.0.1/", "http://127.1/", "http://2130706433/",
        "http://user@127.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://100.100.100.200/",
        "ftp://127.0.0.1/", "http://[::ffff:169.254.169.254]/", "http://[64:ff9b::a9fe:a9fe]/",
    ],
)  # fmt: skip
def test_no_allowance_opens_a_machine_s_own_keys(url: str) -> None:
    """Metadata services, other spellings and hidden addresses stay closed in development too."""
    with pytest.raises(InvalidInput):
        read_destination(url, allowance=DEVELOPMENT)


def test_even_all_networks_leave_metadata_closed() -> None:
    """An operator who allows everything has not thought of the metadata service."""
    everything = Allowance(networks=read_networks(("0.0.0.0/0", "::/0")))

    told = [
        may_be_reached(ip_address(text), allowance=everything)
        for text in ("169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "10.0.0.1")
    ]

    assert told == [False, False, False, True]


def test_other_ports_are_allowed_by_list() -> None:
    """An operator may open a port, and others stay closed."""
    allowance = Allowance(ports=frozenset({443, 8443}))

    assert read_destination("https://merchant.com:8443/", allowance=allowance).port == 8443
    with pytest.raises(InvalidInput):
        read_destination("https://merchant.com:8444/", allowance=allowance)


def test_a_network_that_is_none_is_refused() -> None:
    """A slip in an allowance is told, not read as something else."""
    with pytest.raises(InvalidInput):
        read_networks(("10.0.0.1/8",))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else than a refusal comes out of a strange address."""
    for url in (text, f"https://{text}", f"https://{text}.com/", f"https://merchant.com{text}"):
        try:
            read = read_destination(url)
        except InvalidInput:
            continue
        assert (read.scheme, read.port, read.host.isascii()) == ("https", 443, True)


@given(st.ip_addresses(v=4).filter(lambda address: not address.is_global))
def test_what_python_calls_not_global_is_never_reached(address: object) -> None:
    """Our table of networks has no hole that the standard library knows of."""
    assert not may_be_reached(ip_address(str(address)))


@given(st.ip_addresses(v=6).filter(lambda address: not address.is_global))
def test_what_python_calls_not_global_is_never_reached_in_ipv6(address: object) -> None:
    """Our table of networks has no hole that the standard library knows of."""
    assert not may_be_reached(ip_address(str(address)))


@pytest.mark.anyio
@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """A public name for a private address is the oldest trick."""
    with pytest.raises(ForbiddenDestination) as refused:
        await addresses_of("merchant.com", resolver=Names([address]))

    assert address not in str(refused.value)


@pytest.mark.anyio
async def test_one_bad_address_spoils_all() -> None:
    """A name with a public and a private address is not tried at the public one."""
    with pytest.raises(ForbiddenDestination):
        await addresses_of("merchant.com", resolver=Names(["8.8.8.8", "8.8.4.4", "10.0.0.1"]))


@pytest.mark.anyio
async def test_both_kinds_of_addresses_come_in_turns() -> None:
    """The first kind is the name service's choice; a dead kind does not use up all tries."""
    names = Names(["2606:4700::1", "2606:4700::2", "2606:4700::1", "8.8.8.8"])

    found = await addresses_of("merchant.com", resolver=names)

    assert list(map(str, found)) == ["2606:4700::1", "8.8.8.8", "2606:4700::2"]


@pytest.mark.anyio
async def test_an_ip_address_is_not_looked_up() -> None:
    """It is judged as it is."""
    names = Names([])

    assert list(map(str, await addresses_of("8.8.8.8", resolver=names))) == ["8.8.8.8"]
    with pytest.raises(ForbiddenDestination):
        await addresses_of("127.0.0.1", resolver=names)
    assert names.asked == []


@pytest.mark.anyio
async def test_a_name_that_leads_nowhere_is_said_so() -> None:
    """An unknown name is told apart from a forbidden one."""
    with pytest.raises(UnknownHost):
        await addresses_of("merchant.com", resolver=Names([]))


@pytest.mark.anyio
async def test_the_machine_s_own_name_service_is_judged_too() -> None:
    """`localhost` is found, and refused where development is not allowed."""
    resolver = SystemResolver()

    found = await addresses_of("localhost", resolver=resolver, allowance=DEVELOPMENT)
    with pytest.raises(ForbiddenDestination):
        await addresses_of("localhost", resolver=resolver, allowance=PUBLIC)
    resolver.close()

    assert all(address.is_loopback for address in found)
