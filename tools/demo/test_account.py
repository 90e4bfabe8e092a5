#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The counting that the demo's report rests on, against traces made by hand, and its picture."""

import types
import unittest
from xml.etree import ElementTree

import report
import tracing
from account import Account

ROOT = 10


def trace(*texts):
    lines = ["# tracer: nop"]
    lines += [f"  some name-1  [000] d..1. {n}.000000: {text}" for n, text in enumerate(texts, 1)]
    return list(tracing.parse(lines))


def replay(*texts, jobs=2):
    return Account(jobs=jobs, roots={ROOT: "build"}).replay(trace(*texts))


def grant(pid, held, available):
    return f"steve_grant: pid={pid} held={held} available={available}"


def back(pid, held, available):
    return f"steve_return: pid={pid} held={held} available={available}"


class Counting(unittest.TestCase):
    def test_good_course(self):
        account = replay(
            grant(ROOT, 1, 1),
            "sched_process_fork: comm=make pid=10 child_comm=make child_pid=11",
            "sched_process_exec: filename=/usr/libexec/cc1 pid=11 old_pid=11",
            "sched_process_exit: comm=cc1 pid=11 prio=120 group_dead=true",
            grant(ROOT, 2, 0), back(ROOT, 1, 1),
            "sched_process_exit: comm=make pid=10 prio=120 group_dead=true",
            "steve_reclaim: pid=10 tokens=1 available=2")
        self.assertEqual(account.faults, [])
        self.assertEqual(account.held, {})
        self.assertEqual(account.reclaimed, {ROOT: 1})
        self.assertEqual(account.phases[0].most_held, 2)
        self.assertEqual(account.most_working, 1)
        self.assertEqual(account.steps[1].working, {"build": 1})

    def test_many_returned_at_once(self):
        account = replay(grant(1, 1, 1), grant(1, 2, 0), back(1, 0, 2))
        self.assertEqual(account.faults, [])
        self.assertEqual(account.held, {})

    def test_a_slot_is_lent(self):
        lend = "steve_lend: pid=2 held=0 available=3"
        account = replay(lend, grant(1, 1, 2), grant(2, 0, 1), back(1, 0, 2))
        self.assertEqual(account.faults, [])
        self.assertEqual(account.lent, set())
        account = replay(lend, *(grant(1, n, 3 - n) for n in range(1, 4)))
        self.assertEqual(account.faults, [])
        self.assertEqual(account.total(), 3)

    def test_one_token_too_many(self):
        account = replay(grant(1, 1, 1), grant(2, 1, 0), grant(3, 1, -1))
        self.assertIn("3 tokens held, 2 allowed", account.faults[0])

    def test_after_a_shrink_held_only_falls(self):
        shrink = "steve_resize: jobs=1 size=1 available=-1"
        account = replay(grant(1, 1, 1), grant(2, 1, 0), shrink, back(1, 0, 0))
        self.assertEqual(account.faults, [])
        self.assertEqual(account.phases[1].drained, 4)
        self.assertEqual(account.phases[1].most_held, 1)
        account.replay(trace(grant(1, 1, -1)))
        self.assertIn("2 tokens held, 1 allowed", account.faults[0])

    def test_what_is_reserved_outlives_a_shrink(self):
        shrink = "steve_resize: jobs=1 size=1 available=-1"
        account = replay(grant(1, 1, 0), shrink, grant(2, 1, -1))
        self.assertEqual(account.faults, [])
        account = replay(grant(1, 1, 0), shrink, grant(2, 1, -1), back(1, 0, 0), grant(1, 1, -1))
        self.assertIn("2 tokens held, 1 allowed", account.faults[0])

    def test_tokens_from_nowhere(self):
        self.assertIn("are free", replay(grant(1, 1, 2)).faults[0])
        self.assertIn("2 by the event", replay(grant(1, 2, 0)).faults[0])
        self.assertIn("-1 tokens by count", replay(back(1, 0, 2)).faults[0])

    def test_reclaim_from_the_living(self):
        account = replay(grant(1, 1, 1), "steve_reclaim: pid=1 tokens=1 available=2")
        self.assertIn("while it lives", account.faults[0])

    def test_compiler_without_token(self):
        account = replay("sched_process_exec: filename=/usr/libexec/cc1 pid=10 old_pid=10")
        self.assertIn("1 workers of build run on 0 tokens", account.faults[0])

    def test_a_slot_needs_no_token(self):
        account = Account(jobs=2, roots={ROOT: "build"}, workers=("sleep",), slots=1)
        exec_sleep = "sched_process_exec: filename=/usr/bin/sleep pid={0} old_pid={0}"
        fork = "sched_process_fork: comm=make pid=10 child_comm=make child_pid=11"
        account.replay(trace(fork, exec_sleep.format(ROOT)))
        self.assertEqual(account.faults, [])
        account.replay(trace(exec_sleep.format(11)))
        self.assertIn("2 workers of build run on 0 tokens", account.faults[0])

    def test_unknown_line(self):
        with self.assertRaises(tracing.TraceError):
            list(tracing.parse(["CPU:0 [LOST 5 EVENTS]"]))


class Drawing(unittest.TestCase):
    def test_both_courses(self):
        course = types.SimpleNamespace(
            account=replay(grant(ROOT, 1, 1), grant(ROOT, 2, 0), back(ROOT, 1, 1)),
            builds=[types.SimpleNamespace(name="build")], marks=[(2, "a mark")])
        picture = report.draw(course, course)
        self.assertEqual(ElementTree.fromstring(picture).tag, "{http://www.w3.org/2000/svg}svg")
        self.assertEqual(picture.count("a mark"), 2)


if __name__ == "__main__":
    unittest.main()
