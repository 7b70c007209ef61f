"""The registry on disk: every model with its card, versioned, checksummed, never half written.

`FOLDER/<series>/<recipe>.<number>/` holds `model` and `card.json`; it is made beside and renamed
into place, so that a version is there as a whole or not at all. `ledger.json`, and for the rooms
`ledger-rooms.json`, say who is trusted with what, in two generations. Bytes are opened only where
models are run (`revived`); the core reads cards and ledgers, and both are plain JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from pems_actors.learning.life.card import ModelCard, card_from, kind_of, recipe_of

CARD, MODEL = "card.json", "model"
LEDGER, ROOMS_LEDGER = "ledger.json", "ledger-rooms.json"
NEWEST_KEPT = 3


class ModelStore:
    """The models of one appliance. Reading never raises for what is broken: it is told instead."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # -- models --------------------------------------------------------------------------------

    def save(self, card: ModelCard, model: object) -> ModelCard:
        """Keep a fitted model as the next version of its recipe; gives its card as kept.

        Raises: OSError if the disk refuses; pickle.PicklingError if it is no picklable model.
        """
        body = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
        home = self.folder / card.series
        home.mkdir(parents=True, exist_ok=True)
        kind = kind_of(card.series)
        kept = replace(card, size=len(body), checksum=_checksum(body), kind=kind)
        while True:  # another process may take the same number
            kept = replace(kept, number=self._newest(card.series, card.recipe) + 1)
            scratch = home / f".{kept.version}.{os.getpid()}"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            _write(scratch / MODEL, body)
            _write(scratch / CARD, _sealed(kept.plain()))
            try:
                scratch.rename(home / kept.version)
            except OSError:
                shutil.rmtree(scratch, ignore_errors=True)
                if not (home / kept.version).exists():
                    raise
            else:
                _sync(home)
                return kept

    def revived(self, series: str, version: str) -> Any:
        """Open a model; only what this registry wrote, and only if not a byte of it has changed.

        Raises: ValueError in a sentence if it is not there, not whole or not to be opened.
        """
        card, home = self.card(series, version), self.folder / series / version
        try:
            body = (home / MODEL).read_bytes()
        except OSError as problem:
            raise ValueError(f"{series} {version} cannot be read: {problem.strerror}") from problem
        if _checksum(body) != card.checksum:
            raise ValueError(f"{series} {version} is not as it was written; it is left aside")
        try:
            return pickle.loads(body)  # noqa: S301 - our own file, checked against its card
        except Exception as problem:
            said = f"{type(problem).__name__}: {problem}"
            raise ValueError(f"{series} {version} cannot be opened ({said}); train it") from problem

    def card(self, series: str, version: str) -> ModelCard:
        """Read one card.

        Raises: ValueError in a sentence if it is not there, not whole, or of a model that this
            program cannot ask any more.
        """
        file, now = self.folder / series / version / CARD, kind_of(series)
        try:
            card = card_from(_unsealed(file.read_bytes()))
        except OSError as problem:
            said = problem.strerror or "it cannot be read"
            raise ValueError(f"{series} {version} has no card: {said}") from problem
        except ValueError as problem:
            raise ValueError(f"the card of {series} {version} is refused: {problem}") from problem
        if card.kind != now:
            raise ValueError(
                f"{series} {version} was learned from another set of features (kind {card.kind}, "
                f"now {now}) and must be trained anew: `pems train {series}`"
            )
        return card

    def cards(self, series: str) -> tuple[list[ModelCard], list[str]]:
        """Read all cards of a series, oldest first, and say what is wrong with the others."""
        found, wrong = [], []
        for version in self._versions(series):
            try:
                found.append(self.card(series, version))
            except ValueError as problem:
                wrong.append(str(problem))
        return sorted(found, key=lambda card: (card.trained_at_s, card.number)), wrong

    def series(self) -> list[str]:
        """Name the series that have models."""
        if not self.folder.is_dir():
            return []
        return sorted(each.name for each in self.folder.iterdir() if each.is_dir())

    def prune(self, series: str, in_use: Collection[str], newest: int = NEWEST_KEPT) -> list[str]:
        """Remove versions that nobody uses and that are not among the newest of their recipe."""
        by_recipe: dict[str, list[str]] = {}
        for version in sorted(self._versions(series), key=_number_of):
            by_recipe.setdefault(recipe_of(version), []).append(version)
        old = [each for line in by_recipe.values() for each in line[:-newest] if each not in in_use]
        for version in old:
            shutil.rmtree(self.folder / series / version, ignore_errors=True)
        return old

    def _versions(self, series: str) -> list[str]:
        home = self.folder / series
        if not home.is_dir():
            return []
        return sorted(each.name for each in home.iterdir() if not each.name.startswith("."))

    def _newest(self, series: str, recipe: str) -> int:
        numbers = [_number_of(v) for v in self._versions(series) if recipe_of(v) == recipe]
        return max(numbers, default=0)

    # -- the ledger ----------------------------------------------------------------------------

    def keep_ledger(self, plain: dict[str, Any], name: str = LEDGER) -> None:
        """Keep who is trusted with what; the one before stays as the generation before.

        name: of the file; whoever writes one has it for itself.

        Raises: OSError if the disk refuses.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / name
        fresh, previous = file.with_suffix(".tmp"), file.with_suffix(".previous.json")
        _write(fresh, _sealed(plain))
        if _is_whole(file):
            previous.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a file system without links
                os.link(file, previous)
        fresh.replace(file)
        _sync(self.folder)

    def ledger(self, name: str = LEDGER) -> tuple[dict[str, Any], str]:
        """Read the newest ledger that is whole, and what was wrong; empty if there is none."""
        file, wrong = self.folder / name, ""
        for each in (file, file.with_suffix(".previous.json")):
            try:
                return _unsealed(each.read_bytes()), wrong
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as problem:
                wrong = f"{each.name} is refused ({problem}); trust is earned anew without it"
        return {}, wrong


def _number_of(version: str) -> int:
    number = version.rpartition(".")[2]
    return int(number) if number.isdigit() else 0


def _checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _sealed(plain: dict[str, Any]) -> bytes:
    body = json.dumps(plain, ensure_ascii=False).encode()
    return _checksum(body).encode() + b"\n" + body


def _unsealed(sealed: bytes) -> dict[str, Any]:
    """Raises: ValueError if the seal does not fit or the content is none of ours."""
    seal, _, body = sealed.partition(b"\n")
    if seal != _checksum(body).encode():
        raise ValueError("its checksum is wrong")
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError("it holds no object")  # noqa: TRY004 - broken content, not a bug
    return content


def _is_whole(file: Path) -> bool:
    try:
        _unsealed(file.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _write(file: Path, body: bytes) -> None:
    with file.open("wb") as opened:
        opened.write(body)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
