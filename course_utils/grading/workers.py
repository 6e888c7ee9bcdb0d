"""Where submissions run: Dask workers, on this machine or on a cluster that is there already.

Any number of workers run and judge notebooks; what they come to is handed back here, one at a time, to the only writer.
The workers are trusted: an Exam with its secret travels to them, and they make its worlds. A kernel never meets one.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import logging
import multiprocessing.resource_tracker
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import dask
import nbformat
from distributed import Client, KilledWorker, Nanny, Scheduler, SpecCluster, Worker, WorkerPlugin, as_completed, comm
from distributed import get_worker as current_worker
from distributed.client import FutureCancelledError
from distributed.security import Security

import course_utils
from course_utils.checks.verdict import Verdict
from course_utils.errors import CourseError
from course_utils.grading.sandbox import machine
from course_utils.grading.sandbox.warm import parent as warm_parent
from course_utils.grading.sanitise import keep_what_can_be_shown
from course_utils.grading.worlds import Exam, examiner
from course_utils.running import runner
from course_utils.running.runner import Outcome, Settings, execute
from course_utils.running.verdicts import remove_observations, verdicts_of

Job = TypeVar("Job")
Result = tuple[str, Outcome, dict[str, Verdict]]
"""The notebook with its outputs, observations left out, as JSON; how the run ended; grade id to verdict."""

SILENT = logging.CRITICAL + 1
KILLED = "the process that ran the notebook was killed"
CONNECT_SECONDS = 10
LOST_SECONDS = 3600
"""A worker that has died comes back after a second or two, on a busy machine after many: it is waited for."""


def run_and_judge(notebook_json: str, settings: Settings, exam: Exam, package: str) -> Result:
    """A worker's task: run a notebook, and judge outside its kernel what its check cells left there.

    package  fingerprint of this package on the grader's machine, since other code could give other marks; empty if
             this is that machine
    raises   CourseError if this machine cannot grade, which is nobody's fault who handed something in
    """
    stop_when_cancelled()
    try:
        if package and package != package_fingerprint():
            raise CourseError("another version of course_utils is installed; every worker needs the grader's")
        ours = examiner(exam)
        if settings.sandbox:
            machine.check()
            binds = settings.sandbox.binds | ours.binds
            settings = replace(settings, sandbox=replace(settings.sandbox, binds=binds))
    except CourseError as problem:
        raise CourseError(f"The worker on {socket.gethostname()} cannot grade: {problem}") from problem
    environment = {**settings.environment, **ours.environment}
    try:
        executed, outcome = execute(notebook_json, replace(settings, environment=environment))
        notebook = nbformat.reads(executed, as_version=4)
        verdicts = verdicts_of(notebook, outcome, ours.judge)
        remove_observations(notebook)
        keep_what_can_be_shown(notebook)
        return nbformat.writes(notebook), outcome, verdicts
    except OSError:
        raise
    except Exception as problem:  # whatever an odd notebook breaks must not stop the others
        return unfinished(
            notebook_json, "error", f"the notebook could not be graded: {type(problem).__name__}: {problem}"
        )


def unfinished(notebook_json: str, status: str, message: str) -> Result:
    """What a notebook came to that nobody could run to its end."""
    outcome = Outcome(status, message, 0, 0.0)
    return notebook_json, outcome, verdicts_of(nbformat.reads(notebook_json, as_version=4), outcome)


@functools.cache
def package_fingerprint() -> str:
    """Changes with any source file of this package."""
    digest = hashlib.sha256()
    folder = Path(course_utils.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def fan_out(client: Client, jobs: Iterator[tuple[Job, tuple]], at_least: int) -> Iterator[tuple[Job, Result]]:
    """Run jobs on all workers there are, and hand each back with its result as soon as it has one.

    jobs      what the caller knows a job by, and the arguments of `run_and_judge`; taken as workers get free
    at_least  number of workers to reckon with before any has come

    If a worker dies, not only its kernel, nobody knows which of the jobs that it had killed it: they run a second time
    when nothing else does, one by one. One that kills its worker then, too, has used too much memory.
    """
    submit = functools.partial(client.submit, run_and_judge, pure=False)
    results, running, lost = as_completed(loop=client.loop), {}, []
    try:
        while True:
            # More than can run at a time, so that no worker waits while this process writes.
            room = 2 * max(at_least, sum(client.nthreads().values())) + 2
            while len(running) < room and (job := next(jobs, None)):
                future = submit(*job[1])
                running[future] = job
                results.add(future)
            if not running:
                break
            future = next(results)
            job = running.pop(future)
            try:
                result = future.result()
            except KilledWorker:
                lost.append(job)
                continue
            finally:
                future.release()
            yield job[0], result
        for job in lost:
            try:
                result = submit(*job[1]).result()
            except KilledWorker:
                result = unfinished(job[1][0], "memory", KILLED)
            yield job[0], result
    except FutureCancelledError as problem:
        raise CourseError("The Dask scheduler is gone; run the same command again to go on") from problem


@contextlib.contextmanager
def connect(scheduler: str, jobs: int, scratch: Path, warm: bool = False) -> Iterator[Client]:
    """A client of the workers that grade. Only for the main thread, which is where Ctrl-C arrives.

    scheduler  the address of theirs; if it is empty, as many workers as there are jobs are started on this machine
    scratch    a folder for what Dask writes on this machine, removed at the end
    warm       see `start_cluster`
    """
    for name in ("distributed", "distributed.client", "distributed.scheduler", "distributed.worker"):
        logging.getLogger(name).setLevel(SILENT)
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        # Each of Dask's logs of messages would keep a thousand notebooks.
        settings = {"temporary-directory": str(scratch), "distributed.admin.low-level-log-length": 10}
        stack.enter_context(dask.config.set(settings))
        security = None
        if not scheduler:
            stack.enter_context(dask.config.set(local_config()))
            with held_back():
                cluster = start_cluster(jobs, warm)
                stack.callback(close, cluster)
            scheduler, security = cluster.scheduler_address, cluster.security
        else:
            knock(scheduler)
        with held_back():
            client = Client(scheduler, security=security, set_as_default=False)
            stack.callback(close, client)
        yield client


def knock(address: str) -> None:
    """Raise CourseError, in one line, if no scheduler can be talked to at an address: a client would say more."""

    async def connect_once() -> None:
        keys = Security().get_connection_args("client")
        (await comm.connect(address, timeout=CONNECT_SECONDS, **keys)).abort()

    try:
        asyncio.run(connect_once())
    except (OSError, RuntimeError, TypeError, ValueError) as problem:
        raise CourseError(f"No Dask scheduler can be talked to at {address}: {problem}") from problem


def local_config() -> dict:
    """Dask's settings for workers on this machine."""
    return {
        "distributed.scheduler.allowed-failures": 0,  # see `fan_out`
        "distributed.deploy.lost-worker-timeout": LOST_SECONDS,
        "distributed.worker.profile.enabled": False,  # it would look at the worker a hundred times a second
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "10s",
    }


