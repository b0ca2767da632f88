"""Writes the models of the survey and runs it.

    run.py <strata_survey> [FOLDER OF AMPLIFIERS...]
"""

import os
import subprocess
import sys
import tempfile

try:
    import keras  # noqa: F401
    import onnx  # noqa: F401
    import onnxscript  # noqa: F401
    import tensorflow  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}; pip install keras tensorflow-cpu torch onnx onnxscript")
    sys.exit(77)

here = os.path.dirname(os.path.abspath(__file__))
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.executable, os.path.join(here, "models.py"), folder], check=True)
    sys.exit(subprocess.run([os.path.abspath(sys.argv[1]), folder, *sys.argv[2:]]).returncode)
