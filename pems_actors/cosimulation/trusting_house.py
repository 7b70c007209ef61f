"""The house's tree without its inspector: what an outside plant says of itself is so.

The inspector holds rooms and relays against the house's thermal model and takes out of service what
does not fit. A plant that is a formula has no bad sensors: whoever compares controllers on one may
leave the doubt away.
"""

from __future__ import annotations

from dataclasses import fields, replace

from pems_actors.actors.base import INSPECTOR
from pems_actors.house import HouseTree
from supervision import SupervisorSpec

BRANCH, _, NAME = INSPECTOR.partition("/")


class TrustingTree(HouseTree):
    """A house that doubts none of its sensors and relays by its model."""

    @classmethod
    def of(cls, tree: HouseTree) -> TrustingTree:
        """Take the place of a tree."""
        return cls(**{part.name: getattr(tree, part.name) for part in fields(tree)})

    def spec(self) -> SupervisorSpec:
        """Put every actor but one in its place."""
        root = super().spec()
        children = tuple(
            _without(NAME, branch)
            if isinstance(branch, SupervisorSpec) and branch.name == BRANCH
            else branch
            for branch in root.children
        )
        return replace(root, children=children)


def _without(name: str, branch: SupervisorSpec) -> SupervisorSpec:
    return replace(branch, children=tuple(c for c in branch.children if c.name != name))
