"""The commands of a block of shell, as the words of each."""

import dataclasses
import re
import shlex

HEREDOC = re.compile(
    r"<<'(?P<end>\w+)'([^\n]*)\n(?P<body>.*?)\n(?P=end)$", re.DOTALL | re.MULTILINE
)
SEPARATORS = {"&&", "||", "|", ";", "&"}
REDIRECTIONS = {">", ">>", "<"}
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclasses.dataclass(frozen=True)
class Command:
    """One program's call.

    Attributes:
        words: The program and its arguments, without assignments and redirections.
        input: What a here-document gives to it.
    """

    words: tuple[str, ...]
    input: str = ""

    @property
    def program(self) -> str:
        """The program's name without the folder that it is in."""
        return self.words[0].rpartition("/")[2]

    def __str__(self) -> str:
        return " ".join(self.words)


def commands(text: str) -> list[Command]:
    """The commands of a block, in their order."""
    documents = [match["body"] for match in HEREDOC.finditer(text)]
    text = HEREDOC.sub(lambda match: f"@heredoc@ {match[2]}", text).replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        for words in _split(list(lexer)):
            body = documents.pop(0) if "@heredoc@" in words else ""
            found.append(Command(tuple(word for word in words if word != "@heredoc@"), body))
    return found


def _split(words: list[str]) -> list[list[str]]:
    calls: list[list[str]] = [[]]
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in SEPARATORS:
            calls.append([])
        elif word in REDIRECTIONS:
            skip = True
        elif calls[-1] or not ASSIGNMENT.match(word):
            calls[-1].append(word)
    return [call for call in calls if call]
