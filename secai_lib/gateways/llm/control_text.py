"""Text that looks like a control token of some model family, and how it is made harmless."""

import re

# One space inside is enough: it is no longer the marker, and a person still reads what was there.
FAMILIES = re.compile(
    r"<\|[^|<>\n]{1,40}\|>"  # ChatML, Llama 3, OLMo, Phi, Command R: <|im_start|>
    r"|<\uff5c[^\uff5c<>\n]{1,40}\uff5c>"  # DeepSeek, with full-width bars
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\]"  # Mistral
    r"|<</?SYS>>"  # Llama 2
    r"|</?(?:start|end)_of_(?:turn|text|image)>"  # Gemma
    r"|</?(?:s|bos|eos|pad|unk|mask|sep|cls)>",  # SentencePiece and BERT
    re.IGNORECASE,
)


def neutralise(text: str) -> str:
    """`text` in which no marker of a known model family is left: `<|im_end|>` -> `< |im_end|>`."""
    while FAMILIES.search(text):
        text = FAMILIES.sub(lambda found: break_marker(found.group()), text)
    return text


def break_marker(marker: str) -> str:
    """`marker` with a space after its first character; a single character becomes `?`."""
    return f"{marker[0]} {marker[1:]}" if len(marker) > 1 else "?"
