# SPDX-License-Identifier: ISC
"""Reads the comments that begin with two stars in socketserver.h.

One looks like this; a function has all the fields, in this order:

    /**
     * ss_name - what it does
     * @one, @two:  parameters
     * Returns:     ...
     * Errors:      ...
     */
"""

import dataclasses
import re

FIELDS = ["Returns", "Errors", "Context", "Thread-safe", "Source", "Since"]

COMMENT = re.compile(r"^[ \t]*/\*\*\n(?P<text>.*?)^[ \t]*\*/\n", re.S | re.M)
PARAMETERS = re.compile(r"((?:@[\w.]+)(?:, @[\w.]+)*):\s*(.*)")
FIELD = re.compile(r"([A-Z][\w-]*):\s*(.*)")
PROTOTYPE = re.compile(
    r"(?:__attribute__\(\(.*?\)\)\)?\n)?static inline (?P<type>.*?)\s*\n"
    r"(?P<name>ss_\w+)\((?P<list>.*?)\)\n\{", re.S
)
CALLBACK = re.compile(r"\s*(?P<type>\w+) \(\*(?P<name>\w+)\)\((?P<list>.*?)\);")
DEFINE = re.compile(r"#define (?P<name>SS_\w+)(?:\((?P<list>[^)]*)\))?")
TYPE = re.compile(r"(?:typedef )?(?P<kind>struct|enum) (?P<name>ss_\w+) \{"
                  r"(?P<body>.*?)^\}", re.S | re.M)


@dataclasses.dataclass
class Entry:
    """A docstring and the declaration behind it."""
    line: int
    title: str                  # "ss_read", "struct ss_option", "Section"
    summary: str
    kind: str = ""              # function, callback, macro, struct, enum, section
    type: str = ""              # what a function returns
    arguments: list = dataclasses.field(default_factory=list)
    parameters: list = dataclasses.field(default_factory=list)  # (names, text)
    fields: list = dataclasses.field(default_factory=list)      # (name, text)

    @property
    def name(self):
        return self.title.split()[-1]

    def documented(self):
        return [name for names, _ in self.parameters for name in names]


def one_space(text):
    return " ".join(text.split())


def read_text(entry, lines):
    """The lines after the first: parameters, then fields, each maybe long."""
    last = None
    for line in lines:
        parameters = PARAMETERS.match(line)
        field = FIELD.match(line)
        if parameters:
            names = [one.lstrip("@") for one in parameters[1].split(", ")]
            last = [names, parameters[2]]
            entry.parameters.append(last)
        elif field and line == line.lstrip():
            last = [field[1], field[2]]
            entry.fields.append(last)
        elif last is not None:
            last[1] += " " + line.strip()
        else:
            entry.summary = (entry.summary + " " + line.strip()).strip()


def split_arguments(text):
    return [] if text.strip() in ("", "void") else [
        one_space(one) for one in text.split(",")
    ]


def argument_name(argument):
    return argument if argument == "..." else re.search(
        r"(\w+)$", argument)[1]


def member_names(kind, body):
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    if kind == "enum":
        return re.findall(r"^\s*(SS_\w+)", body, re.M)
    names = []
    for member in body.split(";"):
        if "(*" in member or not member.strip():
            continue
        for one in member.split(","):
            names.append(re.search(r"(\w+)(?:\[\d+\])?\s*$", one)[1])
    return names


def read_declaration(entry, code):
    function, callback = PROTOTYPE.match(code), CALLBACK.match(code)
    define, type_ = DEFINE.match(code), TYPE.match(code)
    if function:
        entry.kind, entry.type = "function", one_space(function["type"])
        entry.arguments = split_arguments(function["list"])
    elif callback:
        entry.kind, entry.type = "callback", callback["type"]
        entry.arguments = split_arguments(callback["list"])
    elif define:
        entry.kind = "macro"
        entry.arguments = split_arguments(define["list"] or "")
    elif type_:
        entry.kind = type_["kind"]
        entry.arguments = member_names(type_["kind"], type_["body"])


def read_comment(text, line, code):
    lines = [re.sub(r"^[ \t]*\* ?", "", one) for one in text.splitlines()]
    if lines[0].startswith("Section: "):
        title = lines[0].removeprefix("Section: ")
        return Entry(line, title, one_space(" ".join(lines[1:])), "section")
    title, dash, summary = lines[0].partition(" - ")
    entry = Entry(line, title if dash else lines[0], summary)
    read_text(entry, lines[1:])
    read_declaration(entry, code)
    return entry


def read(path):
    """Every docstring of the header, in order."""
    text = path.read_text()
    return [
        read_comment(found["text"], text.count("\n", 0, found.start()) + 1,
                     text[found.end():])
        for found in COMMENT.finditer(text)
    ]


def public_names(path):
    """What has to have a docstring: functions, callbacks, macros, types."""
    text = path.read_text()
    names = set(re.findall(r"^(ss_\w+)\(", text, re.M))
    names |= set(re.findall(r"^#define (SS_\w+)", text, re.M))
    names |= set(re.findall(
        r"^(?:typedef )?(?:struct|enum) (ss_\w+) \{", text, re.M))
    handler = re.search(r"^struct ss_handler \{(.*?)^\};", text, re.S | re.M)
    names |= set(re.findall(r"\(\*(\w+)\)\(", handler[1]))
    return names - {"ss_api"}
