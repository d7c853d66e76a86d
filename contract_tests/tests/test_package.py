"""The package as a whole."""

import subprocess
import sys


def test_without_hypothesis_the_import_says_what_to_install() -> None:
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'hypothesis' else find(name, package)\n"
        "sys.modules['hypothesis'] = None\n"
        "import bodydouble_contract_tests"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError: bodydouble_contract_tests needs Hypothesis" in done.stderr
    assert "pip install 'bodydouble[contract]'" in done.stderr.splitlines()[-1]
