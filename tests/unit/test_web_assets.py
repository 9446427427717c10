"""The files that pages load: whose they are, that nobody has changed what others made, and under which licences."""

import gzip
import re
import tomllib
from hashlib import sha256
from typing import Any

from replayhouse.infra.web.assets import FOLDER

MANIFEST: dict[str, Any] = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))
LICENCES = FOLDER / "licences"


def test_every_file_is_ours_or_stands_in_the_manifest() -> None:
    vendored = [entry["file"] for entry in MANIFEST["vendored"]]
    assert sorted(MANIFEST["ours"] + vendored) == sorted(path.name for path in FOLDER.iterdir() if path.is_file())


def test_what_others_made_is_as_they_published_it() -> None:
    found = {entry["file"]: sha256((FOLDER / entry["file"]).read_bytes()).hexdigest() for entry in MANIFEST["vendored"]}
    assert found == {entry["file"]: entry["sha256"] for entry in MANIFEST["vendored"]}


def test_what_was_compressed_beforehand_is_the_file() -> None:
    packed = sorted((FOLDER / "packed").iterdir())
    assert [path.name for path in packed] == ["echarts.common.min.js.gz"]
    for path in packed:
        assert gzip.decompress(path.read_bytes()) == (FOLDER / path.name.removesuffix(".gz")).read_bytes()


def test_the_manifest_says_where_in_which_package_a_file_stands() -> None:
    for entry in MANIFEST["vendored"]:
        assert set(entry) == {"file", "package", "version", "path", "sha256", "licence", "texts"}
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]), entry


def test_each_licence_is_shipped_in_full() -> None:
    named = {text for entry in MANIFEST["vendored"] for text in entry["texts"]}
    assert named == {path.name for path in LICENCES.iterdir()}
    words = {
        "Apache-2.0": "Apache License",
        "BSD-3-Clause": "Redistributions in binary form",
        "0BSD": "with or without fee",
        "OFL-1.1": "SIL OPEN FONT LICENSE Version 1.1",
    }
    for entry in MANIFEST["vendored"]:
        texts = [(LICENCES / name).read_text(encoding="utf-8") for name in entry["texts"]]
        texts.append((FOLDER / entry["file"]).read_bytes().decode(errors="replace"))
        for licence in entry["licence"].split(" AND "):
            assert any(words[licence] in text for text in texts), (entry["file"], licence)


def test_no_style_or_script_of_ours_names_another_place() -> None:
    """The policy of contents would refuse to load it; so it should not be asked for."""
    for name in MANIFEST["ours"]:
        if name.endswith((".css", ".js")):
            assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", (FOLDER / name).read_text(encoding="utf-8")) == [], name
