from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

FARMS = "Farm,2019,2020,2021\nHill,10,12,15\nDale,30,20,10\nMoor,5,n/a,7\n"


def test_values_are_seen_and_what_they_imply_is_derived(imported: Import):
    (annotation,), _ = imported("charts", {"farms.csv": FARMS})
    facts = {fact.text: (fact.kind, fact.origin) for fact in annotation.facts}
    assert facts["The value of 2019 for Hill is 10."] == ("value", "seen")
    assert facts["Of all values of 2019, that for Dale is the highest."] == ("extreme", "derived")
    assert facts["The values for Hill rise from 2019 to 2021."] == ("trend", "derived")
    assert facts["The values for Dale fall from 2019 to 2021."] == ("trend", "derived")


def test_a_series_with_a_gap_has_no_extreme_and_no_trend(imported: Import):
    (annotation,), report = imported("charts", {"farms.csv": FARMS})
    texts = " ".join(fact.text for fact in annotation.facts if fact.origin == "derived")
    assert "values of 2020" not in texts
    assert "Moor" not in texts.replace("that for Moor is the lowest", "")
    assert report.refused_facts == {"is no number": 1}
    assert report.examples["is no number"] == ["farms.csv: Moor, 2020: n/a"]


def test_what_is_shared_is_no_extreme(imported: Import):
    (annotation,), _ = imported("charts", {"c.csv": "Name,Value\na,5\nb,5\nc,1\n"})
    assert [fact.text for fact in annotation.facts if fact.kind == "extreme"] == [
        "Of all values, that for c is the lowest."
    ]


def test_years_in_the_first_column_are_a_trend_too(imported: Import):
    (annotation,), _ = imported("charts", {"c.csv": 'Year,Price ($)\n2003,$3\n2001,1%\n2002,"1,002"\n'})
    assert not [fact for fact in annotation.facts if fact.kind == "trend"]
    assert "The value of Price ($) for 2002 is 1,002." in [fact.text for fact in annotation.facts]


def test_files_that_are_no_tables_are_refused_one_by_one(imported: Import):
    found, report = imported("charts", {"a.csv": "", "b.csv": "one\n2\n", "c.csv": 'x,y\n"1\n', "d.csv": "n,v\na,1\n"})
    assert [one.id for one in found] == ["d"]
    assert report.refused_rows == {"cannot be read": 3}


def test_real_tables(imported: Import, real_rows: Path):
    found, report = imported("charts", real_rows / "charts")
    assert len(found) == 2
    assert report.refused_facts == {"is no number": 3}
    assert "The values for India fall from 2015 to 2021." in [fact.text for one in found for fact in one.facts]
