"""One idea, one name: a method is a file of code, of configuration and of tests, and a paper."""

import ast
import dataclasses
import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.references import FILE, KEY, bibliography, fields_of, values_of
from steelyard.weighting.base import Weighting

ROOT = Path(__file__).parents[2]
METHODS = sorted(
    path.stem
    for path in (ROOT / "src/steelyard/weighting").glob("[a-z]*.py")
    if path.stem != "base"
)
CHOICES = sorted(
    path
    for path in (ROOT / "conf").glob("*/*.yaml")
    if path.parent.name not in {"experiment", "sweep", "loss_weights"}
)
DATA = sorted((ROOT / "conf/data").glob("*.yaml"))
STUDIES = sorted(path.stem for path in (ROOT / "conf/experiment").glob("*.yaml"))
BANNED = {"utils", "helpers", "common", "misc", "core", "manager"}


def method_in(stem: str) -> type[Weighting]:
    """Returns the method that a file defines."""
    module = importlib.import_module(f"steelyard.weighting.{stem}")
    found = [
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Weighting) and each.__module__ == module.__name__
    ]
    assert len(found) == 1
    return found[0]


@cache
def configured(path: Path) -> Any:
    """Returns what a configuration file holds, and what it chooses of other groups."""
    config: Any = OmegaConf.load(path)
    if "defaults" not in config:
        return config
    return composed(f"{path.parent.name}={path.stem}")[path.parent.name]


def composed(*overrides: str) -> Any:
    """Returns the configuration that overrides make."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("config", list(overrides))


def default_of(stem: str) -> Weighting:
    """Returns the method of a file at its defaults; one that holds another holds the file's."""
    kind = method_in(stem)
    config = configured(ROOT / f"conf/weighting/{stem}.yaml")
    held = [each.name for each in dataclasses.fields(kind) if each.default is dataclasses.MISSING]
    return kind(**{name: construct(config[name]) for name in held})


def plain(value: Any) -> Any:
    """Returns a value with lists for tuples, and dataclasses as what they hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name != "_target_"}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def test_every_method_has_a_configuration_and_a_test() -> None:
    assert {path.stem for path in (ROOT / "conf/weighting").glob("*.yaml")} == set(METHODS)
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests/weighting").glob("test_*")}
    assert tested - {"claims"} == set(METHODS)


@pytest.mark.parametrize("stem", METHODS)
def test_a_method_s_paper_is_in_the_references(stem: str) -> None:
    assert method_in(stem).paper in bibliography()


def test_a_key_that_a_docstring_names_is_in_the_references() -> None:
    for path in (ROOT / "src/steelyard").glob("*/*.py"):
        assert set(KEY.findall(path.read_text())) <= set(bibliography()), path


def test_a_file_that_an_entry_is_known_by_is_a_data_set_s() -> None:
    nodes = [OmegaConf.to_container(OmegaConf.load(path)) for path in DATA]
    files = {file for node in nodes for file in values_of("path", node)}
    named = [fields_of(entry).get(FILE) for entry in bibliography().values()]
    assert {file for file in named if file} <= files


@pytest.mark.parametrize("path", CHOICES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_configuration_shows_every_knob(path: Path) -> None:
    config = configured(path)
    module, _, name = config["_target_"].rpartition(".")
    if module.startswith("keras") or path.parent.name == "optimizer":
        return  # Keras's knobs are Keras's; the file shows those that a user turns
    kind = getattr(importlib.import_module(module), name)
    given = set(config) - {"_target_"}
    assert given == {field.name for field in dataclasses.fields(kind)}


@pytest.mark.parametrize("stem", METHODS)
def test_a_method_s_configuration_is_its_defaults(stem: str) -> None:
    assert construct(configured(ROOT / f"conf/weighting/{stem}.yaml")) == default_of(stem)


@pytest.mark.parametrize(
    "name",
    [
        "data/posts_synthetic",
        "data/dials",
        "data/digits",
        "data/canvas",
        "training/default",
        "runtime/deterministic",
        "balance/native",
    ],
)
def test_a_default_configuration_is_the_constructor_s_defaults(name: str) -> None:
    thing = construct(OmegaConf.load(ROOT / f"conf/{name}.yaml"))
    assert plain(thing) == plain(type(thing)())


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_composes_and_says_what_it_asks(study: str) -> None:
    text = (ROOT / f"conf/experiment/{study}.yaml").read_text()
    for word in ("# Question", "# Run", "# Costs", "# Expect"):
        assert word in text
    assert composed(f"experiment={study}").study == study
    if study.startswith("book_"):
        return  # an example as published, which is run once and asks for no report
    assert (ROOT / f"experiments/{study}/README.md").is_file()


def test_locks_hold_no_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text()


def test_no_file_has_a_name_that_says_nothing() -> None:
    files = [
        path for room in ("src", "tests", "benchmarks") for path in (ROOT / room).rglob("*.py")
    ]
    assert not [path for path in files if path.stem in BANNED]


def test_every_file_of_the_source_opens_with_one_sentence() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        first = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
        assert first, path
        assert first[0].endswith("."), path
