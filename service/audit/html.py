"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from perception_reward.service.audit.figures import AuditReport


def render_html(report: AuditReport) -> str:
    """The page. What responses hold is escaped, and the page's policy forbids to run or load anything."""
    # Loaded here: the template engine is of no use to `serve`, which reads reports.
    from jinja2 import Environment, StrictUndefined

    template = (files("perception_reward.service.audit") / "templates" / "report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(report=report)
