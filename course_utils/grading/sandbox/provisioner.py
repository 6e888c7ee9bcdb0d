"""A Jupyter kernel provisioner that starts kernels in a sandbox; for jupyter_client, nbclient, nbgrader and papermill.

The kernel speaks through Unix sockets in a folder of its own, because there is no network inside. What the caller
wants of its environment or its working folder is not carried over: a kernel has its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import uuid
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, Dict, List

from course_utils.grading.sandbox import bubblewrap, cgroups, machine, seccomp
from course_utils.grading.sandbox.folder import HOME, KernelFolder
from course_utils.grading.sandbox.guard import Guard, children, too_much_memory
from course_utils.grading.sandbox.settings import Limits, Sandbox, SandboxError
from course_utils.grading.sandbox.warm import WAIT, WarmProcess

ENTER = 'for door; do shift; [ "$door" = -- ] && break; echo $$ > "$door" || exit 125; done; exec "$@"'
"""Go through all doors (see cgroups.Group) up to --, then become the command after it."""


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in a sandbox of its own, and leaves nothing of it behind.

    limits       fields of Limits that differ from its own values
    binds        see Sandbox
    hidden       see Sandbox
    warm         see Sandbox
    environment  variables that the kernel gets
    """

    limits: dict = Dict(config=True)
    binds: dict = Dict(config=True)
    hidden: list = List(config=True)
    warm: bool = Bool(config=True)
    environment: dict = Dict(config=True)

    folder = group = guard = exit_code = None

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(Limits(**self.limits), dict(self.binds), tuple(self.hidden), self.warm)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Raises SandboxError if there can be no sandbox."""
        machine.check()
        user = bubblewrap.choose_user()
        machine.check_readable(self.binds, user)
        if self.folder is None:  # at a restart, clients stay connected to the sockets that there were
            self.folder = KernelFolder(user)
        self.parent.transport, self.parent.ip = "ipc", str(self.folder.sockets / "k")
        self.parent.connection_file = str(self.folder.connection_file)
        kwargs = await super().pre_launch(**kwargs)
        self.folder.give_to(user)
        self.user, self.argv = user, kwargs["cmd"]
        self.variables = {name: kwargs["env"][name] for name in self.kernel_spec.env} | self.environment
        kwargs["env"] = {"PATH": os.defpath}
        kwargs["cwd"] = "/"
        return kwargs

    async def launch_kernel(self, cmd: list[str], **kwargs: Any):
        limits = self.sandbox.limits
        self.group = cgroups.make_group(limits)
        if self.warm:
            try:
                self.launch_warm(**self._scrub_kwargs(kwargs))
            except (SandboxError, OSError) as problem:
                self.warm = False
                self.log.warning("A kernel is started on its own: %s", problem)
        if not self.warm:
            with machine.filter_words() as (words, passed):
                await super().launch_kernel(self.command(cmd, words), pass_fds=passed, **kwargs)
        sums_up = not (self.group and self.group.limits_memory)
        self.guard = Guard(self.process, self.pgid, self.folder.sockets, limits, sums_up)
        self.guard.start()
        return self.connection_info

    def launch_warm(self, **launch: Any) -> None:
        """The same for a kernel that is forked: its process group, by which all is killed, is bubblewrap's."""
        with machine.filter_words() as (words, passed):
            launch["pass_fds"] = passed
            self.process = WarmProcess(self.command(WAIT, words), launch, self.request(), self.doors)
        self.pid, self.pgid = self.process.pid, self.process.room.pid

    def request(self) -> dict:
        """What a warm parent has to know: see parent.py."""
        return {
            "argv": ["ipykernel_launcher", *self.argv[self.argv.index("-f") :]],
            "environment": bubblewrap.base_environment() | self.variables,
            "home": HOME,
            "path": [bubblewrap.COURSE],
            "limits": self.sandbox.limits.of_processes(),
            "user": self.user,
            "sockets": str(self.folder.sockets),
            "filter": (seccomp.program() or b"").hex(),
        }

    def command(self, inner: list[str], words: list[str]) -> list[str]:
        """The command that enters the control group, makes the sandbox, and runs `inner` there."""
        command = bubblewrap.command(inner, self.sandbox, self.user, self.variables, self.folder)
        command[1:1] = words
        return ["/bin/sh", "-c", ENTER, "sh", *self.doors, "--", *command]

    @property
    def doors(self) -> list[str]:
        return [str(door) for door in self.group.doors] if self.group else []

    async def send_signal(self, signum: int) -> None:
        """Send an interrupt to the kernel and what it has started; anything else to the sandbox as a whole."""
        if signum != signal.SIGINT:
            await super().send_signal(signum)
        elif self.process and self.process.poll() is None:
            inside = [pid for first in children(self.process.pid) for pid in children(first)]
            for kernel in [self.process.pid] if self.warm else inside[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(os.getpgid(kernel), signal.SIGINT)

    async def wait(self) -> int | None:
        process = self.process
        code = await super().wait()
        self.exit_code = process.returncode if process else self.exit_code
        return code

    async def cleanup(self, restart: bool = False) -> None:
        self.remove(keep_folder=restart)
        await super().cleanup(restart=restart)

    def remove(self, keep_folder: bool = False) -> None:
        """Kill all that runs in the sandbox, and remove its group and its folder."""
        if self.guard and self.guard.is_watching:
            self.guard.stop()
            self.exit_code = self.guard.process.returncode
        if self.group:
            self.group.remove()
            self.group = None
        if self.folder and not keep_folder:
            self.folder.remove()
            self.folder = None

    def cause_of_death(self) -> tuple[str, str] | None:
        """Why the sandbox ended: "memory", "timeout" or "error", and a sentence. None if that is not known."""
        code = self.process.poll() if self.process else self.exit_code
        if self.guard and self.guard.verdict:
            return self.guard.verdict
        limits = self.sandbox.limits
        if self.group and self.group.out_of_memory():
            return "memory", too_much_memory(limits)
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL) and self.guard.most_memory > limits.total_memory / 4:
            return "memory", "the kernel was killed, most likely because the memory of the machine ran out"
        if code is None or code < 0:
            return None
        if code == 128 + signal.SIGXCPU:
            return "timeout", f"the kernel computed for more than {limits.cpu_seconds} s"
        if code - 128 in signal.valid_signals():
            return "error", f"the kernel died of signal {signal.Signals(code - 128).name}"
        return "error", "the kernel ended before the notebook did (code that leaves Python ends it)"


def sandboxed_manager(sandbox: Sandbox, environment: dict[str, str]) -> AsyncKernelManager:
    """A manager whose kernel is this Python's, in a sandbox. Needs no kernelspec and no entry point to be installed."""
    manager = AsyncKernelManager(kernel_name="python3")
    manager._kernel_spec = kernel_spec(sandbox, environment)
    config = manager._kernel_spec.metadata["kernel_provisioner"]["config"]
    manager.provisioner = SandboxProvisioner(
        kernel_id=str(uuid.uuid4()), kernel_spec=manager._kernel_spec, parent=manager, **config
    )
    return manager


def kernel_spec(sandbox: Sandbox, environment: dict[str, str]) -> KernelSpec:
    """The kernelspec of this Python's kernel in a sandbox."""
    return KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="Python 3 (course sandbox)",
        language="python",
        metadata={
            "kernel_provisioner": {
                "provisioner_name": "course-sandbox",
                "config": {**sandbox.as_config(), "environment": environment},
            }
        },
    )
