# SPDX-License-Identifier: GPL-2.0
"""What came out: one line for each promise, kept or broken."""

import json
from dataclasses import dataclass, field

import picture


@dataclass
class Report:
    lines: list[tuple[bool, str]] = field(default_factory=list)

    def add(self, kept, text):
        self.lines.append((kept, text))

    def broken(self):
        return [text for kept, text in self.lines if not kept]

    def text(self):
        return "\n".join(f"  {'ok    ' if kept else 'FAILED'}  {text}"
                         for kept, text in self.lines)


def plural(number, word):
    return f"{number} {word}" + ("" if number == 1 else "s")


def on_phases(report, account, wanted):
    """Each phase used all the tokens that it had, and no more."""
    jobs = [phase.jobs for phase in account.phases]
    if jobs != wanted:
        report.add(False, f"the pool had {jobs} jobs in turn, not {wanted}")
    for number, phase in enumerate(account.phases, 1):
        name = f"phase {number}, jobs={phase.jobs}"
        if phase.drained is None:
            report.add(False, f"{name}: the tokens too many never came back")
            continue
        wait = phase.drained - phase.begin
        kept = phase.most_held == phase.jobs and 0 < phase.most_working <= phase.jobs
        report.add(kept, f"{name}: most tokens held {phase.most_held}, most compilers "
                         f"{phase.most_working}"
                         + (f", drained in {wait:.1f} s" if wait > 0 else ""))


def on_counts(report, shared):
    account = shared.account
    report.add(not account.faults,
               "never more tokens held than allowed, nor compilers than tokens"
               + "".join(f"\n          {fault}" for fault in account.faults[:5]))
    odd = account.counts.get("steve_lend", 0) + account.counts.get("steve_stray", 0)
    report.add(not odd, f"tokens returned that were not held: {odd}")
    over = [sample for sample in shared.samples if sample[3] > max(sample[1], sample[2])]
    most = max((sample[3] for sample in shared.samples), default=0)
    report.add(most > 0 and not over,
               f"compilers seen in /proc, {plural(len(shared.samples), 'look')}: most {most}, "
               f"more than allowed {plural(len(over), 'time')}")


def on_tokens(report, shared):
    account, status, extra = shared.account, shared.status, shared.extra
    reclaimed = sum(account.reclaimed.values())
    killed = account.reclaimed.get(extra.pid, 0)
    report.add(killed == 1 and extra.back,
               f"tokens reclaimed: {reclaimed}, {killed} of them from the killed process, "
               f"{'back' if extra.back else 'NOT back'} when wait() returned")
    lost = status["jobs"] - status["available"]
    kept = lost == 0 and not account.held and not any(
        status[name] for name in ("held", "reserved", "lent", "waiting"))
    report.add(kept, f"tokens lost: {lost} (jobs {status['jobs']}, available "
                     f"{status['available']}, held {status['held']})")


def on_builds(report, builds, how):
    for build in builds:
        report.add(build.works, f"{build.name} built {how} works: {build.says}")


def on_time(report, shared, alone, jobs):
    most = alone.account.most_working
    report.add(True, f"time with the pool: {shared.seconds:.1f} s, "
                     f"most compilers {shared.account.most_working}")
    report.add(most > jobs, f"time without, each with -j{jobs}: {alone.seconds:.1f} s, "
                            f"most compilers {most}")


def make(shared, alone, wanted):
    report = Report()
    on_phases(report, shared.account, wanted)
    on_counts(report, shared)
    on_tokens(report, shared)
    on_builds(report, shared.builds, "with the pool")
    on_builds(report, alone.builds, "without")
    on_time(report, shared, alone, wanted[0])
    return report


def panel(course, title, what, names):
    """A diagram of what each group had, by the name of a field of the steps."""
    steps, begin = course.account.steps, course.account.begin
    return picture.Panel(
        title,
        areas={name: [(step.time - begin, getattr(step, what).get(name, 0)) for step in steps]
               for name in names},
        line=[(step.time - begin, sum(step.working.values())) for step in steps],
        limit=[(step.time - begin, step.jobs) for step in steps],
        marks=[(time - begin, words) for time, words in course.marks],
        end=steps[-1].time - begin)


def draw(shared, alone):
    """The picture of both."""
    names = [build.name for build in shared.builds]
    tokens = panel(shared, "Tokens, both builds on one pool", "held", [*names, "extra"])
    tokens.areas["reserved"] = [(step.time - shared.account.begin, step.reserved)
                                for step in shared.account.steps]
    compilers = panel(alone, "Compilers, each build with jobs of its own", "working", names)
    return picture.draw("steve: two builds at the same time", [tokens, compilers])


def as_json(report, shared, alone):
    account = shared.account
    return json.dumps({
        "ok": not report.broken(),
        "lines": [{"ok": kept, "text": text} for kept, text in report.lines],
        "phases": [vars(phase) for phase in account.phases],
        "faults": account.faults,
        "events": account.counts,
        "samples": len(shared.samples),
        "reclaimed": {str(pid): tokens for pid, tokens in account.reclaimed.items()},
        "status": shared.status,
        "seconds": {"pool": shared.seconds, "alone": alone.seconds},
        "most_compilers": {"pool": account.most_working,
                           "alone": alone.account.most_working},
    }, indent=2) + "\n"
