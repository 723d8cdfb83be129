"""What a person sees while the flow runs: one line per step, with its latest words and time."""

import threading
import time
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from secai_lib.core.text import one_line

POLL_SECONDS = 0.25


class Watch:
    """Follows one run on the instance and shows it; plain lines where there is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Write to `console`, by default standard error, so that output can be piped."""
        self._console = console or Console(stderr=True)
        # asked once: while it draws, Live puts a proxy without a terminal in place of the stream
        self._drawn = self._console.is_terminal
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._rows: dict[str, _Row] = {}
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        """Start to draw."""
        if self._drawn:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw the last state and stop."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        if self._drawn:
            self._live.stop()
        else:
            self._console.print(f"  {self._checks()}", highlight=False, markup=False)

    def follow(self, instance: dg.DagsterInstance, names: Sequence[str]) -> str:
        """A fresh run id; everything that happens under it is shown."""
        run_id = str(uuid.uuid4())
        self._rows = {name: _Row(name) for name in names}
        self._thread = threading.Thread(target=self._poll, args=(instance, run_id), daemon=True)
        self._thread.start()
        return run_id

    def _poll(self, instance: dg.DagsterInstance, run_id: str) -> None:
        cursor: str | None = None
        while True:
            last = self._stop.is_set()
            records = instance.get_records_for_run(run_id, cursor=cursor)
            cursor = records.cursor
            for record in records.records:
                self._take(record.event_log_entry)
            if self._drawn:
                self._live.update(self._table())
            if last:
                return
            self._stop.wait(POLL_SECONDS)

    def _take(self, entry: dg.EventLogEntry) -> None:
        row = self._rows.get(entry.step_key or "")
        event = entry.dagster_event
        if event and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            self._rows[evaluation.asset_key.to_user_string()].judge(passed=evaluation.passed)
            return
        if row is None:
            return
        if event is None:
            idle = row.began is None or row.ended is not None
            if idle or entry.user_message.startswith("[pipes]"):
                return  # Dagster's own words about steps that will not run, and about children
            row.words = entry.user_message
        elif event.event_type is dg.DagsterEventType.STEP_START:
            row.start(entry.timestamp)
        elif event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            row.made(event)
        elif event.event_type in (
            dg.DagsterEventType.STEP_SUCCESS,
            dg.DagsterEventType.STEP_FAILURE,
        ):
            row.end(entry.timestamp, failed=event.is_step_failure)
        else:
            return
        if not self._drawn and (event is None or row.ended):
            self._console.print(f"  {row.line()}", highlight=False, markup=False)

    def _checks(self) -> str:
        total, bad = (
            sum(getattr(r, name) for r in self._rows.values()) for name in ("checks", "bad")
        )
        return f"{total - bad} of {total} checks passed"

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for row in self._rows.values():
            table.add_row(*row.cells())
        return table


class _Row:
    """One step."""

    def __init__(self, name: str) -> None:
        self.name, self.words = name, ""
        self.began: float | None = None
        self.ended: float | None = None
        self.failed = self.reused = False
        self.checks = self.bad = 0

    def start(self, at: float) -> None:
        self.began, self.ended = at, None

    def made(self, event: dg.DagsterEvent) -> None:
        reused = event.materialization.metadata.get("reused") if event.materialization else None
        self.reused = bool(reused and reused.value)

    def end(self, at: float, *, failed: bool) -> None:
        self.ended, self.failed = at, failed
        if not failed:
            self.words = "unchanged, kept" if self.reused else ""

    def judge(self, *, passed: bool) -> None:
        self.checks += 1
        self.bad += not passed

    def cells(self) -> tuple[str, str, str, str]:
        mark = "[dim]·[/]" if self.began is None else "[cyan]▸[/]"
        if self.ended is not None:
            mark = "[red]✗[/]" if self.failed else "[green]✓[/]"
        return mark, self.name, f"[dim]{self._seconds()}[/]", f"[dim]{escape(self._note())}[/]"

    def line(self) -> str:
        mark = "running" if self.ended is None else "FAILED" if self.failed else "done"
        return f"{self.name:<15} {mark:<8} {self._seconds():>7}  {self._note()}".rstrip()

    def _seconds(self) -> str:
        if self.began is None:
            return ""
        return f"{(self.ended or time.time()) - self.began:.1f} s"

    def _note(self) -> str:
        words = one_line(self.words.splitlines()[0], 95) if self.words.strip() else ""
        checks = f"{self.checks - self.bad} of {self.checks} checks passed" if self.checks else ""
        return ", ".join(part for part in (words, checks) if part)
