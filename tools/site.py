"""The hook of MkDocs that completes the documentation site with pages and files from outside docs/.

mkdocs.yml names this file. It adds README.md and the other documents, the reference of the package, its commands and
its params, and every file that a link of a page leads to. Links that work on GitHub thus work in the site.
"""

import argparse
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from emotion.app.cli import GROUPS, name_of
from tools.params_page import render_params

ROOT = Path(__file__).resolve().parents[1]

RENAMED_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "THIRD_PARTY_NOTICES.md": "third-party-notices.md",
}
"""Documents in the root, and their pages in the site."""

OTHER_FILES = "repository"
"""Folder of the site for files that links lead to and that have no page elsewhere."""

LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")
FENCE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)

HELP_COLUMNS = 96
"""Width of the help texts."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and the files that links lead to."""
    for uri, content in generate_pages().items():
        files.append(File.generated(config, uri, content=content))
    own = [file.src_uri for file in files.documentation_pages() if not file.generated_by]
    waiting = [*RENAMED_PAGES, *(f"docs/{uri}" for uri in own)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        uri = locate(path)
        if uri not in files.src_uris:
            files.append(add_file(path, uri, config))
        if is_document(path):
            waiting += [target for target in find_targets(path) if (ROOT / target).exists()]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page to where their targets lie in the site."""
    origin = find_origin(page.file)
    return rewrite_links(markdown, origin, page.file.src_uri) if origin else markdown


def generate_pages() -> dict[str, str]:
    """Return the generated pages: their place in the site and their Markdown."""
    params = render_params(ROOT / "params.yaml")
    return {"commands.md": render_commands(), "params.md": params, **render_reference(ROOT / "emotion")}


def render_commands() -> str:
    """Return the page of the commands: the help text of each."""
    os.environ["COLUMNS"] = str(HELP_COLUMNS)  # argparse reads it
    commands = argparse.ArgumentParser(prog="emotion").add_subparsers(prog="emotion")
    blocks = ["# Commands", "These are the help texts of the `emotion` command."]
    for title, modules in GROUPS.items():
        blocks.append(f"## To {title}" if title.startswith("read") else f"## For {title}")
        for module in modules:
            module.add_parser(commands)
            name = name_of(module)
            parser = commands.choices[name]
            for typed, part in {f"emotion {name}": parser, **find_parts(parser)}.items():
                blocks.append(f"### {typed}\n\n```text\n{part.format_help()}```")
    return "\n\n".join(blocks) + "\n"


def find_parts(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands of a command, such as `emotion labels audit`, by what one types."""
    groups = parser._subparsers._group_actions if parser._subparsers else []
    return {part.prog: part for group in groups for part in dict(group.choices or {}).values()}


def render_reference(package: Path) -> dict[str, str]:
    """Return a page for each folder of the package, for mkdocstrings to fill, and one that lists the folders."""
    pages = {}
    rows = []
    for folder in sorted(path.parent for path in package.rglob("__init__.py")):
        name = ".".join(folder.relative_to(package.parent).parts)
        modules = sorted(path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "__main__"))
        sections = [f"# {name}", *(f"::: {name}.{module}" for module in modules)]
        if not modules:
            continue
        pages[f"reference/{name}.md"] = "\n\n".join(sections) + "\n"
        rows.append(f"| [`{name}`]({name}.md) | {', '.join(f'`{module}`' for module in modules)} |")
    table = "\n".join(["| folder | modules |", "| --- | --- |", *rows])
    pages["reference/index.md"] = f"# Python\n\nEvery public name of the package, by folder.\n\n{table}\n"
    return pages


def add_file(path: str, uri: str, config: MkDocsConfig) -> File:
    """Return a file of the repository, or a list of a folder's files, as a file of the site."""
    if (ROOT / path).is_dir():
        names = sorted(entry.name + "/" * entry.is_dir() for entry in (ROOT / path).iterdir())
        return File.generated(config, uri, content="\n".join([f"# {path}\n", *(f"- `{name}`" for name in names)]))
    return File.generated(config, uri, abs_src_path=str(ROOT / path))


def locate(path: str) -> str:
    """Return the place in the site of a file or folder of the repository."""
    pure = PurePosixPath(path)
    if path in RENAMED_PAGES:
        return RENAMED_PAGES[path]
    if pure.parts[0] == "docs":
        return str(pure.relative_to("docs"))
    if pure.parts[0] == "emotion":
        folder = pure.parent if pure.suffix == ".py" else pure
        return f"reference/{'.'.join(folder.parts)}.md"
    if (ROOT / path).is_dir():
        return f"{OTHER_FILES}/{path}/index.md"
    if pure.name == "README.md":
        return f"{OTHER_FILES}/{pure.parent}/index.md"
    return f"{OTHER_FILES}/{path}"


def find_origin(file: File) -> str | None:
    """Return the path in the repository that a page comes from; None for a generated page."""
    if file.abs_src_path is None:
        return None
    return Path(file.abs_src_path).resolve().relative_to(ROOT).as_posix()


def find_targets(path: str) -> Iterator[str]:
    """Yield the paths in the repository that the links of a document lead to."""
    for block in FENCE.split((ROOT / path).read_text(encoding="utf-8"))[::2]:
        for match in LINK.finditer(block):
            yield resolve(match[1], path)


def resolve(link: str, origin: str) -> str:
    """Return the path in the repository that `link` in the document `origin` leads to."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    readme = posixpath.join(target, "README.md")
    return readme if (ROOT / readme).exists() else target


def rewrite_links(markdown: str, origin: str, uri: str) -> str:
    """Return the Markdown of the document `origin` with its links as the page `uri` has to write them."""

    def rewrite(match: re.Match[str]) -> str:
        return posixpath.relpath(locate(resolve(match[1], origin)), posixpath.dirname(uri) or ".")

    blocks = FENCE.split(markdown)
    blocks[::2] = [LINK.sub(rewrite, block) for block in blocks[::2]]
    return "".join(blocks)


def is_document(path: str) -> bool:
    """Return whether links of this file are followed."""
    return path.endswith(".md") and (ROOT / path).is_file()
