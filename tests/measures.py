"""Figures of the source: ``python -m tests.measures`` prints them.

Comments are lines that begin with ``#``, directives for tools left out; lines of code are those that are neither
blank, comment nor docstring. Complexity is McCabe's, as ``radon`` counts it: 1, and one more for every branch,
loop, handler, comprehension, condition of an expression and operator between conditions; D begins at 21.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "workbench"
DIRECTIVE = re.compile(r"#\s*(type:|noqa|fmt:|pragma)")
D = 21
MANY = 3
"""Arguments from which a public function has a ``Parameters`` section."""
BRANCHES = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension, ast.Assert)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Figures:
    """What was counted.

    Attributes
    ----------
    files, lines : of the package.
    longest : lines of the longest file.
    comments : per 100 lines of code.
    explained, many : public functions with a ``Parameters`` section, of those with three arguments or more.
    complex_ : ``file:line name complexity`` of every function of complexity D or worse.
    """

    files: int
    lines: int
    longest: int
    comments: float
    explained: int
    many: int
    complex_: tuple[str, ...]


def sources() -> Iterator[tuple[Path, str]]:
    """Path and text of every module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in ("notebooks", "data_samples"):
            yield path, path.read_text(encoding="utf-8")


def comments_and_code(text: str) -> tuple[int, int]:
    """Lines of comments, and lines of code without docstrings."""
    comments, code = set(), set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if not DIRECTIVE.match(token.string):
                comments.add(token.start[0])
        elif token.type not in (
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.ENDMARKER,
        ):
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(comments), len(code)


def complexity(function: Function) -> int:
    """McCabe's number of a function, without the functions inside it."""
    total, todo = 1, list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if isinstance(node, Function):
            continue
        total += isinstance(node, BRANCHES)
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        if isinstance(node, ast.comprehension):
            total += len(node.ifs)
        if isinstance(node, ast.Match):
            total += len(node.cases) - 1
        todo += ast.iter_child_nodes(node)
    return total


def complex_functions(path: Path, tree: ast.Module) -> Iterator[str]:
    """``file:line name complexity`` of every function of a module of complexity D or worse."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and (value := complexity(node)) >= D:
            yield f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name} {value}"


def public_functions(tree: ast.Module) -> Iterator[tuple[Function, str]]:
    """Public functions and methods, with the docstring that explains their arguments."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            whole = ast.get_docstring(node) or ""
            for method in node.body:
                if isinstance(method, Function) and (method.name == "__init__" or not method.name.startswith("_")):
                    own = ast.get_docstring(method) or ""
                    yield method, whole + own if method.name == "__init__" else own


def n_arguments(function: Function) -> int:
    """Arguments that a caller gives."""
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([one for one in named if one.arg not in ("self", "cls")])


def figures() -> Figures:
    """Count everything."""
    files = lines = longest = comments = code = explained = many = 0
    found: list[str] = []
    for path, text in sources():
        tree = ast.parse(text)
        n = text.count("\n")
        files, lines, longest = files + 1, lines + n, max(longest, n)
        said, done = comments_and_code(text)
        comments, code = comments + said, code + done
        found += complex_functions(path, tree)
        for function, docstring in public_functions(tree):
            if n_arguments(function) >= MANY:
                many += 1
                explained += "Parameters\n" in docstring or "Attributes\n" in docstring
    return Figures(files, lines, longest, 100 * comments / code, explained, many, tuple(found))


if __name__ == "__main__":
    counted = figures()
    print(f"{counted.files} files, {counted.lines:,} lines, the longest {counted.longest:,}")
    print(f"{counted.comments:.1f} comments per 100 lines of code")
    print(f"{counted.explained} of {counted.many} public functions of {MANY} arguments or more explain them")
    print(f"{len(counted.complex_)} functions of complexity {D} or more")
    for line in counted.complex_:
        print(f"  {line}")