def start_cluster(jobs: int, warm: bool) -> SpecCluster:
    """A scheduler in this process and workers in others, which come up by and by. Only they can reach each other.

    Jobs share a worker, up to four: what they wait for runs in other processes, and what a worker must import and make
    first is paid once.

    warm  whether kernels are going to be forked from a warm parent, so that it is started at once
    """
    multiprocessing.resource_tracker.ensure_running()  # or starting it later would let Ctrl-C through to workers
    threads = max(number for number in (1, 2, 3, 4) if jobs % number == 0)
    common = {"protocol": "tls://", "host": "127.0.0.1", "security": Security.temporary()}
    worker = {"worker_class": LocalWorker, "nthreads": threads, "memory_limit": 0, "silence_logs": SILENT, "warm": warm}
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # for the threads, and the processes, that this starts
    try:
        cluster = SpecCluster(
            scheduler={"cls": LocalScheduler, "options": {**common, "port": 0, "dashboard": False}},
            worker={"cls": Nanny, "options": {**common, **worker}},
            security=common["security"],
            silence_logs=SILENT,
        )
        cluster.scale(jobs // threads)
        return cluster
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def close(it: Client | SpecCluster) -> None:
    with held_back():
        it.close()


class LocalScheduler(Scheduler):
    """A scheduler without a web server."""

    def start_http_server(self, *args, **kwargs) -> None:
        pass


class LocalWorker(Worker):
    """A worker on the grader's machine, without a web server, that leaves it to the grader what Ctrl-C means."""

    def __init__(self, *args, warm: bool, **kwargs):
        if warm:
            warm_parent()
        super().__init__(*args, **kwargs)
        signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which kernels would inherit
        signal.signal(signal.SIGTERM, end_at_once)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def start_http_server(self, *args, **kwargs) -> None:
        pass


def end_at_once(*_) -> None:
    """End this process, and its kernels first."""
    runner.stop_kernels()
    os._exit(1)


class StopWhenCancelled(WorkerPlugin):
    """Stops the kernels of tasks that nobody waits for any more, because their grader was stopped or is gone."""

    name = "course-stop-when-cancelled"

    def setup(self, worker: Worker) -> None:
        self.worker = worker

    def transition(self, key: str, start: str, finish: str, **_) -> None:
        if (start, finish) == ("executing", "released"):
            runner.stop_kernels({thread for thread, own in self.worker.active_threads.items() if own == key})

    def teardown(self, worker: Worker) -> None:
        runner.stop_kernels()


def stop_when_cancelled() -> None:
    """Let this worker watch over its tasks; in a process that is no worker, nothing happens."""
    with contextlib.suppress(ValueError):
        worker = current_worker()
        if StopWhenCancelled.name not in worker.plugins:
            worker.loop.add_callback(worker.plugin_add, StopWhenCancelled(), StopWhenCancelled.name)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C, or being told to end, wait until the block is through."""
    came = []
    earlier = {number: signal.signal(number, lambda *_: came.append(1)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
