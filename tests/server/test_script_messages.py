"""Rules about what the scripts say: `server/static/messages.js` has all of it, whole, with named placeholders."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "server" / "static"
CATALOGUE = (STATIC / "messages.js").read_text().partition("const MESSAGES = {\n")[2].partition("\n};\n")[0]
NAMES = re.findall(r"^  (\w+):", CATALOGUE, re.MULTILINE)
TEXTS = re.findall(r'"((?:[^"\\]|\\.)*)"', CATALOGUE)


def test_a_message_is_whole_and_filled_by_name() -> None:
    assert [text for text in TEXTS if not text or text != text.strip()] == []
    assert [text for text in TEXTS if re.search(r"[{}]", re.sub(r"\{\w+\}", "", text))] == []


def test_every_message_is_said_and_every_message_that_is_said_is_there() -> None:
    scripts = "\n".join(path.read_text() for path in STATIC.glob("*.js") if path.name != "messages.js")
    assert len(NAMES) == len(set(NAMES))
    assert [name for name in NAMES if f'"{name}"' not in scripts] == []
    assert set(re.findall(r'\bsay\("(\w+)"', scripts)) <= set(NAMES)


def test_no_script_has_a_sentence_of_its_own() -> None:
    sentence = re.compile(r"[\"`“][A-Z][a-z]+ [a-z][^\"`]*[.…?][\"`]")
    scripts = [path for path in STATIC.glob("*.js") if path.name != "messages.js"]
    assert [path.name for path in scripts if sentence.search(re.sub(r"//.*|/\*\*.*\*/", "", path.read_text()))] == []
