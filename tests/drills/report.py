"""What a drill shows: one living line while it runs, then a table, and all that is known of each violation."""

from __future__ import annotations

import os
import sys

SHOWN = 8  # faults of one check that are printed; their count always is


class Progress:
    """One line that is written over, where there is a terminal."""

    def __init__(self) -> None:
        self._living = sys.stderr.isatty()
        self._width = 0

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._living:
            sys.stderr.write("\r" + text[:118].ljust(self._width))
            sys.stderr.flush()
            self._width = min(len(text), 118)

    def clear(self) -> None:
        """Take the line away."""
        if self._living:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()


class Report:
    """Checks in the order in which they were made."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._load = os.getloadavg()[0]
        self.rows: list[tuple[str, str, list[str]]] = []
        self.kills: list[tuple[str, str, str, bool]] = []

    def check(self, what: str, found: str, faults: list[str]) -> None:
        """Add a check; without faults it holds."""
        self.rows.append((what, found, faults))

    def kill(self, where: str, load: str, took_s: float | None, budget_s: float) -> None:
        """Add a kill and how long the next hub's first Pong took."""
        shown = "never" if took_s is None else f"{took_s:.2f} s"
        fits = took_s is not None and took_s < budget_s
        self.kills.append((where, f"{load}, < {budget_s:g} s", shown, fits))

    @property
    def is_good(self) -> bool:
        """Tell whether everything holds."""
        return not any(faults for _, _, faults in self.rows) and all(fits for *_, fits in self.kills)

    def print(self) -> None:
        """Print everything."""
        print(self.title)
        print(f"  {os.cpu_count()} cores; load average {self._load:.1f} before, {os.getloadavg()[0]:.1f} after")
        if self.kills:
            print(f"\n  {'kill':<28}{'load, budget':<20}{'first Pong':<12}")
            for number, (where, load, shown, fits) in enumerate(self.kills, 1):
                print(f"  {f'{number:>2} {where}':<28}{load:<20}{shown:<12}{'ok' if fits else 'TOO LATE'}")
        print()
        for what, found, faults in self.rows:
            print(f"  {what:<42}{found:<50}{'ok' if not faults else f'{len(faults)} VIOLATIONS'}")
        for what, _, faults in self.rows:
            for fault in faults[:SHOWN]:
                print(f"\n  {what}: {fault}")
            if len(faults) > SHOWN:
                print(f"  … and {len(faults) - SHOWN} more")
        print("\n" + ("everything held" if self.is_good else "NOT everything held"))
