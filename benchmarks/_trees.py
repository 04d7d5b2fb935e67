"""A bench's part in a process of its own, by this tree or by a checkout of another commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def ask(script, tree, *arguments):
    """What ``script --measure arguments`` prints last, as JSON, where it imports the package of ``tree``."""
    command = [sys.executable, script, "--measure", *arguments]
    env = {**os.environ, "PYTHONPATH": tree}
    told = subprocess.run(command, env=env, cwd=tree, capture_output=True, check=True)
    return json.loads(told.stdout.splitlines()[-1])
