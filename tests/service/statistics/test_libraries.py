"""What is said where the libraries are not installed."""

from __future__ import annotations

import pytest

from perception_reward.service.statistics.libraries import library


def test_a_missing_library_is_told_in_a_line_with_what_to_install():
    with pytest.raises(ImportError) as error:
        library("scipy_that_is_not_there.stats")
    assert str(error.value) == (
        "statistics need scipy and statsmodels (no module scipy_that_is_not_there): "
        "pip install 'perception-reward[report]'"
    )
