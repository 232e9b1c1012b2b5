"""The tokenizer of the embedded world: a Hugging Face fast tokenizer, exactly reversible on any text.

One token a word of the language (with its leading blank), one a number, one a step marker, and one for every
stretch of constant text of the prompt templates, so that an instruction costs a single token. Anything else falls
back to bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bestpath.core.prompts import Prompt
from bestpath.stages.embedded.lessons import Document

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if not loop.first %}{{ '\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n<|im_start|>assistant\\n' }}{% endif %}"
)
_TURNS = ("user\n", "assistant\n")
_FINAL = "Final answer: \\boxed{"
_MOST_STEPS = 12


def build_tokenizer(prompts: Mapping[str, Prompt], sample: Iterable[Document], largest: int) -> PreTrainedTokenizerFast:
    """A tokenizer whose words are those of the sample documents, and whose numbers are 0 to `largest`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    constants = [AddedToken(text, normalized=False) for text in _constants(prompts)]
    splitter = Tokenizer(models.BPE(vocab={}, merges=[]))
    splitter.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    numbers = [text for n in range(largest + 1) for text in (str(n), f"Ġ{n}")]
    words: Counter[str] = Counter()
    cut = _cutter([token.content for token in constants])
    for document in sample:
        for text in (document.prompt, document.completion):
            for piece in cut(text):
                words.update(word for word, _ in splitter.pre_tokenizer.pre_tokenize_str(piece))
    ordered = [word for word, _ in sorted(words.items(), key=lambda item: (-item[1], item[0]))]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = dict.fromkeys([PAD, START, END, *alphabet, *numbers, *ordered])
    # No merges: with `ignore_merges` a word of the vocabulary is one token, and any other word is its bytes.
    backend = Tokenizer(models.BPE(vocab={text: i for i, text in enumerate(vocabulary)}, merges=[], ignore_merges=True))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in (PAD, START, END)])
    backend.add_tokens(constants)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        eos_token=END,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def _constants(prompts: Mapping[str, Prompt]) -> list[str]:
    """Texts that are one token each: turns of the chat, step markers, the final line, text of the templates."""
    from jinja2 import Environment

    texts = [*_TURNS, *(f"[STEP{k}]:" for k in range(1, _MOST_STEPS + 1)), _FINAL]
    for name in sorted(prompts):
        for _, kind, text in Environment().lex(prompts[name].template):
            # A blank before a field stays outside, so that the field's first word keeps its leading blank.
            if kind == "data" and len(text.split()) > 1:
                texts.append(text.removesuffix(" "))
    return list(dict.fromkeys(texts))


def _cutter(constants: list[str]):  # type: ignore[no-untyped-def]
    import re

    pattern = re.compile("|".join(re.escape(text) for text in sorted(constants, key=len, reverse=True)))
    return lambda text: [piece for piece in pattern.split(text) if piece]
