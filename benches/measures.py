#!/usr/bin/env python3
"""How the source is cut, as one table in Markdown.

    python3 benches/measures.py                 this checkout
    python3 benches/measures.py FOLDER ...      other checkouts, or any folder of Rust files, a column each

A folder that has a `src` is measured there. Comments and the insides of strings do not count where names and methods
are looked for. Test modules at the end of a file (`#[cfg(test)] mod ...`) count where sizes and asserts are measured, and
nowhere else: a name, a method or an import that only a test has is not how the program is cut. Everything is found by
regular expressions, so a figure may be a few per cent off; the same script measures both sides of a comparison.
"""

import math
import os
import re
import sys
from collections import defaultdict

LONG_FUNCTION = 70
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# What may begin inside of code and is not code: comments, strings, characters. A lifetime is none of them.
SKIPPED = re.compile(
    r"""
    //[^\n]*
  | /\*.*?\*/
  | \b(?:b|c|br|cr)?r(?P<hashes>\#*)".*?"(?P=hashes)
  | "(?:\\.|[^"\\])*"
  | '(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^'\\\n])'
    """,
    re.VERBOSE | re.DOTALL,
)
TESTS = re.compile(r"^#\[cfg\(test\)\]\n(?:pub(?:\([^)]*\))? )?mod \w+ \{", re.MULTILINE)
FUNCTION = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))? )?(?:default )?(?:const )?(?:async )?(?:unsafe )?"
                      r"(?:extern(?: \"[^\"]*\")? )?fn " + NAME, re.MULTILINE)
TYPE = re.compile(r"^(?:pub(?:\([^)]*\))? )?(?:unsafe )?(struct|enum|union|trait|type) (" + NAME + ")", re.MULTILINE)
IMPL = re.compile(r"^impl\b", re.MULTILINE)
ASSERT = re.compile(r"\b(?:debug_)?assert(?:_eq|_ne|_matches)?!")


class File:
    """One file: as it stands, and its code with everything else blanked."""

    def __init__(self, root, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.name = os.path.relpath(path, root).replace(os.sep, "/")
        self.whole = SKIPPED.sub(blanked, self.text)
        tests = TESTS.search(self.whole)
        self.code = self.whole[: tests.start()] if tests else self.whole
        parts = self.name.removesuffix(".rs").split("/")
        self.module = tuple(parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts)

    def folder(self):
        return self.name.split("/")[0] if "/" in self.name else "(root)"

    def lines(self):
        return len(self.text.splitlines())

    def functions(self):
        """The lines of each function that has a body, from `fn` to its closing brace, those inside of others too."""
        for found in FUNCTION.finditer(self.whole):
            start, end = self.whole.rfind("\n", 0, found.end()) + 1, body_end(self.whole, found.end())
            if end is not None:
                yield self.whole.count("\n", start, end) + 1

    def types(self):
        return {(match[1], match[2]) for match in TYPE.finditer(self.code)}

    def impls(self):
        """The types that get methods of their own here."""
        names = set()
        for found in IMPL.finditer(self.code):
            head = self.code[found.end() : self.code.find("{", found.end())]
            head = generics_off(head)
            if re.search(r"\bfor\b(?!\s*<)", head):
                continue
            if match := re.match(r"(?:" + NAME + r"\s*::\s*)*(" + NAME + ")", head.strip()):
                names.add(match[1])
        return names

    def paths(self):
        """The paths that begin with `crate`, `super` or `self`, as modules from the root; groups written out."""
        for found in re.finditer(r"\b(crate|self|super)(?=::)", self.code):
            # A later `super` of a path was read with the first; `$crate` is a path of macros, and counts.
            if self.code[: found.start()].endswith("::"):
                continue
            base = [] if found[1] == "crate" else list(self.module)
            if found[1] == "super":
                base = base[:-1]
            yield from written_out(self.code, found.end(), base)


def blanked(match):
    return re.sub(r"[^\n]", " ", match[0])


def body_end(code, at):
    """Where the body that begins after `at` ends; None where there is a `;` instead."""
    depth = 0
    while at < len(code):
        char = code[at]
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == ";" and depth == 0:
            return None
        elif char == "{" and depth == 0:
            break
        at += 1
    depth = 0
    for end in range(at, len(code)):
        depth += {"{": 1, "}": -1}.get(code[end], 0)
        if depth == 0:
            return end
    return None


def generics_off(head):
    """The head of an `impl` after its own generics."""
    head = head.strip()
    if not head.startswith("<"):
        return head
    depth = 0
    for at, char in enumerate(head):
        if char == "<":
            depth += 1
        elif char == ">" and head[at - 1] != "-":
            depth -= 1
            if depth == 0:
                return head[at + 1 :].strip()
    return head


def written_out(code, at, base):
    """The paths that go on at `at`, where `::` stands."""
    at += 2
    while code[at : at + 7] == "super::":
        base, at = base[:-1], at + 7
    if code[at : at + 1] != "{":
        match = re.compile(r"\s*(" + NAME + ")").match(code, at)
        if not match:
            return
        path = base + ([] if match[1] in ("self", "super") else [match[1]])
        if code[match.end() : match.end() + 2] == "::":
            yield from written_out(code, match.end(), path)
        else:
            yield path
        return
    depth, start = 0, at + 1
    for end in range(at, len(code)):
        char = code[end]
        depth += {"{": 1, "}": -1}.get(char, 0)
        if (char == "," and depth == 1) or (char == "}" and depth == 0):
            part = code[start:end].strip()
            if part:
                yield from written_out("::" + part, 0, base)
            start = end + 1
        if depth == 0:
            return


def circles(files):
    """Files that name each other in a circle, by the folder in which they stand: (folder, files of the circle)."""
    modules = {file.module: file for file in files}
    folders = defaultdict(lambda: defaultdict(set))
    for file in files:
        for path in file.paths():
            known = next((path[:end] for end in range(len(path), -1, -1) if tuple(path[:end]) in modules), [])
            shared = 0
            while shared < min(len(known), len(file.module)) and known[shared] == file.module[shared]:
                shared += 1
            if shared < len(known) and shared < len(file.module):
                folders[file.module[:shared]][file.module[shared]].add(known[shared])
    found = []
    for folder, names in folders.items():
        found += [("/".join(folder) or "(root)", sorted(group)) for group in strongly_connected(names)]
    return sorted(found, key=lambda circle: (-len(circle[1]), circle[0]))


def strongly_connected(edges):
    """The groups of more than one of which each reaches each."""
    def reached(start):
        seen, left = set(), [start]
        while left:
            for to in edges.get(left.pop(), ()):
                if to not in seen:
                    seen.add(to)
                    left.append(to)
        return seen

    reach = {name: reached(name) for name in edges}
    groups = {frozenset(to for to in reach[name] if name in reach.get(to, ())) for name in edges}
    return [group for group in groups if len(group) > 1]


def at_share(values, share):
    """The smallest value that so large a share of all does not pass."""
    values = sorted(values)
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else 0


def rust_files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in ("target", ".git"))
        for name in sorted(names):
            if name.endswith(".rs"):
                yield File(root, os.path.join(folder, name))


