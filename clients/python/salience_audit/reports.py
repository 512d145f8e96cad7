"""Pages and figures for people, and links to them."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    pass

from salience_audit.service import Service

HTML = "text/html"


class Reports(Service):
    """Of audits and comparisons."""

    def report(self, audit_id: str) -> bytes:
        """The audit as one self-contained HTML page. Raises TooSlow."""
        return self._connection.drawn(f"/v1/audits/{audit_id}/report", HTML)

    def comparison_report(self, comparison_id: str) -> bytes:
        """The comparison as one self-contained HTML page. Raises TooSlow."""
        return self._connection.drawn(f"/v1/comparisons/{comparison_id}/report", HTML)

    def plot(self, audit_id: str, name: str, form: Literal["svg", "png"] = "svg") -> bytes:
        """One figure of the audit's report, such as ``radar``. Raises TooSlow."""
        return self._connection.drawn(f"/v1/audits/{audit_id}/plots/{name}.{form}", "image/*")

    def comparison_plot(self, comparison_id: str, name: str, form: Literal["svg", "png"] = "svg") -> bytes:
        """One figure of the comparison's report. Raises TooSlow."""
        return self._connection.drawn(f"/v1/comparisons/{comparison_id}/plots/{name}.{form}", "image/*")

    def report_link(self, audit_id: str, *, expires_in_seconds: int = 86_400) -> str:
        """An address that opens the audit's report in a browser, without a key, until it expires."""
        return self._link(f"/v1/audits/{audit_id}", expires_in_seconds)

    def comparison_report_link(self, comparison_id: str, *, expires_in_seconds: int = 86_400) -> str:
        """An address that opens the comparison's report in a browser, without a key, until it expires."""
        return self._link(f"/v1/comparisons/{comparison_id}", expires_in_seconds)

    def _link(self, path: str, expires_in_seconds: int) -> str:
        made = self._connection.post(f"{path}/report-links", {"expires_in_seconds": expires_in_seconds})
        return self._connection.address(made["url"])
