from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from perception_reward.service import keyring
from perception_reward.service.admission import Overloaded
from perception_reward.service.keyring import Key, Keyring, Usage

KEY = "0123456789abcdef-key"


def read(folder: Path, text: str) -> Keyring:
    file = folder / "keys.toml"
    file.write_text(text, encoding="utf-8")
    return Keyring(file=file)


@pytest.mark.parametrize(
    "said",
    [
        f'key = "{KEY}"', f'key = ["another-0123456789", "{KEY}"]', 'key_file = "file.key"',
        f'sha256 = "{hashlib.sha256(KEY.encode()).hexdigest().upper()}"',
    ],
)  # fmt: skip
def test_a_key_is_known_however_it_is_written_down(tmp_path: Path, said: str):
    (tmp_path / "file.key").write_text(f"\n{KEY}\n")
    ring = read(tmp_path, f'[trainer]\n{said}\nmay = ["score"]\n')
    found = ring.find(KEY.encode())
    assert found is not None
    assert (found.name, found.rights) == ("trainer", {"score"})
    assert ring.find(KEY[:-1].encode()) is None
    assert ring.find(b"") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no key in it"), ("[a\n", "keys.toml is no TOML (at line 1"),
        (f'[a]\nkey = "{KEY}"\n', "a.may: Field required"), (f'[a]\nkey = "{KEY}"\nmay = []\n', "a.may"),
        (f'[a]\nkey = "{KEY}"\nmay = ["fly"]\n', "a.may[0]"),
        ('[a]\nmay = ["score"]\n', "give key, key_file or sha256"),
        ('[a]\nkey = "short"\nmay = ["score"]\n', "5 characters; give at least 16"),
        ('[a]\nsha256 = "12"\nmay = ["score"]\n', "64 hexadecimal digits"),
        (f'[a]\nkey = "{KEY}"\nmay = ["score"]\nrate = 5\n', "a.rate"),
        (f'[a]\nkey = "{KEY}"\nmay = ["score"]\n[b]\nkey = "{KEY}"\nmay = ["score"]\n', "a and b are the same key"),
        (f'["a b"]\nkey = "{KEY}"\nmay = ["score"]\n', "a key's name"), (f'a = "{KEY}"\n', "a: "),
        (f'[a]\nkey = "{KEY}"\nmay = ["score"]\nitems_per_second = 0\n', "a.items_per_second"),
    ],
)  # fmt: skip
def test_a_fault_is_told_without_the_key(tmp_path: Path, text: str, told: str):
    with pytest.raises(ValueError, match=re.escape(told)) as error:
        read(tmp_path, text)
    assert KEY not in str(error.value)


def test_a_file_that_names_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(OSError, match=r"gone\.key"):
        read(tmp_path, '[a]\nkey_file = "gone.key"\nmay = ["score"]\n')


def test_what_was_read_before_stays_where_a_file_has_a_fault(tmp_path: Path):
    ring = read(tmp_path, f'[a]\nkey = "{KEY}"\nmay = ["score"]\n')
    assert not ring.changed()
    (tmp_path / "keys.toml").write_text("[broken")
    assert ring.changed()
    with pytest.raises(ValueError, match="no TOML"):
        ring.reload()
    assert ring.find(KEY.encode()) is not None
    assert not ring.changed(), "a fault is told once"


def test_what_is_under_way_is_remembered_when_the_file_is_read_again(tmp_path: Path):
    text = f'[a]\nkey = "{KEY}"\nmay = ["score"]\npending_items = 10\n'
    ring = read(tmp_path, text)
    before = ring.find(KEY.encode())
    assert before is not None
    with before.admit(8):
        (tmp_path / "keys.toml").write_text(text + "\n")
        ring.reload()
        after = ring.find(KEY.encode())
        assert after is not None
        with pytest.raises(Overloaded, match="8 items under way"), after.admit(3):
            pass
        with after.admit(2):
            pass
    with after.admit(50):  # one request alone is never refused for its size: it would be for ever
        pass


def test_a_batch_is_let_in_whole_when_the_one_before_is_paid_for(monkeypatch: pytest.MonkeyPatch):
    now = [0.0]
    monkeypatch.setattr(keyring.time, "monotonic", lambda: now[0])
    key = Key("a", frozenset(["score"]), Usage(), items_per_second=100)

    def ask(items: int) -> bool:
        try:
            with key.admit(items):
                return True
        except Overloaded:
            return False

    let_in = 0
    for tick in range(1000):
        now[0] = tick * 0.1
        let_in += 256 * ask(256)
    assert let_in == pytest.approx(100 * 100, abs=2 * 256)


def test_an_empty_ring_asks_for_no_key_and_a_scrape_key_alone_closes_nothing():
    assert not Keyring()
    assert not Keyring(scrape_key="scrape")
    assert Keyring(("key",))
