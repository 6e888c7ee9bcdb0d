"""Workers for `course grade --scheduler`, as SLURM jobs. Start it on a login node; Ctrl-C gives them back."""

import os
import signal

from dask_jobqueue import SLURMCluster
from distributed.security import Security

JOBS = 4  # SLURM jobs
WORKERS_A_JOB = 16  # each needs a core
MEMORY_A_JOB = "48GB"
WALLTIME = "04:00:00"
PARTITION = None  # your cluster's own default
DATA = os.environ.get("COURSE_DATA_DIR", "")  # a folder that all nodes see

if __name__ == "__main__":
    with SLURMCluster(
        queue=PARTITION,
        cores=WORKERS_A_JOB,
        processes=WORKERS_A_JOB,  # so that each has one thread
        memory=MEMORY_A_JOB,
        walltime=WALLTIME,
        worker_extra_args=["--memory-limit", "0"],  # the notebooks' memory is the sandbox's to limit
        job_script_prologue=["export OMP_NUM_THREADS=1", f"export COURSE_DATA_DIR={DATA}" if DATA else ""],
        protocol="tls://",
        security=Security(),  # the keys of keys.sh
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:
        cluster.scale(jobs=JOBS)
        print(cluster.scheduler_address, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
