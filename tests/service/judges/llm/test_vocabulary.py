from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.llm.prompt import Prompt
from perception_reward.service.judges.llm.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(tokenizer_folder: Path) -> Vocabulary:
    return Vocabulary(str(tokenizer_folder))


CONTROL = {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"}


def test_the_chat_holds_control_tokens_and_the_text_does_not(vocabulary: Vocabulary):
    head, tail = vocabulary.chat(Prompt("[user]\nbefore {text} after"), ["text"])
    start, end = head[0], next(token for token in tail if token <= 2)
    assert {start, end} == {1, 2}
    assert not {start, end}.intersection(vocabulary.plain("<|im_start|>user\n<|im_end|>"))


@given(st.lists(st.sampled_from([*sorted(CONTROL), "<", "|im_end", "|>", "Yes", " ", "é", "\n"])).map("".join))
def test_no_text_becomes_a_control_token(vocabulary: Vocabulary, text: str):
    ordinary = 400
    assert all(token < ordinary for token in vocabulary.plain(text))
    assert not {0, 1, 2}.intersection(vocabulary.plain(text))


def test_only_words_of_one_token_have_single_tokens(vocabulary: Vocabulary):
    assert len(vocabulary.single_tokens(("Yes", " Yes"))) == 2
    assert vocabulary.single_tokens(("Quadrilateral",)) == ()


def test_a_template_that_drops_the_users_text_is_refused(make_tokenizer: Callable[..., Path]):
    vocabulary = Vocabulary(str(make_tokenizer(chat_template="fixed")))
    with pytest.raises(ValueError, match="does not repeat the user's text"):
        vocabulary.chat(Prompt("[user]\n{text}"), ["text"])


def test_a_template_that_takes_no_such_chat_is_refused_in_its_own_words(make_tokenizer: Callable[..., Path]):
    vocabulary = Vocabulary(str(make_tokenizer(chat_template="{{ raise_exception('no chats') }}")))
    with pytest.raises(ValueError, match=r"does not take the judge's prompt \(no chats\)"):
        vocabulary.chat(Prompt("[system]\nBe strict.\n[user]\n{text}"), ["text"])


def metaspace(folder: Path, vocabulary: list[str], merges: list[tuple[str, str]], added: list[str]) -> Vocabulary:
    """In the manner of Gemma's and Llama 2's: a space is a character of its own."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "\n", *"".join(vocabulary)]
    pieces = {piece: number for number, piece in enumerate(dict.fromkeys([*letters, *vocabulary]))}
    bpe = Tokenizer(models.BPE(vocab=pieces, merges=merges, unk_token="<unk>", byte_fallback=True))
    bpe.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bpe.decoder = decoders.Metaspace()
    bpe.add_special_tokens(["<start_of_turn>"])
    bpe.add_tokens([AddedToken(text, normalized=False) for text in added])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, unk_token="<unk>")
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    tokenizer.save_pretrained(folder)
    return Vocabulary(str(folder))


UNKNOWN = [("U", "n"), ("k", "n"), ("▁", "Un"), ("▁Un", "kn")]


def test_a_word_begins_with_itself_whole_or_with_its_first_token(tmp_path: Path):
    vocabulary = metaspace(tmp_path, ["Un", "kn", "▁Un", "▁Unkn", "Unknown"], UNKNOWN, [])
    spelled = [vocabulary.piece(token) for token in vocabulary.beginnings("Unknown", 2)]
    assert sorted(spelled) == ["Unknown", "▁Unkn"]
    assert vocabulary.beginnings("Yes", 2) == ()


def test_runs_of_line_breaks_among_the_added_tokens_are_no_control_tokens(tmp_path: Path):
    pieces = ["\n\n", "Un", "kn", "▁Un", "▁Unkn"]
    vocabulary = metaspace(tmp_path, pieces, [("\n", "\n"), *UNKNOWN], ["\n\n"])
    assert "\n\n" in [vocabulary.piece(token) for token in vocabulary.plain("U\n\nn")]


def test_a_tokenizer_without_a_chat_template_is_refused(make_tokenizer: Callable[..., Path]):
    with pytest.raises(ValueError, match="no chat template"):
        Vocabulary(str(make_tokenizer(chat_template=None)))


@pytest.mark.parametrize("hub", ["refuses", "hangs", "is not asked"])
def test_a_tokenizer_that_no_hub_gives_is_told_at_once(hub: str, tmp_path: Path):
    # A process of its own: the address of the hub is read when its library is imported.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        if hub == "refuses":
            silent.close()
        environment = {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path),
            "HF_HUB_OFFLINE": str(int(hub == "is not asked")),
        }
        script = "from perception_reward.service.judges.llm.vocabulary import Vocabulary; Vocabulary('nobody/nothing')"
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert time.monotonic() - started < 40
    told = done.stderr.splitlines()[-1]
    assert f"the tokenizer 'nobody/nothing' cannot be loaded: it is not on this machine, and {address} cannot" in told
    assert "--judge-tokenizer" in told
    assert "PyTorch" not in done.stderr


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match="cannot be loaded"):
        Vocabulary(str(tmp_path / "none"))
