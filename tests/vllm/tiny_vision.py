"""A Qwen2.5-VL of two small layers with random weights: `python tiny_vision.py FOLDER`, in vLLM's environment."""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

END = "<|im_end|>"
VISION = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
CHAT_TEMPLATE = """{% for m in messages %}<|im_start|>{{ m['role'] }}
{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for part in m['content'] %}\
{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif %}\
{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
WIDTH, VOCABULARY = 128, 512


def main(folder: Path) -> None:
    tokens = tokenizer()
    tokens.save_pretrained(folder)
    torch.manual_seed(7)
    model = Qwen2_5_VLForConditionalGeneration(config(tokens))
    for weights in model.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, 0.0, 2.0 / weights.shape[-1] ** 0.5)
    model.save_pretrained(folder)
    images = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "min_pixels": 28 * 28,
        "max_pixels": 1280 * 28 * 28,
        "patch_size": 14,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(images), encoding="utf-8")


def tokenizer() -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", END, *VISION],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(["Find the length of AB."], trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=END)
    made.chat_template = CHAT_TEMPLATE
    return made


def config(tokens: PreTrainedTokenizerFast) -> Qwen2_5_VLConfig:
    start, end, image, video = tokens.convert_tokens_to_ids(list(VISION))
    layers = {"intermediate_size": 2 * WIDTH, "hidden_act": "silu"}
    text = {
        "hidden_size": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 4096,
        "bos_token_id": None,
        "eos_token_id": tokens.convert_tokens_to_ids(END),
        "rope_parameters": {"rope_type": "default", "mrope_section": [8, 12, 12], "rope_theta": 10000.0},
        "tie_word_embeddings": True,
    }
    sight = {
        "depth": 2,
        "hidden_size": WIDTH,
        "num_heads": 2,
        "out_hidden_size": WIDTH,
        "fullatt_block_indexes": [1],
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": 112,
    }
    return Qwen2_5_VLConfig(
        text_config=layers | text,
        vision_config=layers | sight,
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
        tie_word_embeddings=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
