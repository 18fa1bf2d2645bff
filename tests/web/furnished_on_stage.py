"""The furnished site on the stage, for tests that look at whole pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from furnished import MORNING, Furnished, Furniture, opened
from invented import Clock, with_settings
from stores import Stores

from paperpost.service.installation import Installation

if TYPE_CHECKING:  # pytest itself is to load it, to rewrite what it asserts
    from site_on_stage import Stage

pytest_plugins = ["site_on_stage"]


@pytest.fixture(scope="session")
def furniture(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Furniture:
    """Where every furnished home comes from."""
    return Furniture(tmp_path_factory.mktemp("furnished") / "home", stores)


@pytest.fixture
def furnish_site(
    furniture: Furniture,
    stores: Stores,
    tmp_path: Path,
    stage: Stage,
    browse_site: Callable[[Installation], object],
) -> Iterator[Callable[..., Furnished]]:
    """Puts a furnished site on the stage; settings may be given."""
    home, clock = tmp_path / "home", Clock(MORNING)
    url = furniture.copy_to(home)
    with opened(home, url, clock) as installation:

        def furnished(**settings: object) -> Furnished:
            base = str(stage.client.base_url).rstrip("/")
            here = with_settings(installation, public_url=base, **settings)
            browse_site(here)
            return Furnished(here)

        yield furnished
    stores.drop(url)


@pytest.fixture
def furnished(furnish_site: Callable[..., Furnished]) -> Furnished:
    """A furnished site on the stage."""
    return furnish_site()
