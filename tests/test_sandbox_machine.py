"""What a sandbox is made of on a machine: what is missing, which limits there are, what is visible."""

import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import nbclient
import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from nbformat.v4 import new_code_cell, new_notebook
from sandboxes import needs_bubblewrap, run
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.grading.sandbox import bubblewrap, cgroups, kernelspec, machine, seccomp
from course_utils.grading.sandbox.settings import Limits, Sandbox, SandboxError


@needs_bubblewrap
def test_folders_to_hide_are_empty_inside_and_unreadable_ones_are_refused(own_tmp):
    (own_tmp / "data" / "answers").mkdir(parents=True)
    (own_tmp / "data" / "answers" / "secret").write_text("x")
    sandbox = Sandbox(binds={str(own_tmp / "data"): str(own_tmp / "data")}, hidden=(str(own_tmp / "data" / "answers"),))
    texts, _ = run(
        f"import os; [os.listdir({str(own_tmp)!r} + name) for name in ('/data', '/data/answers')]", sandbox=sandbox
    )
    assert texts == ["[['answers'], []]"]
    with pytest.raises(SandboxError, match=r"nowhere does not exist"):
        machine.check_readable({str(own_tmp / "nowhere"): "/data"}, 1)
    (own_tmp / "data" / "answers" / "secret").chmod(0o600)
    with pytest.raises(SandboxError, match=r"data/answers/secret can be read by its owner alone"):
        machine.check_readable({str(own_tmp / "data"): "/data"}, os.geteuid() + 1)


@needs_bubblewrap
def test_the_kernel_can_be_used_by_its_name(own_tmp, monkeypatch):
    provisioners = KernelProvisionerFactory.instance().provisioners
    value = "course_utils.grading.sandbox.provisioner:SandboxProvisioner"
    monkeypatch.setitem(provisioners, kernelspec.NAME, EntryPoint(kernelspec.NAME, value, kernelspec.GROUP))
    monkeypatch.setattr(kernelspec, "entry_points", lambda group: SimpleNamespace(names={kernelspec.NAME}))
    folder = kernelspec.install(own_tmp / "prefix")
    monkeypatch.setenv("JUPYTER_PATH", str(folder.parents[1]))
    notebook = new_notebook(
        cells=[new_code_cell("import os; [n for n in os.listdir('/home')], 'JUPYTER_PATH' in os.environ")]
    )
    nbclient.NotebookClient(notebook, kernel_name="course-sandbox", timeout=60).execute()
    assert notebook.cells[0].outputs[0].data["text/plain"] == "(['student'], False)"
    assert [path.name for path in own_tmp.iterdir()] == ["prefix"]


def test_a_machine_without_a_sandbox_is_told_in_one_line_what_helps(monkeypatch, tmp_path):
    machine.check.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["sandbox"])
    assert isinstance(result.exception, SandboxError)
    assert "apt-get install bubblewrap" in str(result.exception)
    monkeypatch.undo()
    switch = tmp_path / "apparmor"
    switch.write_text("1\n")
    monkeypatch.setattr(machine, "APPARMOR", switch)
    monkeypatch.setattr(machine, "SWITCHES", {switch: ("1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0")})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    line = machine.explain("bwrap: setting up uid map: Permission denied\n")
    assert line.startswith(
        "AppArmor keeps bubblewrap from making a sandbox (bwrap: setting up uid map: Permission denied)"
    )
    assert "\n" not in line


@needs_bubblewrap
def test_the_machine_is_described_subject_by_subject():
    result = CliRunner().invoke(app, ["sandbox"])
    assert result.exit_code == 0
    assert result.output.splitlines()[0].split() == ["bubblewrap", bubblewrap.version()]
    assert "3 GB a process; 4 GB in all" in result.output


def control_group(folder: Path, hands_on: str, limit: str = "max") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text("")
    (folder / "cgroup.subtree_control").write_text(hands_on)
    (folder / "memory.max").write_text(limit)


def proc_of(folder: Path, cgroup: str, mounts: str) -> Path:
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    (folder / "mounts").write_text(mounts)
    return folder


def test_the_nearest_group_that_hands_on_limits_is_used(tmp_path):
    control_group(tmp_path / "cg" / "user", "cpu memory pids\n")
    control_group(tmp_path / "cg" / "user" / "app", "memory pids\n")
    control_group(tmp_path / "cg" / "user" / "app" / "shell", "\n")
    proc = proc_of(tmp_path / "proc", "0::/user/app/shell\n", f"cgroup2 {tmp_path}/cg cgroup2 rw 0 0\n")
    place = cgroups.find_place(proc)
    assert (place.version, set(place.parents.values())) == (2, {tmp_path / "cg" / "user" / "app"})
    group = cgroups.Group(place, Limits(total_memory=5, processes=6))
    (folder,) = set(group.folders.values())
    assert ((folder / "memory.max").read_text(), (folder / "pids.max").read_text()) == ("5", "12")
    assert not group.out_of_memory()
    (folder / "memory.events").write_text("oom 3\noom_kill 1\n")
    assert group.out_of_memory()


def test_a_group_above_a_limit_is_left_alone(tmp_path):
    control_group(tmp_path / "cg" / "job", "memory pids\n")
    control_group(tmp_path / "cg" / "job" / "step", "\n", limit="8589934592")
    proc = proc_of(tmp_path / "proc", "0::/job/step\n", f"cgroup2 {tmp_path}/cg cgroup2 rw 0 0\n")
    assert cgroups.find_place(proc) is None


def test_the_filter_of_system_calls_is_made_only_for_processors_that_it_knows(monkeypatch):
    assert len(seccomp.program()) % 8 == 0
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert seccomp.program() is None


@pytest.mark.parametrize("place", ["/tmp", "/home/student"])
def test_a_python_below_a_folder_that_is_empty_inside_is_shown_all_the_same(place, monkeypatch):
    for name in ("prefix", "exec_prefix"):
        monkeypatch.setattr(sys, name, f"{place}/course/.venv")
    places = {"/usr": ["--ro-bind", "/usr"], "/bin": ["--symlink", "usr/bin"], place: ["--perms", "1777", "--tmpfs"]}
    assert bubblewrap.filled(places) == ["/usr", "/bin"]
    shown = bubblewrap.python_mounts(bubblewrap.filled(places))
    assert shown[f"{place}/course/.venv"] == ["--ro-bind", f"{place}/course/.venv"]
    assert not any(folder.startswith("/usr") for folder in shown)
