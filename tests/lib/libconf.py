# SPDX-License-Identifier: ISC
"""Python values written as a libconfig file."""


class Raw(str):
    """Text that goes into the file as it is."""


def quote(text):
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        elif char == "\r":
            out.append("\\r")
        elif char == "\t":
            out.append("\\t")
        elif ord(char) < 32:
            out.append("\\x%02x" % ord(char))
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def value(item, indent=""):
    if isinstance(item, Raw):
        return str(item)
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, (int, float)):
        return repr(item)
    if isinstance(item, str):
        return quote(item)
    if isinstance(item, dict):
        return group(item, indent)
    if isinstance(item, (list, tuple)):
        inner = indent + "\t"
        if any(isinstance(one, dict) for one in item):
            rows = ("\n" + inner + value(one, inner) for one in item)
            return "(" + ",".join(rows) + "\n" + indent + ")"
        return "[" + ", ".join(value(one, inner) for one in item) + "]"
    raise TypeError(item)


def settings(items, indent=""):
    return "".join("%s%s = %s;\n" % (indent, key, value(item, indent))
                   for key, item in items.items() if item is not None)


def group(items, indent=""):
    return "{\n" + settings(items, indent + "\t") + indent + "}"