def share(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def measured(folder):
    """The rows of one tree, as (name, value)."""
    source = os.path.join(folder, "src")
    root = source if os.path.isdir(source) else folder
    files = list(rust_files(root))
    if not files:
        sys.exit(f"{root} has no Rust files. Give the root of a checkout, or a folder of Rust files.")
    lines = sum(file.lines() for file in files)

    spread, spread_outside_rules = defaultdict(set), defaultdict(set)
    for file in files:
        for name in file.impls():
            spread[name].add(file.name)
            if not file.name.startswith("domain/rules/"):
                spread_outside_rules[name].add(file.name)

    def worst(spread):
        ranked = sorted(spread.items(), key=lambda item: (-len(item[1]), item[0]))[:2]
        return ", ".join(f"{len(of)} (`{name}`)" for name, of in ranked)

    opened, by_folder = 0, defaultdict(lambda: [0, 0])
    for file in files:
        count = len(re.findall(r"\bpub\(super\)", file.whole))
        opened += count
        by_folder[file.folder()][0] += count
        by_folder[file.folder()][1] += file.lines()
    rates = sorted(((1000 * count / of, name) for name, (count, of) in by_folder.items() if count), reverse=True)

    def twice(kinds):
        names = defaultdict(set)
        for file in files:
            for kind, name in file.types():
                if kind in kinds:
                    names[name].add(file.name)
        many = sum(len(of) > 1 for of in names.values())
        return f"{many} of {len(names)} = {share(many, len(names))}"

    rings = circles(files)
    largest = ", ".join(f"{len(of)} (`{name}`)" for name, of in rings[:2]) or "none"
    file_lines = [file.lines() for file in files]
    functions = [length for file in files for length in file.functions()]
    long = sum(length > LONG_FUNCTION for length in functions)
    headers = sum(file.text.startswith("//!") for file in files)
    asserts = sum(len(ASSERT.findall(file.whole)) for file in files)
    return [
        ("files over which the inherent `impl` of one type is spread, worst two", worst(spread)),
        ("the same without `domain/rules`, where a rule has a file", worst(spread_outside_rules)),
        ("`pub(super)` per 1,000 lines", f"{1000 * opened / lines:.1f}"),
        ("the same by folder", ", ".join(f"`{name}` {rate:.1f}" for rate, name in rates) or "none"),
        ("structs and enums declared in two or more files", twice(("struct", "enum", "union"))),
        ("the same with traits and aliases", twice(("struct", "enum", "union", "trait", "type"))),
        ("largest circles of files inside one folder", largest),
        ("circles in all", str(len(rings))),
        ("files", f"{len(files):,}"),
        ("lines", f"{lines:,}"),
        ("lines of a file, median / p90 / max", " / ".join(f"{n:,}" for n in (
            at_share(file_lines, 0.5), at_share(file_lines, 0.9), max(file_lines)))),
        ("lines of a function, median / p90 / p99", " / ".join(str(at_share(functions, s)) for s in (0.5, 0.9, 0.99))),
        (f"functions over {LONG_FUNCTION} lines", f"{long} of {len(functions):,} = {share(long, len(functions))}"),
        ("files that begin with a `//!` header", share(headers, len(files))),
        ("asserts per 1,000 lines, tests in the files included", f"{1000 * asserts / lines:.1f}"),
    ]


def main():
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        print(__doc__.strip())
        return
    here = os.path.relpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    folders = sys.argv[1:] or [here]
    columns = [measured(folder) for folder in folders]
    titles = ["this checkout" if folder == here else f"`{folder}`" for folder in folders]
    print(f"| measure | {' | '.join(titles)} |")
    print(f"| --- |{' --- |' * len(folders)}")
    for row in zip(*columns):
        print(f"| {row[0][0]} | {' | '.join(value for _, value in row)} |")


if __name__ == "__main__":
    main()
