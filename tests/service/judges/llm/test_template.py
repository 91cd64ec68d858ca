"""Chat templates in the shapes of those that models come with, each as short as the shape allows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from perception_reward.service.judges.base import JudgeTask
from perception_reward.service.judges.llm.engine import Choice
from perception_reward.service.judges.llm.methods import MethodName, make_method
from perception_reward.service.judges.llm.prompt import Message, load_prompt
from perception_reward.service.judges.llm.template import ask
from perception_reward.service.judges.llm.verdict import Language
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact

ALTERNATES = (
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"


def shape(turn: str, opened: str, before: str = "") -> str:
    """before: what stands before all turns. opened: what a template writes where an answer is wanted."""
    return f"{before}{{% for m in messages %}}{turn}{{% endfor %}}{{% if add_generation_prompt %}}{opened}{{% endif %}}"


CHATML = "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
ASSISTANT = "<|im_start|>assistant\n"
GEMMA = "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
R1 = "<|{{ m.role }}|>{{ m.content.split('</think>')[-1] }}"
HARMONY = (
    "<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}<|message|>{{ m.content }}<|end|>"
)
TODAY = "<|start|>system<|message|>Current date: {{ strftime_now('%Y-%m-%d') }}<|end|>"
GLM = (
    "<|{{ m.role }}|>\n{% if m.role == 'assistant' %}<think></think>\n{% endif %}{{ m.content }}"
    "{{ '/nothink' if m.role == 'user' and enable_thinking is defined and not enable_thinking }}"
)
THINKS = "{{ '<think>\\n\\n</think>\\n\\n' if enable_thinking is defined and not enable_thinking }}"

# By model, its template's shape and how the prompt has to end.
SHAPES = {
    "qwen2.5": (shape(CHATML, ASSISTANT), "<|im_end|>\n<|im_start|>assistant\n"),
    "qwen3, which thinks unless told not to": (
        shape(CHATML, ASSISTANT + THINKS),
        "<|im_start|>assistant\n<think>\n\n</think>\n\n",
    ),
    "qwq, which always opens a thought": (
        shape(CHATML, ASSISTANT + "<think>\n"),
        "<|im_start|>assistant\n<think>\n\n</think>\n\n",
    ),
    "deepseek-r1, which leaves opening it to the model": (
        shape(R1, "<|assistant|>"),
        "<|assistant|><think>\n\n</think>\n\n",
    ),
    "deepseek-v3.1, with a switch of another name": (
        shape(R1, "<|assistant|>{{ '<think>' if thinking is defined and thinking else '</think>' }}"),
        "<|assistant|></think>",
    ),
    "glm, with a switch in the user's turn": (
        shape(GLM, "<|assistant|>\n{{ '<think></think>' if enable_thinking is defined and not enable_thinking }}"),
        "/nothink<|assistant|>\n<think></think>\n",
    ),
    "gpt-oss, with channels": (
        shape(HARMONY, "<|start|>assistant", TODAY),
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    "gemma, without a system turn": (
        shape(ALTERNATES + GEMMA, "<start_of_turn>model\n", NO_SYSTEM),
        "<end_of_turn>\n<start_of_turn>model\n",
    ),
    "one that leaves the system turn out": (
        shape("{% if m.role != 'system' %}" + CHATML + "{% endif %}", ASSISTANT),
        "<|im_end|>\n<|im_start|>assistant\n",
    ),
    "llama-3.2": (
        shape(
            "<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "{% set day = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' %}Today: {{ day }}",
        ),
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    ("method", "language"), [("verdict", "en"), ("verdict", "zh"), ("joint", "en"), ("paper", "en")]
)
def test_the_answer_comes_next_in_every_models_template(
    name: str, method: MethodName, language: Language, make_tokenizer: Callable[..., Path]
):
    template, tail = SHAPES[name]
    folder = make_tokenizer(chat_template=template)
    made = make_method(method, language)
    made.load(Vocabulary(str(folder)))
    asked = made.render(JudgeTask("AB is 5 long.", (Fact(id="f", text="Segment AB has length 5."),))).ask
    tokens = asked.shared + asked.suffixes[0] if isinstance(asked, Choice) else asked.prompt
    text = AutoTokenizer.from_pretrained(folder).decode(tokens)
    assert text.endswith(tail)
    instructions = load_prompt(method if language == "en" else f"{method}_{language}").messages({})[0]["content"]
    assert text.count(instructions) == 1
    assert text.index(instructions) < text.index("AB is 5 long.")
    assert text.count("Segment AB has length 5.") == 1


@pytest.mark.parametrize("name", ["gpt-oss, with channels", "llama-3.2"])
def test_the_prompt_is_the_same_on_every_day(name: str, make_tokenizer: Callable[..., Path]):
    tokenizer = AutoTokenizer.from_pretrained(make_tokenizer(chat_template=SHAPES[name][0]))
    text = ask(tokenizer, [{"role": "user", "content": "Yes?"}])
    assert "Current date: 2024-07-26<" in text or "Today: 26 Jul 2024<" in text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (NO_SYSTEM + "{{ raise_exception('no chats') }}", "System role not supported"),
        (shape("{% if loop.last %}{{ m.content }}{% endif %}", ""), "leaves the instructions out"),
        ("{% for tool in tools %}{{ tool }}{% endfor %}", "not iterable"),
    ],
)
def test_a_template_that_takes_the_prompt_in_no_form_is_refused(
    template: str, reason: str, make_tokenizer: Callable[..., Path]
):
    tokenizer = AutoTokenizer.from_pretrained(make_tokenizer(chat_template=template))
    chat: list[Message] = [
        {"role": "system", "content": "Be strict."},
        {"role": "user", "content": "Yes?"},
        {"role": "assistant", "content": "Yes"},
        {"role": "user", "content": "No?"},
    ]
    with pytest.raises(ValueError, match=reason):
        ask(tokenizer, chat)
