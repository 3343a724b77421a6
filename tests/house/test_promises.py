"""The repository keeps its own promises: documents, examples, versions, import directions."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from tests.house import reference

from openperp.api.dialect import Dialect
from openperp.api.endpoints import ENDPOINTS
from openperp.cli.clients import CLIENTS, Access, Client
from openperp.cli.main import VERBS, main
from openperp.node.config import load_config
from openperp.testing import Venue

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "tests" / "README.md"])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def fenced(text: str, language: str) -> list[str]:
    return [code for code, _ in shown(text, language)]


def shown(text: str, language: str) -> list[tuple[str, str]]:
    """Examples of a language, each with the output that stands right below it, if any does."""
    pattern = rf"^```{language}\n(.*?)^```\n(?:\n```text\n(.*?)^```)?"
    return re.findall(pattern, text, re.MULTILINE | re.DOTALL)


def prints(output: str, told: str) -> bool:
    """Whether this is the output that a document shows, in which … stands for whatever it omits."""
    pattern = re.escape(told.rstrip("\n")).replace("…", ".*")
    return re.fullmatch(pattern, output.rstrip("\n")) is not None


def test_the_changelog_has_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert version in headings
    assert importlib.metadata.version("openperp") == version


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(fenced(README, "sh"))))
    assert {"run", "test"} <= named <= targets


def verb_commands() -> dict[str, click.Command]:
    """Every verb by its words: those of a group are "group verb"."""
    found: dict[str, click.Command] = {}
    for verb in VERBS:
        command = main.get_command(click.Context(main), verb)
        assert isinstance(command, click.Command)
        if isinstance(command, click.Group):
            found |= {f"{verb} {name}": each for name, each in command.commands.items()}
        else:
            found[verb] = command
    return found


COMMANDS = verb_commands()


def test_every_verb_and_flag_in_the_documents_exists() -> None:
    for document in DOCUMENTS:
        text = "\n".join(fenced(document.read_text(encoding="utf-8"), "sh"))
        for verb, rest in re.findall(r"openperp ([a-z]+)([^\n#|]*)", text):
            words = verb if verb in COMMANDS else f"{verb} {rest.split()[0]}"
            assert words in COMMANDS, (document, words)
            known = {flag for parameter in COMMANDS[words].params for flag in parameter.opts}
            named = set(re.findall(r"--[a-z-]+", rest)) - {"--help"}
            assert named <= known, (document, words, named - known)


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_help_with_an_example_and_json(verb: str) -> None:
    command = COMMANDS[verb]
    text = command.get_help(click.Context(command, info_name=f"openperp {verb}"))
    assert re.search(rf"Example: openperp {verb}\b", text)
    assert "--json" in text
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter
    assert f"openperp {verb}" in README


@pytest.mark.parametrize("client", [CLIENTS["ccxt"], CLIENTS["curl"]], ids=lambda each: each.name)
def test_the_readme_shows_what_doctor_prints(client: Client) -> None:
    access = Access("http://127.0.0.1:8686", "your_api_key", "your_api_secret")
    assert client.snippet(access) in fenced(README, client.language)


@pytest.mark.parametrize("name", CLIENTS)
def test_the_documents_name_every_client_of_doctor(name: str) -> None:
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    assert any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for text in texts)


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
            if "://" not in target:
                assert (document.parent / target).exists(), (document, target)


def test_the_glossary_has_each_word_once() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| (?!word \||---)(.+?) \|", glossary, re.MULTILINE)
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("docs/how-to/*.md")))
def test_every_how_to_is_named_in_the_readme(page: str) -> None:
    assert f"docs/how-to/{page}" in README


@pytest.mark.parametrize(
    ("output", "told", "expected"),
    [
        ('{"a":1,"b":2}\n', '{…"b":2}\n', True),
        ('{"a":1,"b":2}\n', '{"a":1,…}\n', True),
        ('{"a":1,"b":2}\n', '{…"b":3}\n', False),
        ("one\ntwo\n", "one…\n", False),
        ("one\n", "…one\n…\n", False),
    ],
)
def test_what_is_printed_is_compared(output: str, told: str, expected: bool) -> None:
    assert prints(output, told) == expected


def test_decisions_are_numbered_once() -> None:
    names = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]
    numbers = [name[:4] for name in names]
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names), names
    assert len(set(numbers)) == len(numbers), sorted(names)


@pytest.mark.parametrize("name", reference.pages())
def test_the_reference_is_current(name: str) -> None:
    written = (reference.DIRECTORY / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], "it is out of date: make docs"


def test_the_reference_has_every_endpoint_and_every_difference() -> None:
    pages = reference.pages()
    for endpoint in ENDPOINTS:
        assert f"| `{endpoint.method} {endpoint.path}` |" in pages["endpoints.md"]
    rows = [line for line in pages["dialects.md"].splitlines() if line.startswith("| ")]
    fields = set(Dialect.__struct_fields__) - {"name"}
    assert len(rows) == 2 + len(fields), "each row of the table needs a sentence under it"


def test_what_does_not_apply_is_said_in_sentences() -> None:
    page = reference.pages()["not-applicable.md"]
    for endpoint in ENDPOINTS:
        if endpoint.stance:
            assert re.fullmatch(r"[A-Z].*\.", endpoint.stance), endpoint.stance
            assert f"| `{endpoint.method} {endpoint.path}` | {endpoint.stance} |" in page


def test_configuration_examples_load(tmp_path: Path) -> None:
    for example in examples("toml"):
        file = tmp_path / "venue.toml"
        file.write_text(example.values[0], encoding="utf-8")
        load_config(file)


def examples(language: str) -> list[Any]:
    return [
        pytest.param(*example, id=f"{document.stem}-{number}")
        for document in DOCUMENTS
        for number, example in enumerate(shown(document.read_text(encoding="utf-8"), language))
    ]


@pytest.mark.venue(clock="real")
@pytest.mark.parametrize(("code", "told"), examples("python"))
def test_python_examples_run(venue: Venue, code: str, told: str, tmp_path: Path) -> None:
    """Each runs as it stands, with address and keys filled in; test functions under pytest."""
    file = tmp_path / "test_example.py"
    file.write_text(fill_in(code, venue), encoding="utf-8")
    options = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    output = run([sys.executable, *(options if "def test_" in code else []), str(file)], tmp_path)
    assert not told or prints(output, told), output


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
@pytest.mark.venue(clock="real")
@pytest.mark.parametrize(
    ("code", "told"), [each for each in examples("sh") if "curl" in each.values[0]]
)
def test_curl_examples_run(venue: Venue, code: str, told: str, tmp_path: Path) -> None:
    output = run(["sh", "-ec", fill_in(code, venue)], tmp_path)
    assert json.loads(output), output
    assert not told or prints(output, told), output


def walk_venue(text: str) -> dict[str, str]:
    """Options of the venue that a walk starts: market, clock and dialect of its `openperp run`."""
    (command,) = re.findall(r"openperp run\b(.*)", "".join(fenced(text, "sh")))
    given = dict(re.findall(r"--(market|clock|dialect) (\w+)", command))
    return {"clock": "real", **given}


WALKS = [
    pytest.param(text, marks=pytest.mark.venue(**walk_venue(text)), id=document.stem)
    for document in DOCUMENTS
    if fenced(text := document.read_text(encoding="utf-8"), "bash")
]
"""Documents whose commands belong together: each goes on where the one before it ended."""

NEXT = "--- next example ---\n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
@pytest.mark.parametrize("text", WALKS)
def test_walks_lead_where_they_say(venue: Venue, text: str, tmp_path: Path) -> None:
    steps = shown(text, "bash")
    script = f"printf '%s' '{NEXT}'\n".join(code for code, _ in steps)
    outputs = run(["bash", "-euc", fill_in(script, venue)], tmp_path).split(NEXT)
    answers = [json.loads(line) for output in outputs for line in output.splitlines()]
    assert [each for each in answers if "code" in each] == []
    for (code, told), output in zip(steps, outputs, strict=True):
        assert not told or prints(output, told), (code, output)
    if "liquidations" in text:
        check_liquidations(answers)


def check_liquidations(answers: list[Any]) -> None:
    """The one walk whose answers are too long to be shown does what it says step by step."""
    told = {each["account"]: each for each in answers if "liquidations" in each}
    steps = {
        name: [step["step"] for row in each["liquidations"] for step in row["steps"]]
        for name, each in told.items()
    }
    assert steps == {
        "lena": ["started", "staged", "filled", "deleveraged", "cleared", "ended"],
        "sam": ["ranked", "deleveraged"],
        "maria": ["started", "staged", "filled", "cleared", "ended"],
    }
    assert float(answers[-1]["balance"]) < 5_000


def fill_in(code: str, venue: Venue) -> str:
    """The example with the address of a venue and keys that open it."""
    for placeholder, value in {
        "http://127.0.0.1:8686": venue.rest,
        "your_api_key": venue.demo.api_key,
        "your_api_secret": venue.demo.api_secret,
        "$OPERATOR_TOKEN": venue.operator_token,
    }.items():
        code = code.replace(placeholder, value)
    return code


def run(command: list[str], directory: Path) -> str:
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=directory,
        env=environment,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_endpoint_in_the_readme_is_served(venue: Venue) -> None:
    _, _, rest = README.partition("## What it serves")
    named = re.findall(r"`([a-zA-Z/]+)`", rest.partition("## Two dialects")[0])
    for path in set(named) - {"/fapi/v", "/api", "/sapi", "/dapi"}:
        answers = [venue.request("GET", f"/fapi/v{version}/{path}") for version in (1, 2, 3)]
        assert {answer.status for answer in answers} != {404}, path
