"""The code blocks of a documentation page with their titles: Markdown (GitBook's too) or HTML."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

__all__ = ["PageBlock", "html_blocks", "markdown_blocks"]

_FENCE = re.compile(r"^\s{0,12}(?:>\s?)*(`{3,}|~{3,})\s*([\w+-]*)([^`]*)$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
# GitBook's tabs and code titles, and the summary of a folded section.
_TITLED = re.compile(
    r"""<summary[^>]*>(.*?)</summary>|\{%\s*(?:tab|code)\b[^%]*?\btitle="([^"]*)"|\btitle="([^"]*)\""""
)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One code block.

    ``text`` is the code, ``language`` is the page's name for it (``""`` when it has none), ``title`` is the nearest heading, tab or summary
    above it, and ``line`` is where the code begins, counted from 1.
    """

    text: str
    language: str
    title: str
    line: int


def markdown_blocks(text: str) -> list[PageBlock]:
    """Return the fenced blocks of a Markdown page in order. An unclosed block ends with the page."""
    blocks: list[PageBlock] = []
    title, fence, language, started = "", "", "", 0
    code: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2] and not match[3].strip():
                blocks.append(PageBlock("\n".join(code), language, title, started))
                fence, code = "", []
            else:
                code.append(line)
        elif match:
            fence, language, started = match[1], match[2].lower(), number + 1
            title = _title_of(match[3]) or title
        else:
            title = _title_of(line) or title
    if fence:
        blocks.append(PageBlock("\n".join(code), language, title, started))
    return blocks


def html_blocks(text: str) -> list[PageBlock]:
    """Return the ``<pre>`` blocks of a web page in order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.blocks


def _title_of(line: str) -> str:
    heading = _HEADING.match(line)
    if heading:
        return _TAG.sub("", heading[1])
    titled = _TITLED.search(line)
    return "" if titled is None else _TAG.sub("", next(filter(None, titled.groups()), ""))


class _Reader(HTMLParser):
    """Collects the text of ``<pre>`` elements and of their possible titles."""

    _TITLES = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "summary", "figcaption"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[PageBlock] = []
        self._title = ""
        self._language = ""
        self._open = ""
        self._text: list[str] = []
        self._line = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open == "pre":
            # Each line of code is often an element of its own.
            self._text += "\n" if tag in {"br", "div", "li"} else ""
            self._language = _language_of(attrs) or self._language
        elif tag == "pre" or tag in self._TITLES:
            self._open, self._text, self._line, self._language = tag, [], self.getpos()[0], _language_of(attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or tag != self._open:
            return
        text = "".join(self._text)
        if tag == "pre":
            self.blocks.append(PageBlock(text.strip(), self._language, self._title, self._line))
        else:
            self._title = " ".join(text.split())
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self._text.append(data)


def _language_of(attrs: list[tuple[str, str | None]]) -> str:
    names = " ".join(value or "" for name, value in attrs if name in {"class", "data-language", "lang"})
    match = re.search(r"\b(?:language|lang|highlight-source)-(\w+)", names)
    return match[1].lower() if match else ""
