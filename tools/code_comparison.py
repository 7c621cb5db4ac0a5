"""Comparison of two versions of code: whether they differ in comments, docstrings and formatting only."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

OWN_DOCSTRING = re.compile(rb"\b__doc__\b")
"""Text of a module that reads its own docstring."""

OTHER_DOCSTRINGS = re.compile(
    rb"""\.__doc__\b|["']__doc__["']|\b(getdoc|use_attribute_docstrings|co_consts|pydoc)\b|json_schema|\bhelp\s*\("""
)
"""Text of a module that may read the docstrings of any other one."""

SOURCE = re.compile(
    rb"\b(getsource|getsourcelines|findsource|getcomments|linecache|f_lineno|tb_lineno|co_(firstlineno|lines|positions))\b"
)
"""Text of a module that may read the source text or the line numbers of any other one."""


def compare_versions(old: Mapping[str, bytes], new: Mapping[str, bytes], *, docstrings: bool) -> Iterator[str]:
    """Yield what differs between two versions beyond comments, docstrings and formatting, with its place.

    Args:
        old: contents of the files by path.
        new: the same of the later version.
        docstrings: whether a changed docstring counts as a difference too. It does in each module that reads
            `__doc__`, whatever this says.
    """
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            yield f"{path}: a file that was added"
        elif path not in new:
            yield f"{path}: a file that was removed"
        elif old[path] != new[path]:
            yield from compare_files(path, old[path], new[path], docstrings=docstrings)


def compare_files(path: str, old: bytes, new: bytes, *, docstrings: bool) -> Iterator[str]:
    """Yield the first difference between two versions of a file that counts, if there is one.

    A new version that Python cannot compile counts too.
    """
    if not path.endswith(".py"):
        yield f"{path}: the bytes of this file, which is no Python, changed"
        return
    docstrings = docstrings or any(OWN_DOCSTRING.search(content) for content in (old, new))
    try:
        before, after = (parse(content, docstrings=docstrings) for content in (old, new))
        compile(new, path, "exec", dont_inherit=True)  # finds what parsing does not: `from __future__` must come first
    except (SyntaxError, ValueError) as error:
        yield f"{path}: the file, which cannot be read as Python ({error}), changed"
        return
    if ast.dump(before) != ast.dump(after):
        line = find_line(before, after)
        yield f"{path}, line {line}: the code changed" if line else f"{path}: statements were added or removed"


def read_other_docstrings(contents: Iterable[bytes]) -> bool:
    """Return whether a module among these contents may read the docstrings of another one."""
    return any(OTHER_DOCSTRINGS.search(content) for content in contents)


def find_source_readers(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield a message for each file whose code may read source text or line numbers.

    Every change counts for such code, even that of a comment.

    Args:
        files: contents of the files by path.
    """
    for path, content in files.items():
        if found := SOURCE.search(content):
            yield f"{path}: `{found[0].decode()}` reads the source of code, so every edit counts; run `dvc repro`"


def parse(content: bytes, *, docstrings: bool) -> ast.Module:
    """Return the syntax tree of a module, with or without its docstrings.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it holds null bytes.
    """
    tree = ast.parse(content)
    if not docstrings:
        _WithoutDocstrings().visit(tree)
    return tree


class _WithoutDocstrings(ast.NodeTransformer):
    """Removal of every statement that is a string and nothing else: Python does nothing when it runs one."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_string else node


def find_line(old: ast.AST, new: ast.AST) -> int:
    """Return the line in `new` where two trees begin to differ; 0 where one ends before the other."""
    pairs = zip(ast.iter_child_nodes(old), ast.iter_child_nodes(new), strict=False)
    changed = next((pair for pair in pairs if ast.dump(pair[0]) != ast.dump(pair[1])), None)
    line = find_line(*changed) if changed else 0
    return line or getattr(new, "lineno", 0)
