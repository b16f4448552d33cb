"""A log is read the same however it was pasted: the verdict stays or is given up, and what was
done to it makes no cause certain."""

from pathlib import Path

import pytest

from simulator import formats
from simulator.explainer import explain
from simulator.verdict import Verdict
from tests.formats.pasted import LOSSY, WRAPS
from tests.formats.test_verdicts import TRANSCRIPTS

EACH = 6
"""Of so many examples one is tried with each wrapping, another with the next."""

NOT_YET = {
    ("t015_nc_auth_538_then_plain_after_220", "with numbers"),
    ("t016_mirc_ehlo_in_clear_after_220", "with numbers"),
    ("t016_mirc_ehlo_in_clear_after_220", "behind syslog's prefix"),
    ("t019_esa_telnet_help_no_starttls_de", "with numbers"),
    ("t048_sclient_wrong_version", "with numbers"),
    ("t048_sclient_wrong_version", "behind syslog's prefix"),
    ("t048_sclient_wrong_version", "broken at 72 columns"),
    ("t022_esa_maillog_dcid_not_supported", "broken at 72 columns"),
    ("t155_go_net_smtp_x509", "broken at 72 columns"),
    ("t059_wormly_both_sides", "cut at both ends"),
    ("t069_javamail_pkix", "with numbers"),
    ("t069_javamail_pkix", "cut at both ends"),
    ("t083_exim_mainlog_early_talker", "as strings of JSON"),
    ("t122_maddy_no_direction", "cut at both ends"),
    ("t131_mua_elixir_ehlo_twice_465", "quoted"),
}
"""What is still read otherwise: the layout's own signs, or what a person typed, are lost in it."""

CASES = [
    (path, wrap)
    for number, wrap in enumerate(WRAPS)
    for path in TRANSCRIPTS[number % EACH :: EACH]
    if (path.stem, wrap) not in NOT_YET
]


def read(text: str) -> list[Verdict]:
    """The verdicts over its sessions; none if nothing is left to read."""
    try:
        return [explain(session).verdict for session in formats.read(text)]
    except formats.CannotRead:
        return []


@pytest.mark.parametrize(
    ("path", "wrap"), CASES, ids=[f"{path.stem} {wrap}" for path, wrap in CASES]
)
def test_a_pasted_log_is_read_as_the_log_or_not_at_all(path: Path, wrap: str) -> None:
    text = path.read_bytes().decode("utf-16" if "utf16" in path.stem else "utf-8", "replace")
    bare, pasted = read(text), read(WRAPS[wrap](text))
    known = {cause.id for verdict in bare for cause in verdict.causes}
    sure = {c.id for verdict in pasted for c in verdict.causes if c.degree == "certain"}
    assert sure <= known
    if wrap not in LOSSY:
        assert {verdict.tls for verdict in pasted} <= {verdict.tls for verdict in bare} | {None}
